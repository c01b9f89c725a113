/** Invitations into a tenant, as a new user (contract section 8). */
import * as z from 'zod';
import { codeFields, inviteFields, newInviteFields } from '../../auth/links/invite.schema.js';
import { emailSchema } from '../../platform/email.js';

export const newTenantInviteSchema = z
  .strictObject({
    ...newInviteFields,
    email: emailSchema.optional().meta({ description: 'the only address that may register by it' }),
  })
  .meta({ id: 'NewTenantInvite' });
export type NewTenantInvite = z.infer<typeof newTenantInviteSchema>;

const tenantInvite = { ...inviteFields, email: z.string().nullable() };
export const createdTenantInviteSchema = z
  .object({
    ...codeFields,
    ...tenantInvite,
    mailed: z.boolean().meta({ description: 'sent to the address, too' }),
  })
  .meta({ id: 'CreatedTenantInvite' });
export type CreatedTenantInvite = z.infer<typeof createdTenantInviteSchema>;

export const tenantInvitesSchema = z
  .object({
    items: z.array(z.object(tenantInvite).meta({ id: 'TenantInvite' })),
    next_cursor: z.null(),
  })
  .meta({ id: 'TenantInvites' });
export type TenantInvites = z.infer<typeof tenantInvitesSchema>;
