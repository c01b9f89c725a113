/** Invitations as REST takes and shows them; those of rooms and of tenants add their own fields. */
import * as z from 'zod';

const USES_MAX = 100_000;
const SECONDS_MIN = 60;
const SECONDS_MAX = 90 * 86_400;
const SECONDS_DEFAULT = 7 * 86_400;

export const newInviteFields = {
  max_uses: z.int().min(1).max(USES_MAX).optional().meta({ description: 'absent: no limit' }),
  expires_in: z
    .int()
    .min(SECONDS_MIN)
    .max(SECONDS_MAX)
    .default(SECONDS_DEFAULT)
    .meta({ description: 'seconds' }),
};

export const inviteFields = {
  id: z.uuid(),
  max_uses: z.int().nullable(),
  uses: z.int(),
  expires_at: z.iso.datetime(),
  created_by: z.uuid(),
  created_at: z.iso.datetime(),
};

/** Shown once: only a hash of the code is kept. */
export const codeFields = {
  code: z.string().meta({ description: 'shown once' }),
  url: z.url().meta({ description: 'a page with the code in its fragment' }),
};

/** Withdrawn by its id, or by the code. */
export const withdrawnSchema = z.object({ id: z.uuid() }).meta({ id: 'WithdrawnInvite' });
export type Withdrawn = z.infer<typeof withdrawnSchema>;
