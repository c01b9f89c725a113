/** Rooms as REST takes and shows them. */
import * as z from 'zod';
import { rightSchema, roleSchema, seqSchema } from '@wardroom/protocol';
import { receiptSchema } from '../authority/receipt.schema.js';
import { LIMITS } from '@wardroom/protocol/limits';
import { idSchema, nameSchema, slugSchema } from '../platform/text.js';
import { plainText, recordOf } from '../platform/zod.js';
import { isOfTheServer } from './events/require-kind.js';

const postingSchema = z.enum(['members', 'moderators']);
const KIND_RULES_MAX = 20;
const topicSchema = plainText(1, 250).nullable();
const descriptionSchema = plainText(1, 4_000).nullable();
const kindsSchema = recordOf(plainText(1, LIMITS.kindChars), roleSchema)
  .refine((rules) => Object.keys(rules).length <= KIND_RULES_MAX, {
    message: `at most ${KIND_RULES_MAX} rules`,
  })
  .refine((rules) => !Object.keys(rules).some(isOfTheServer), {
    message: '`system` is of the server',
  })
  .meta({ description: 'prefix of a kind: the least role that may publish or signal it' });

export const roomSchema = z
  .object({
    id: z.uuid(),
    tenant_id: z.uuid(),
    slug: z.string().nullable(),
    name: z.string(),
    visibility: z.enum(['public', 'private', 'direct']),
    posting: postingSchema,
    topic: topicSchema,
    description: descriptionSchema,
    archived: z.boolean().meta({ description: 'everybody reads, nobody writes' }),
    kinds: kindsSchema,
    seq: seqSchema.meta({ description: 'seq of the last durable event' }),
    role: roleSchema
      .nullable()
      .meta({ description: "the caller's own; null for a reader who is no member" }),
    can: z.array(rightSchema).meta({ description: 'what the caller may do' }),
    members_count: z.int().min(0).optional().meta({ description: 'not in lists' }),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Room' });
export type Room = z.infer<typeof roomSchema>;
export const roomPageSchema = z
  .object({ items: z.array(roomSchema), next_cursor: z.string().nullable() })
  .meta({ id: 'RoomPage' });
export type RoomPage = z.infer<typeof roomPageSchema>;

const groupRoom = {
  name: nameSchema,
  slug: slugSchema.optional(),
  posting: postingSchema.default('members'),
};

/** A direct room names the other person; its two members are fixed. */
export const newRoomSchema = z
  .discriminatedUnion('visibility', [
    z.strictObject({ visibility: z.literal('public'), ...groupRoom }),
    z.strictObject({ visibility: z.literal('private'), ...groupRoom }),
    z.strictObject({
      visibility: z.literal('direct'),
      members: z.array(idSchema).min(1).max(2),
      name: nameSchema.optional(),
    }),
  ])
  .meta({ id: 'NewRoom' });
export type NewRoom = z.infer<typeof newRoomSchema>;
export type NewGroupRoom = Exclude<NewRoom, { visibility: 'direct' }>;
export type NewDirectRoom = Extract<NewRoom, { visibility: 'direct' }>;

export const roomPatchSchema = z
  .strictObject({
    name: nameSchema.optional(),
    slug: slugSchema.nullable().optional(),
    visibility: z.enum(['public', 'private']).optional(),
    posting: postingSchema.optional(),
    topic: topicSchema.optional(),
    description: descriptionSchema.optional(),
    archived: z.boolean().optional(),
    kinds: kindsSchema.optional(),
  })
  .meta({ id: 'RoomPatch' });
export type RoomPatch = z.infer<typeof roomPatchSchema>;

export const changedRoomSchema = z
  .object({ room: roomSchema, receipt: receiptSchema.nullable() })
  .meta({ id: 'ChangedRoom' });
export type ChangedRoom = z.infer<typeof changedRoomSchema>;
