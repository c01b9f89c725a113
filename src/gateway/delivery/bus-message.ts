/**
 * Messages between nodes about a room. Checked by hand on arrival: a node of this installation
 * sealed it, so only its version can be wrong. Extra fields are accepted, an unknown kind is not.
 */
import type { RoomEvent } from '../../rooms/events/room-event.js';

/** A frame for whoever is there, judged by the sender's node at `epoch`. */
export interface TransientFrame {
  room: string;
  /**
   * The sender's: nobody hears from a session that has ended, however long the frame was on its
   * way.
   */
  session: string;
  epoch: number;
  frame: string;
}

/** Of frames that the server sends by itself: the end of a session does not take them back. */
export const NO_SESSION = '';

/** A user has changed what is theirs alone of a room: favourite, notifications. */
export interface OwnChange {
  room: string;
  user: string;
}

/** The users present through one node: its whole state, so a lost message heals with the next. */
export interface PresenceState {
  room: string;
  /** Null when there are too many to list. */
  users: string[] | null;
  count: number;
}

export type BusMessage =
  | { kind: 'events'; events: RoomEvent[] }
  | { kind: 'transient'; frames: TransientFrame[] }
  | { kind: 'own'; changes: OwnChange[] }
  | { kind: 'presence'; node: string; state: PresenceState }
  | { kind: 'presence_query'; node: string; room: string };

type Fields = Record<string, unknown>;

/** Of `room` and nothing else: undefined for what cannot be understood. */
export function readBusMessage(value: unknown, room: string): BusMessage | undefined {
  const message = fieldsOf(value);
  switch (message['kind']) {
    case 'events':
      return each(message['events'], (event) => ofRoom(event, room) && isCount(event['seq']))
        ? (message as BusMessage)
        : undefined;
    case 'transient':
      return each(
        message['frames'],
        (frame) => ofRoom(frame, room) && typeof frame['session'] === 'string',
      )
        ? (message as BusMessage)
        : undefined;
    case 'own':
      return each(
        message['changes'],
        (change) => change['room'] === room && typeof change['user'] === 'string',
      )
        ? (message as BusMessage)
        : undefined;
    case 'presence':
      return typeof message['node'] === 'string' && isPresence(fieldsOf(message['state']), room)
        ? (message as BusMessage)
        : undefined;
    case 'presence_query':
      return message['room'] === room ? (message as BusMessage) : undefined;
    default:
      return undefined;
  }
}

const ofRoom = (one: Fields, room: string): boolean =>
  one['room'] === room && isCount(one['epoch']) && typeof one['frame'] === 'string';

function isPresence({ room, users, count }: Fields, of: string): boolean {
  return (
    room === of &&
    isCount(count) &&
    (users === null || (Array.isArray(users) && users.every((user) => typeof user === 'string')))
  );
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
const each = (list: unknown, is: (one: Fields) => boolean): boolean =>
  Array.isArray(list) && list.every((one) => is(fieldsOf(one)));
