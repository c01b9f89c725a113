/** Connections as operators see them. Source: docs/contract.md, section 10. */
import { isIP } from 'node:net';
import * as z from 'zod';
import { LIVE_STATES } from '../../gateway/live/live-connection.js';
import { plainAddress } from '../../platform/http/client-address.js';
import { idSchema } from '../../platform/text.js';
import { pageFields } from '../../platform/zod.js';

/**
 * A page is longer than others: only names are read from a store. With the longest agents and names
 * it has 600 KiB.
 */
const CONNECTIONS_MAX = 500;

export const connectionsQuerySchema = z.strictObject({
  ...pageFields,
  limit: z.coerce.number().int().min(1).max(CONNECTIONS_MAX).default(50),
  user: idSchema.optional(),
  session: idSchema.optional(),
  room: idSchema.optional(),
  node: idSchema.optional(),
  ip: z
    .string()
    .max(45)
    .refine((text) => isIP(text) !== 0, 'must be an IP address')
    .transform(plainAddress)
    .optional(),
  state: z.enum(LIVE_STATES).optional(),
});
export type ConnectionsQuery = z.infer<typeof connectionsQuerySchema>;

export const connectionSchema = z
  .object({
    id: z.uuid(),
    close_id: z.string(),
    session: z.uuid().nullable().meta({ description: 'null: no credential was accepted' }),
    user: z
      .object({
        id: z.uuid(),
        name: z.string().nullable().meta({ description: 'null: a guest' }),
        email: z.string().nullable(),
      })
      .nullable(),
    tenant: z.uuid().nullable(),
    node: z.uuid(),
    ip: z.string(),
    user_agent: z.string().nullable(),
    carrier: z.string().meta({ description: 'of its first credential' }),
    opened_at: z.iso.datetime(),
    token_expires_in_ms: z.int().nullable().meta({ description: 'negative: it is in grace' }),
    renewals: z.int(),
    rooms: z.int().meta({ description: 'its subscriptions' }),
    queue_bytes: z.int().meta({ description: 'that wait to be written to it' }),
  })
  .meta({ id: 'LiveConnection' });
export type ConnectionView = z.infer<typeof connectionSchema>;

export const connectionPageSchema = z
  .object({
    items: z.array(connectionSchema),
    next_cursor: z.string().nullable(),
    partial: z
      .array(z.uuid())
      .meta({ description: 'nodes that did not answer in 500 ms: theirs are missing' }),
  })
  .meta({ id: 'LiveConnectionPage' });
export type ConnectionPage = z.infer<typeof connectionPageSchema>;

const eventSchema = z
  .looseObject({
    at: z.iso.datetime(),
    event: z.string().meta({
      description:
        'opened, authenticated, renewed, renewal_refused, subscribed, unsubscribed, denied, warned, expired, grace, closed_by, closed',
    }),
    exp: z.iso.datetime().optional().meta({ description: 'end of the token' }),
    until: z.iso.datetime().optional().meta({ description: 'end of the grace' }),
    room: z.string().optional(),
    code: z.string().optional(),
    count: z.int().optional().meta({ description: 'so many in a row; the time is of the last' }),
    decision_id: z.string().optional(),
    by: z.string().optional().meta({ description: 'the operator who closed it' }),
    side: z.string().optional(),
  })
  .meta({ id: 'TimelineEvent' });

export const connectionDetailSchema = connectionSchema
  .extend({
    state: z.enum([...LIVE_STATES, 'ended']),
    queue_bytes: z.int().nullable(),
    rooms: z.int().nullable(),
    renewals: z.int().nullable().meta({ description: 'null: its node kept none' }),
    carrier: z.string().nullable(),
    omitted: z.int().meta({ description: 'events that are not kept any more' }),
    timeline: z.array(eventSchema),
  })
  .meta({ id: 'ConnectionDetail' });
export type ConnectionDetail = z.infer<typeof connectionDetailSchema>;

export const closeQuerySchema = z.strictObject({
  action: z
    .enum(['reconnect', 'stop'])
    .default('reconnect')
    .meta({ description: 'the advice to the client: 1001 `draining`, or 4003 `forbidden`' }),
});
export type CloseQuery = z.infer<typeof closeQuerySchema>;

export const closedConnectionSchema = z
  .object({
    id: z.uuid(),
    close_id: z.string(),
    node: z.uuid(),
    code: z.enum(['draining', 'forbidden']),
    action: z.enum(['reconnect', 'stop']),
  })
  .meta({ id: 'ClosedConnection' });
export type ClosedConnection = z.infer<typeof closedConnectionSchema>;
