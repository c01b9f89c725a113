/** The object of a revocation: exactly one thing, with a reason for the log. */
import * as z from 'zod';
import { idSchema } from '../../platform/text.js';
import { plainText } from '../../platform/zod.js';

export const reasonSchema = plainText(1, 500).meta({ description: 'why; for the audit' });

const TARGETS = ['session', 'user', 'tenant', 'key'] as const;

export const revocationSchema = z
  .strictObject({
    session: idSchema.optional(),
    user: idSchema.optional(),
    tenant: plainText(1, 64).optional().meta({ description: 'id or slug' }),
    key: plainText(1, 128).optional().meta({ description: 'kid of a signing key' }),
    issued_before: z.iso
      .datetime({ offset: true })
      .optional()
      .meta({ description: 'spares sessions created at or after this time; for a user or tenant' }),
    reason: reasonSchema,
  })
  .refine((input) => TARGETS.filter((target) => input[target] !== undefined).length === 1, {
    message: 'exactly one of session, user, tenant and key',
  })
  .refine(
    (input) =>
      input.issued_before === undefined ||
      input.session !== undefined ||
      input.user !== undefined ||
      input.tenant !== undefined,
    {
      message: 'a withdrawn key ends everything it signed',
      path: ['issued_before'],
    },
  )
  .meta({
    id: 'Revocation',
    examples: [{ user: '01a1f0c2-7b3e-7c55-9f0e-2d9b6a1c4e01', reason: 'lost laptop' }],
  });
export type Revocation = z.infer<typeof revocationSchema>;
