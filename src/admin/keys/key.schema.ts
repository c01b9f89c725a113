/** Signing keys as operators see them: never with a private half. */
import * as z from 'zod';
import { receiptSchema } from '../../authority/receipt.schema.js';
import { reasonSchema } from '../revocations/revocation.schema.js';

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

export type KeyView = z.infer<typeof keySchema>;

export const rotationSchema = z.strictObject({ reason: reasonSchema }).meta({ id: 'KeyRotation' });
export type Rotation = z.infer<typeof rotationSchema>;

export const rotatedKeySchema = z
  .object({ key: keySchema, receipt: receiptSchema.nullable() })
  .meta({ id: 'RotatedKey' });
export type RotatedKey = z.infer<typeof rotatedKeySchema>;
