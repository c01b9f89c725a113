/**
 * Users with connections that watch, and the rooms that they are told about. One user is one object
 * for all of their connections on this node, one room one object for all of its users.
 */
import type { Connection } from '../connection/connection.js';
import { RoomKey } from '../connection/socket/outbound-queue.js';

/** Not read yet: the next sweep finds the room. */
export const UNKNOWN_SEQ = -1;

/** News of a room for all of its users: at most one round a second. */
export class Round {
  asked = false;
  /** Not before. */
  nextMs = 0;

  constructor(
    readonly room: HeadRoom,
    readonly news: 'activity' | 'updated',
  ) {}
}

/** A room of which this node hears that something happened; it keeps no content. */
export class HeadRoom {
  /** Marks its frames in the queues of connections. */
  readonly key = new RoomKey();
  readonly users = new Set<WatchedUser>();
  /** The last event that this node heard of. */
  seq = UNKNOWN_SEQ;
  readonly activity = new Round(this, 'activity');
  readonly updates = new Round(this, 'updated');
  /** Resolved when this node gets the messages of the room. */
  listening: Promise<void> = Promise.resolve();

  constructor(readonly id: string) {}
}

export class WatchedUser {
  /** Each with the rooms whose activity it could not take; null: none. */
  readonly connections = new Map<Connection, Set<HeadRoom> | null>();
  readonly rooms = new Set<HeadRoom>();
  /** Rooms whose activity is to be told, and when. */
  readonly pending = new Map<HeadRoom, number>();
  /** When the activity of a room was told, the oldest first; of the last second. */
  readonly toldMs = new Map<HeadRoom, number>();
  /** Grows with every change of the user's memberships: an older reading of them is repeated. */
  era = 0;
  /** The list of rooms is as Postgres has it, and kept so by authority events. */
  loaded = false;
  loading: Promise<void> | null = null;
  /** There are more rooms than are watched. */
  more = false;
  /** Is in the queue of those whose activity is due. */
  queued = false;
  /** Connections that wait for the list of rooms. */
  waiting = 0;
  /** When the list was compared with Postgres. */
  checkedMs = 0;

  constructor(readonly id: string) {}

  get inUse(): boolean {
    return this.connections.size + this.waiting > 0;
  }
}
