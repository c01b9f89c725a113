/** One's own rooms as a list shows them (contract section 8). */
import * as z from 'zod';
import { seqSchema } from '@wardroom/protocol';
import { pageFields } from '../../platform/zod.js';
import { roomSchema } from '../room.schema.js';

const countSchema = z.int().min(0);
const notifySchema = z.enum(['all', 'mentions', 'none']);

/** Bytes of a body that the list shows whole. */
export const SHOWN_BODY_BYTES = 2_048;
/** Characters of a message's text that the list shows of any. */
export const SHOWN_TEXT_CHARS = 200;

export const lastMessageSchema = z
  .object({
    message_id: z.uuid(),
    seq: seqSchema,
    n: seqSchema,
    sender: z.uuid(),
    kind: z.string(),
    at: z.iso.datetime(),
    edited_at: z.iso.datetime().nullable(),
    deleted_at: z.iso.datetime().nullable(),
    body: z.unknown().meta({
      description: `any JSON value; null when deleted or over ${SHOWN_BODY_BYTES} bytes`,
    }),
    text: z
      .string()
      .nullable()
      .meta({
        description: `the first ${SHOWN_TEXT_CHARS} characters of a body that is a string, or of its member \`text\``,
      }),
  })
  .meta({ id: 'LastMessage' });

export const sidebarItemSchema = z
  .object({
    room: roomSchema,
    last_message: lastMessageSchema.nullable(),
    last_n: countSchema.meta({ description: 'messages of the room so far' }),
    read_n: countSchema.meta({ description: 'messages up to where the caller has read' }),
    unread: countSchema.meta({ description: 'last_n - read_n' }),
    mentions: countSchema.meta({ description: 'unread messages that mention the caller' }),
    favourite: z.boolean(),
    notify: notifySchema,
    peer: z
      .object({ id: z.uuid(), name: z.string() })
      .nullable()
      .meta({ description: 'the other user of a direct room' }),
  })
  .meta({ id: 'SidebarItem' });
export type SidebarItem = z.infer<typeof sidebarItemSchema>;
export const sidebarSchema = z
  .object({ items: z.array(sidebarItemSchema), next_cursor: z.string().nullable() })
  .meta({ id: 'Sidebar' });
export type Sidebar = z.infer<typeof sidebarSchema>;

/** `<milliseconds of the last activity>_<room>` of the item before. */
const cursorSchema = z
  .string()
  .regex(/^\d{1,15}_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'a `next_cursor` of this list');
export const sidebarQuerySchema = z.strictObject({
  limit: pageFields.limit,
  cursor: cursorSchema.optional(),
});
export type SidebarQuery = z.infer<typeof sidebarQuerySchema>;

export const sidebarPatchSchema = z
  .strictObject({ favourite: z.boolean().optional(), notify: notifySchema.optional() })
  .refine(({ favourite, notify }) => favourite !== undefined || notify !== undefined, {
    message: 'favourite, notify or both',
  })
  .meta({ id: 'SidebarPatch' });
export type SidebarPatch = z.infer<typeof sidebarPatchSchema>;
