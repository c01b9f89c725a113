/** One connection in one room. Ended by replacement, by the client, by a lost right or with the connection. */
import type { Role } from '../protocol/frames.js';
import type { Connection } from './connection.js';
import type { RoomChannel } from './room-channel.js';

/** Why the subscriber may read: what a later event must take away to end it. */
export type Basis = 'member' | 'public' | 'admin';

export interface Subscription {
  readonly connection: Connection;
  readonly channel: RoomChannel;
  role: Role | null;
  basis: Basis;
  /** False: replaying or held; events wait in Postgres. */
  live: boolean;
  catchingUp: boolean;
  ended: boolean;
  /** Everything up to here was queued for the connection. */
  sentSeq: number;
  /** Place in the channel's list of live ones, or -1. */
  index: number;
}
