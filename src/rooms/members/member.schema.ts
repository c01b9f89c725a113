/** Members as REST takes and shows them. */
import * as z from 'zod';
import { roleSchema } from '@wardroom/protocol';
import { receiptSchema } from '../../authority/receipt.schema.js';
import { idSchema } from '../../platform/text.js';

export const memberSchema = z
  .object({
    room_id: z.uuid(),
    user_id: z.uuid(),
    name: z.string(),
    role: roleSchema.nullable().meta({ description: 'null: banned without being a member' }),
    muted_until: z.iso.datetime().nullable(),
    banned: z.boolean(),
    version: z.int().min(1).meta({ description: 'grows with every change' }),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Member' });
export type Member = z.infer<typeof memberSchema>;
export const memberPageSchema = z
  .object({ items: z.array(memberSchema), next_cursor: z.string().nullable() })
  .meta({ id: 'MemberPage' });
export type MemberPage = z.infer<typeof memberPageSchema>;

export const newMemberSchema = z
  .strictObject({ user: idSchema, role: roleSchema.default('member') })
  .meta({ id: 'NewMember' });
export type NewMember = z.infer<typeof newMemberSchema>;

export const memberPatchSchema = z
  .strictObject({
    role: roleSchema.optional(),
    muted_until: z.iso.datetime({ offset: true }).nullable().optional(),
    banned: z.boolean().optional(),
  })
  .meta({ id: 'MemberPatch' });
export type MemberPatch = z.infer<typeof memberPatchSchema>;

export const changedMemberSchema = z
  .object({ member: memberSchema, receipt: receiptSchema.nullable() })
  .meta({ id: 'ChangedMember' });
export type ChangedMember = z.infer<typeof changedMemberSchema>;
