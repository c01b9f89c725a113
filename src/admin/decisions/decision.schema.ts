/** Decisions of the policy, explained: which rule, on which facts. */
import * as z from 'zod';
import { ERROR_CODES } from '@wardroom/protocol/codes';
import type { ErrorCode } from '@wardroom/protocol/codes';
import { rightSchema, roleSchema } from '@wardroom/protocol';
import { USER_ROLES } from '../../platform/stores/system-tenant.js';
import { idSchema } from '../../platform/text.js';
import { plainText } from '../../platform/zod.js';
import type { RoomAction } from '../../policy/decide-room.js';
import type { Facts } from '../../policy/facts.js';

/** Every action of the ladder; the compiler misses none. */
const ACTIONS = {
  read: true,
  subscribe: true,
  presence: true,
  mark_read: true,
  publish: true,
  signal: true,
  typing: true,
  react: true,
  edit: true,
  delete: true,
  pin: true,
  join: true,
  leave: true,
  accept_invite: true,
  add_member: true,
  moderate_member: true,
  change_role: true,
  manage_room: true,
} satisfies Record<RoomAction, true>;

const codeSchema = z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]);

export const factsSchema = z
  .object({
    room: z
      .object({
        id: z.uuid(),
        tenant_id: z.uuid(),
        visibility: z.enum(['public', 'private', 'direct']),
        posting: z.enum(['members', 'moderators']),
        open: z.boolean(),
        epoch: z.int(),
        version: z.int(),
      })
      .nullable(),
    member: z.object({
      role: roleSchema.nullable(),
      muted_until: z.iso.datetime().nullable(),
      banned: z.boolean(),
      version: z.int(),
    }),
    user: z.object({
      role: z.enum([...USER_ROLES, 'guest']),
      active: z.boolean(),
      version: z.int(),
    }),
  })
  .meta({ id: 'Facts' });

export const decisionSchema = z
  .object({
    id: z.uuid(),
    at: z.iso.datetime(),
    tenant: z.uuid(),
    user: z.uuid(),
    session: z.uuid(),
    room: z.string(),
    action: z.string(),
    rule: z.string(),
    code: codeSchema,
    facts: factsSchema,
    authority_position: z.int(),
  })
  .meta({ id: 'Decision' });
export type DecisionView = z.infer<typeof decisionSchema>;

export const explainQuerySchema = z.strictObject({
  user: idSchema,
  room: plainText(1, 64),
  action: z.enum(Object.keys(ACTIONS) as [RoomAction, ...RoomAction[]]),
});
export type ExplainQuery = z.infer<typeof explainQuerySchema>;

export const explanationSchema = z
  .object({
    allow: z.boolean(),
    rule: z.string(),
    code: codeSchema.nullable(),
    role: roleSchema.nullable(),
    can: z.array(rightSchema),
    facts: factsSchema,
  })
  .meta({ id: 'Explanation' });
export type Explanation = z.infer<typeof explanationSchema>;

export function viewOfFacts({ room, member, user }: Facts): z.infer<typeof factsSchema> {
  const { role, banned, version, mutedUntilMs } = member;
  return {
    room:
      room === null
        ? null
        : {
            id: room.id,
            tenant_id: room.tenantId,
            visibility: room.visibility,
            posting: room.posting,
            open: room.open,
            epoch: room.epoch,
            version: room.version,
          },
    member: {
      role,
      muted_until: mutedUntilMs === null ? null : new Date(mutedUntilMs).toISOString(),
      banned,
      version,
    },
    user: { role: user.role, active: user.active, version: user.version },
  };
}
