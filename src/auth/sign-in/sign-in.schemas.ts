/**
 * Bodies and answers of signing in, refreshing and signing out: types, validation and OpenAPI come
 * from here.
 */
import * as z from 'zod';
import { emailSchema } from '../../platform/email.js';
import { USER_ROLES } from '../../platform/stores/system-tenant.js';
import { leavesMark } from '../../platform/text.js';
import { plainText } from '../../platform/zod.js';

const NAME_CHARS_MAX = 100;
/** A person's name. */
export const personNameSchema = plainText(1, NAME_CHARS_MAX).refine(
  (name) => name.length > NAME_CHARS_MAX || leavesMark(name),
  'must not be blank',
);
/** Any Unicode; only its bytes are limited (passwords.ts). */
export const newPasswordSchema = plainText(8, 1024);
const givenPassword = plainText(1, 1024);
/** Which tenant somebody signs in to. */
export const tenantRef = plainText(1, 64).meta({ description: 'id or slug' });

export const device = plainText(1, 100)
  .optional()
  .meta({ description: 'shown in the list of sessions' });
export const transport = z
  .enum(['body', 'cookie'])
  .default('body')
  .meta({ description: '`cookie`: tokens go into cookies, not into the answer' });

export const loginBody = z
  .strictObject({
    tenant: tenantRef,
    email: emailSchema,
    password: givenPassword,
    device,
    transport,
  })
  .meta({ id: 'LoginRequest' });
export type LoginBody = z.infer<typeof loginBody>;

export const registerBody = z
  .strictObject({
    tenant: tenantRef,
    email: emailSchema,
    password: newPasswordSchema,
    name: personNameSchema.optional(),
    invite: plainText(1, 100).optional().meta({
      description: 'the code of an invitation; it counts also where registration is closed',
    }),
    device,
    transport,
  })
  .meta({ id: 'RegisterRequest' });
export type RegisterBody = z.infer<typeof registerBody>;

export const guestBody = z
  .strictObject({ tenant: tenantRef, device, transport })
  .meta({ id: 'GuestRequest' });
export type GuestBody = z.infer<typeof guestBody>;

export const refreshBody = z
  .strictObject({ refresh_token: z.string().min(1).max(512).optional() })
  .meta({ id: 'RefreshRequest' });
export type RefreshBody = z.infer<typeof refreshBody>;

export const logoutBody = z
  .strictObject({ scope: z.enum(['session', 'others', 'all']).default('session') })
  .meta({ id: 'LogoutRequest' });
export type LogoutBody = z.infer<typeof logoutBody>;

export const passwordBody = z
  .strictObject({ current: givenPassword, new: newPasswordSchema })
  .meta({ id: 'PasswordRequest' });
export type PasswordBody = z.infer<typeof passwordBody>;

export const stepUpBody = z.strictObject({ password: givenPassword }).meta({ id: 'StepUpRequest' });
export type StepUpBody = z.infer<typeof stepUpBody>;

export const proofSchema = z
  .strictObject({
    auth_time: z.iso.datetime().nullable().meta({
      description: 'when the person of this session last proved themselves; null: never',
    }),
    expires_in: z.int().min(0).nullable().meta({
      description:
        'seconds for which dangerous calls are not refused with `step_up_required`; null: they never are',
    }),
  })
  .meta({ id: 'Proof' });
export type ProofView = z.infer<typeof proofSchema>;

export const forgotBody = z
  .strictObject({ tenant: tenantRef, email: emailSchema })
  .meta({ id: 'ForgotRequest' });
export type ForgotBody = z.infer<typeof forgotBody>;

export const resetBody = z
  .strictObject({
    token: plainText(1, 100).meta({ description: 'from the fragment of the link' }),
    new: newPasswordSchema,
  })
  .meta({ id: 'ResetRequest' });
export type ResetBody = z.infer<typeof resetBody>;

export const meSchema = z
  .strictObject({
    user_id: z.uuid(),
    tenant_id: z.uuid(),
    session_id: z.uuid(),
    tenant: z.strictObject({ id: z.uuid(), slug: z.string(), name: z.string() }),
    role: z.enum([...USER_ROLES, 'guest']),
    email: z.string().nullable(),
    name: z.string().nullable(),
    avatar: z.string().nullable(),
    status: z.string().nullable(),
  })
  .meta({ id: 'Me' });
export type Me = z.infer<typeof meSchema>;
