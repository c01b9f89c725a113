/** Signing keys as operators see them; the private half never leaves the database unwrapped. */
import { z } from 'zod';

export const keySchema = z
  .object({
    kid: z.string(),
    alg: z.string(),
    created_at: z.iso.datetime(),
    signs_from: z.iso.datetime(),
    retired_at: z.iso.datetime().nullable(),
    withdrawn_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'SigningKey' });
export const keyListSchema = z.object({ items: z.array(keySchema), next_cursor: z.null() }).meta({ id: 'SigningKeyList' });
export type KeyList = z.infer<typeof keyListSchema>;
