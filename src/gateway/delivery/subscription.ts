/**
 * One connection in one room. Ended by replacement, by the client, by a lost right or with the
 * connection.
 */
import type { Role } from '../../protocol/frames.js';
import type { Connection } from '../connection/connection.js';
import type { RoomChannel } from './room-channel.js';

/** Why the subscriber may read: what a later event must take away to end it. */
export type Basis = 'member' | 'public' | 'admin';

/** Both included. */
export interface Range {
  from: number;
  to: number;
}

export interface Subscription {
  // First what every delivery touches: it shares a cache line.
  readonly connection: Connection;
  /** Everything up to here was written or queued for the connection. */
  deliveredSeq: number;
  /** Number of the room's fan-out that it has had last, or need not have; see fan-out.ts. */
  lastFanOut: number;
  readonly channel: RoomChannel;
  role: Role | null;
  accessBasis: Basis;
  /** False: replaying or held; events wait in Postgres. */
  live: boolean;
  catchingUp: boolean;
  ended: boolean;
  /** The epoch of the room that the client knows of. */
  roomEpoch: string;
  /** Lost since then. */
  lost: Range | null;
  /** Place in the channel's list of live ones, or -1. */
  index: number;
}
