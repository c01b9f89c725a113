/**
 * Users as operators and admins create, change and see them. Which roles a tenant has is decided by
 * policy/decide-admin.ts.
 */
import * as z from 'zod';
import { personNameSchema, newPasswordSchema } from '../../auth/sign-in/sign-in.schemas.js';
import { receiptSchema } from '../../authority/receipt.schema.js';
import { emailSchema } from '../../platform/email.js';
import { PERSON_ROLES } from '../../platform/stores/system-tenant.js';

const stateSchema = z.enum(['active', 'suspended']);
const roleSchema = z.enum(PERSON_ROLES);

export const userSchema = z
  .object({
    id: z.uuid(),
    tenant_id: z.uuid(),
    email: z.string(),
    name: z.string(),
    role: roleSchema,
    state: stateSchema,
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'User' });
export type UserView = z.infer<typeof userSchema>;

export const userPageSchema = z
  .object({ items: z.array(userSchema), next_cursor: z.string().nullable() })
  .meta({ id: 'UserPage' });
export type UserPage = z.infer<typeof userPageSchema>;

export const newUserSchema = z
  .strictObject({
    email: emailSchema,
    password: newPasswordSchema,
    name: personNameSchema,
    role: roleSchema.default('member'),
  })
  .meta({ id: 'NewUser' });
export type NewUser = z.infer<typeof newUserSchema>;

export const userPatchSchema = z
  .strictObject({
    state: stateSchema.optional(),
    role: roleSchema.optional(),
    name: personNameSchema.optional(),
  })
  .meta({ id: 'UserPatch' });
export type UserPatch = z.infer<typeof userPatchSchema>;

export const changedUserSchema = z
  .object({ user: userSchema, receipt: receiptSchema.nullable() })
  .meta({ id: 'ChangedUser' });
export type ChangedUser = z.infer<typeof changedUserSchema>;
