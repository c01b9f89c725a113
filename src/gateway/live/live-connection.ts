/** A live connection as its node describes it to the others. */
import * as z from 'zod';
import { CLOSE_CODES } from '@wardroom/protocol/codes';
import { rfc3339, wallMs } from '../../platform/clock.js';
import { monotonicMs } from '../../platform/clock.js';
import { closeIdOf } from '../connection/socket/farewell.js';
import type { Connection } from '../connection/connection.js';

/** States of connections that are in the lists of their node. */
export const LIVE_STATES = ['greeting', 'authenticating', 'live', 'expired'] as const;

export const liveFilterSchema = z.object({
  user: z.string().optional(),
  session: z.string().optional(),
  room: z.string().optional(),
  ip: z.string().optional(),
  state: z.enum(LIVE_STATES).optional(),
  /** Connections before this one. */
  before: z.string().optional(),
  limit: z.int().min(1).max(1_001),
});
export type LiveFilter = z.infer<typeof liveFilterSchema>;

const liveConnectionSchema = z.object({
  id: z.uuid(),
  close_id: z.string(),
  session: z.uuid().nullable(),
  user: z.uuid().nullable(),
  tenant: z.uuid().nullable(),
  ip: z.string(),
  user_agent: z.string().nullable(),
  carrier: z.string(),
  opened_at: z.string(),
  token_expires_in_ms: z.int().nullable(),
  renewals: z.int(),
  rooms: z.int(),
  queue_bytes: z.int(),
});
export type LiveConnection = z.infer<typeof liveConnectionSchema>;
export const readLiveConnection = (value: unknown): LiveConnection | undefined =>
  liveConnectionSchema.safeParse(value).data;

const detailSchema = liveConnectionSchema.extend({
  state: z.enum(LIVE_STATES),
  omitted: z.int(),
  timeline: z.array(z.looseObject({ at: z.string(), event: z.string() })),
});
export type LiveDetail = z.infer<typeof detailSchema>;
export const readLiveDetail = (value: unknown): LiveDetail | undefined =>
  detailSchema.safeParse(value).data;

export const closeRequestSchema = z.object({
  id: z.uuid(),
  code: z.enum(['draining', 'forbidden']) satisfies z.ZodType<keyof typeof CLOSE_CODES>,
  /** The operator. */
  by: z.uuid(),
});
export type CloseRequest = z.infer<typeof closeRequestSchema>;

export function describe(connection: Connection, rooms: number): LiveConnection {
  const { token } = connection;
  return {
    id: connection.id,
    close_id: closeIdOf(connection.id),
    session: token?.principal.sessionId ?? null,
    user: token?.principal.userId ?? null,
    tenant: token?.principal.tenantId ?? null,
    ip: connection.ip,
    user_agent: connection.userAgent,
    carrier: connection.carrier,
    opened_at: rfc3339(new Date(openedAtMs(connection))),
    token_expires_in_ms: token === null ? null : Math.round(token.deadlineMs - monotonicMs()),
    renewals: connection.timeline.renewals,
    rooms,
    queue_bytes: connection.heldBytes,
  };
}

/** By the wall clock. */
export const openedAtMs = ({ ageMs }: Connection): number => wallMs() - ageMs;
