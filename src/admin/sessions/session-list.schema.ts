/** Sessions as operators and admins look for them. Source: docs/contract.md, section 10. */
import * as z from 'zod';
import { isAddress, plainAddress } from '../../platform/http/client-address.js';
import { idSchema } from '../../platform/text.js';
import { pageFields, plainText } from '../../platform/zod.js';
import { sessionSchema } from '../../sessions/session.schema.js';

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

export const sessionsQuerySchema = z.strictObject({
  ...pageFields,
  state: z.enum(['live', 'ended', 'all']).default('live'),
  q: plainText(1, 100).optional().meta({
    description:
      "the beginning of the user's e-mail address or name, or the id of a session or user",
  }),
  tenant: plainText(1, 64).optional().meta({ description: 'id or slug' }),
  user: idSchema.optional(),
  device: plainText(1, 100).optional().meta({ description: 'its whole name' }),
  ip: z
    .string()
    .max(64)
    .refine(isAddress, 'must be an IP address')
    .transform(plainAddress)
    .optional()
    .meta({ description: 'the address of the login' }),
  before: time.optional().meta({ description: 'began before' }),
  after: time.optional().meta({ description: 'began at or after' }),
});
export type SessionsQuery = z.infer<typeof sessionsQuerySchema>;

export const listedSessionSchema = sessionSchema
  .extend({
    state: z.enum(['live', 'ended']),
    user: z
      .strictObject({ id: z.uuid(), name: z.string().nullable(), email: z.string().nullable() })
      .meta({ description: 'a guest has neither name nor address' }),
    ip: z.string().nullable().meta({ description: 'of the login' }),
    user_agent: z.string().nullable().meta({ description: 'of the login' }),
    connections: z.int().min(0).meta({ description: 'live ones, of the nodes that answered' }),
    idle_ends_at: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'when it ends without activity; null: never' }),
    ended_at: z.iso.datetime().nullable(),
    reason: z.string().nullable().meta({ description: 'why it ended, as in `session_expired`' }),
    ended_by: z
      .uuid()
      .nullable()
      .meta({ description: 'the user who ended it; null: nobody known, or the system' }),
    receipt: z.uuid().nullable().meta({ description: '`GET /v1/receipts/{id}` answers for a day' }),
  })
  .meta({ id: 'ListedSession' });
export type ListedSession = z.infer<typeof listedSessionSchema>;

export const listedSessionPageSchema = z
  .strictObject({
    items: z.array(listedSessionSchema),
    partial: z.array(z.uuid()).meta({
      description: 'nodes whose connections are not counted: they did not answer in 50 ms',
    }),
    next_cursor: z.string().nullable().meta({
      description:
        'not null on a short page: rows that several filters leave out are read in pieces',
    }),
  })
  .meta({ id: 'ListedSessionPage' });
export type ListedSessionPage = z.infer<typeof listedSessionPageSchema>;
