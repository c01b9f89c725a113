/**
 * Entries of the stream and of the channel of confirmations. Newer nodes may send others: an
 * unknown entry is ignored as a whole, and read from Postgres, as if it had been lost.
 */
import * as z from 'zod';
import { roleSchema } from '@wardroom/protocol';
import { USER_ROLES } from '../platform/stores/system-tenant.js';
import type { Position } from './authority-state.js';
import type { AuthorityEvent, NumberedEvent } from './events.js';

const count = z.int().min(0);
const id = z.uuid();
/**
 * Place and past of an event: a copy from a lost history does not link to what this node has
 * applied.
 */
const hash = z.string().regex(/^[0-9a-f]{64}$/);

const eventSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('session.ended'),
    sessions: z.array(id),
    reason: z.enum([
      'session_revoked',
      'session_expired',
      'token_reuse',
      'user_suspended',
      'tenant_disabled',
    ]),
  }),
  z.object({
    kind: z.literal('user.changed'),
    user: id,
    state: z.enum(['active', 'suspended']),
    role: z.enum(USER_ROLES),
    version: count,
    onlyShown: z.literal(true).optional(),
  }),
  z.object({
    kind: z.literal('tenant.changed'),
    tenant: id,
    state: z.enum(['active', 'disabled']),
    allow_guests: z.boolean(),
    version: count,
  }),
  z.object({
    kind: z.literal('member.changed'),
    room: id,
    user: id,
    role: roleSchema.nullable(),
    muted_until: z.string().nullable(),
    banned: z.boolean(),
    version: count,
    epoch: count,
    was: roleSchema.nullable().optional(),
  }),
  z.object({
    kind: z.literal('room.changed'),
    room: id,
    state: z.enum(['open', 'closed']),
    visibility: z.enum(['public', 'private', 'direct']),
    posting: z.enum(['members', 'moderators']),
    version: count,
    epoch: count,
    onlyShown: z.literal(true).optional(),
  }),
  z.object({ kind: z.literal('key.added'), kid: z.string() }),
  z.object({ kind: z.literal('key.withdrawn'), kid: z.string() }),
  z.object({ kind: z.literal('history.replaced'), history: z.string(), previous: z.string() }),
]) satisfies z.ZodType<AuthorityEvent>;

const loggedSchema = z.object({ n: count, event: eventSchema, prev: hash, hash });
const eventsSchema = z.array(
  z.union([loggedSchema, z.object({ n: z.null(), event: eventSchema })]),
) satisfies z.ZodType<NumberedEvent[]>;

const positionSchema = z.object({ history: id, n: count, hash }) satisfies z.ZodType<Position>;

const confirmationSchema = z.object({
  at: positionSchema,
  /**
   * Of the events it has just applied: one that is in the log proves that node and waiter mean the
   * same event.
   */
  hashes: z.array(hash),
  /** Connections closed, by event number. */
  closed: z.record(z.string().regex(/^\d{1,16}$/), count),
});

export type Confirmation = z.infer<typeof confirmationSchema> & { node: string };

export const readEvents = (value: unknown): NumberedEvent[] | undefined =>
  eventsSchema.safeParse(value).data;
export const readPosition = (value: unknown): Position | undefined =>
  positionSchema.safeParse(value).data;
export const readConfirmation = (value: unknown): z.infer<typeof confirmationSchema> | undefined =>
  confirmationSchema.safeParse(value).data;
