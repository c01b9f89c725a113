/**
 * Queries of admin-queries.ts, and signing keys as operators see them: never with a private half.
 */
import * as z from 'zod';
import { idSchema } from '../platform/text.js';
import { pageFields, plainText } from '../platform/zod.js';

export const sessionsQuerySchema = z.strictObject({
  ...pageFields,
  tenant: plainText(1, 64).optional().meta({ description: 'id or slug' }),
  user: idSchema.optional(),
});
export type SessionsQuery = z.infer<typeof sessionsQuerySchema>;

const keySchema = z
  .object({
    kid: z.string(),
    alg: z.string(),
    state: z.enum(['announced', 'signing', 'verifying', 'retired', 'withdrawn']).meta({
      description:
        '`verifying`: retired, but tokens it signed may be alive; `retired`: they are not',
    }),
    created_at: z.iso.datetime(),
    signs_from: z.iso.datetime(),
    retired_at: z.iso.datetime().nullable(),
    withdrawn_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'SigningKey' });
export const keyListSchema = z
  .object({ items: z.array(keySchema), next_cursor: z.null() })
  .meta({ id: 'SigningKeyList' });
export type KeyList = z.infer<typeof keyListSchema>;
