/** Invitations into a room (contract section 8). */
import * as z from 'zod';
import { codeFields, inviteFields, newInviteFields } from '../../auth/links/invite.schema.js';

/** Nobody is made an owner by a link. */
const invitedRoleSchema = z.enum(['viewer', 'member', 'moderator']);

export const newRoomInviteSchema = z
  .strictObject({ ...newInviteFields, role: invitedRoleSchema.default('member') })
  .meta({ id: 'NewRoomInvite' });
export type NewRoomInvite = z.infer<typeof newRoomInviteSchema>;

const roomInvite = { ...inviteFields, role: invitedRoleSchema };
export const createdRoomInviteSchema = z
  .object({ ...codeFields, ...roomInvite })
  .meta({ id: 'CreatedRoomInvite' });
export type CreatedRoomInvite = z.infer<typeof createdRoomInviteSchema>;

export const roomInvitesSchema = z
  .object({
    items: z.array(z.object(roomInvite).meta({ id: 'RoomInvite' })),
    next_cursor: z.null(),
  })
  .meta({ id: 'RoomInvites' });
export type RoomInvites = z.infer<typeof roomInvitesSchema>;
