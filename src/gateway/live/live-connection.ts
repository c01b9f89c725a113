/** A live connection as its node describes it to the others. */
import * as z from 'zod';
import { CLOSE_CODES } from '@wardroom/protocol/codes';
import { monotonicMs, rfc3339, wallMs } from '../../platform/clock.js';
import { closeIdOf } from '../connection/socket/farewell.js';
import type { Connection } from '../connection/connection.js';

/** States of connections that are in the lists of their node. */
export const LIVE_STATES = ['greeting', 'authenticating', 'live', 'expired'] as const;

/** A page of the list, and one to see that there are more. */
const LIST_MAX = 501;

export const liveFilterSchema = z.object({
  user: z.string().optional(),
  session: z.string().optional(),
  tenant: z.string().optional(),
  room: z.string().optional(),
  ip: z.string().optional(),
  state: z.enum(LIVE_STATES).optional(),
  /** Connections before this one. */
  before: z.string().optional(),
  limit: z.int().min(1).max(LIST_MAX),
});
export type LiveFilter = z.infer<typeof liveFilterSchema>;

export interface LiveConnection {
  readonly id: string;
  readonly close_id: string;
  readonly session: string | null;
  readonly user: string | null;
  readonly tenant: string | null;
  readonly ip: string;
  readonly user_agent: string | null;
  readonly carrier: string;
  readonly opened_at: string;
  readonly token_expires_in_ms: number | null;
  readonly renewals: number;
  readonly rooms: number;
  readonly queue_bytes: number;
}

const FIELDS = Object.entries({
  id: ['string'],
  close_id: ['string'],
  session: ['string', 'null'],
  user: ['string', 'null'],
  tenant: ['string', 'null'],
  ip: ['string'],
  user_agent: ['string', 'null'],
  carrier: ['string'],
  opened_at: ['string'],
  token_expires_in_ms: ['number', 'null'],
  renewals: ['number'],
  rooms: ['number'],
  queue_bytes: ['number'],
} satisfies Record<keyof LiveConnection, string[]>);
const typeOf = (value: unknown): string => (value === null ? 'null' : typeof value);

/** By hand: thousands come at once, and a node of this installation sealed them. */
export function readLiveConnection(value: unknown): LiveConnection | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, types] of FIELDS)
    if (!types.includes(typeOf((value as Record<string, unknown>)[name]))) return undefined;
  return value as LiveConnection;
}

const detailSchema = z.looseObject({
  state: z.enum(LIVE_STATES),
  omitted: z.int(),
  timeline: z.array(z.looseObject({ at: z.string(), event: z.string() })),
});
export type LiveDetail = z.infer<typeof detailSchema> & LiveConnection;
export function readLiveDetail(value: unknown): LiveDetail | undefined {
  const connection = readLiveConnection(value);
  const detail = detailSchema.safeParse(value).data;
  return connection === undefined || detail === undefined
    ? undefined
    : { ...detail, ...connection };
}

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
