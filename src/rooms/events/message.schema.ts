/** Messages as REST takes and shows them; publishing here is the same as over a WebSocket. */
import * as z from 'zod';
import { epochSchema, mentionsSchema, seqSchema } from '@wardroom/protocol';
import { LIMITS } from '@wardroom/protocol/limits';
import { jsonTrouble } from '../../platform/text.js';
import { pageFields, plainText } from '../../platform/zod.js';

/**
 * Depth and forbidden characters are checked before anything recurses into the value; its size in
 * messages.controller.ts.
 */
const body = z
  .unknown()
  .superRefine((value, context) => {
    const trouble = value === undefined ? 'is required' : jsonTrouble(value);
    if (trouble !== null) context.addIssue(trouble);
  })
  .meta({ description: `any JSON value, at most ${LIMITS.bodyBytes} bytes` });
const seqField = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional();

export const opIdText = plainText(1, LIMITS.opIdChars);

export const newMessageSchema = z
  .strictObject({
    body,
    kind: plainText(1, LIMITS.kindChars).optional(),
    reply_to: z.uuid().optional(),
    mentions: mentionsSchema.optional(),
  })
  .meta({ id: 'NewMessage' });
export type NewMessage = z.infer<typeof newMessageSchema>;

export const messagePatchSchema = z
  .strictObject({ body, op_id: opIdText.optional() })
  .meta({ id: 'MessagePatch' });
export type MessagePatch = z.infer<typeof messagePatchSchema>;

/**
 * `cursor` continues in the direction of the page before: with `after` towards the newest, else
 * towards the oldest.
 */
export const historyQuerySchema = z.strictObject({
  before: seqField,
  after: seqField,
  /** Messages on both sides of a seq. */
  around: seqField,
  /** Replies to a message. */
  thread: z.uuid().optional(),
  limit: pageFields.limit,
  cursor: seqField,
});
export type HistoryPageQuery = z.infer<typeof historyQuerySchema>;

export const messageSchema = z
  .object({
    message_id: z.uuid(),
    room: z.uuid(),
    seq: seqSchema,
    n: seqSchema.meta({ description: 'its number among the messages of the room' }),
    sender: z.uuid(),
    kind: z.string(),
    op_id: z.string(),
    body: z.unknown().meta({ description: 'any JSON value; null when deleted' }),
    at: z.iso.datetime(),
    edited_at: z.iso.datetime().nullable(),
    deleted_at: z.iso.datetime().nullable(),
    reply_to: z.uuid().nullable(),
    mentions: mentionsSchema.nullable(),
    reactions: z.array(
      z.object({
        emoji: z.string(),
        count: z.int().min(1),
        users: z.array(z.uuid()).max(LIMITS.reactionUsers),
      }),
    ),
  })
  .meta({ id: 'Message' });
export type Message = z.infer<typeof messageSchema>;
export const messagePageSchema = z
  .object({
    items: z.array(messageSchema),
    next_cursor: z.string().nullable(),
    epoch: epochSchema,
    seq: seqSchema.meta({ description: 'the last durable event that the page shows' }),
  })
  .meta({ id: 'MessagePage' });
export type MessagePage = z.infer<typeof messagePageSchema>;

export const publishAckSchema = z
  .object({
    room: z.uuid(),
    op_id: z.string(),
    message_id: z.uuid(),
    seq: seqSchema,
    at: z.iso.datetime(),
    duplicate: z.boolean(),
  })
  .meta({ id: 'PublishAck' });

export const changeAckSchema = z
  .object({ room: z.uuid(), message_id: z.uuid(), seq: seqSchema })
  .meta({ id: 'ChangeAck' });

const editSchema = z
  .object({
    seq: seqSchema,
    sender: z.uuid(),
    at: z.iso.datetime(),
    body: z.unknown().meta({ description: 'any JSON value' }),
  })
  .meta({ id: 'Edit' });
export type Edit = z.infer<typeof editSchema>;
export const editListSchema = z
  .object({
    items: z.array(editSchema).meta({ description: 'oldest first; the first is no edit' }),
  })
  .meta({ id: 'EditList' });
export type EditList = z.infer<typeof editListSchema>;

export const pinListSchema = z
  .object({
    items: z.array(
      z.object({ message: messageSchema, pinned_by: z.uuid(), pinned_at: z.iso.datetime() }),
    ),
  })
  .meta({ id: 'PinList' });
export type PinList = z.infer<typeof pinListSchema>;

const SEARCH_CHARS = 200;
const SEARCH_ITEMS = 50;
export const searchQuerySchema = z.strictObject({
  q: plainText(1, SEARCH_CHARS),
  room: plainText(1, 64).optional(),
  sender: z.uuid().optional(),
  before: z.iso.datetime().optional(),
  after: z.iso.datetime().optional(),
  limit: z.coerce.number().int().min(1).max(SEARCH_ITEMS).default(20),
  cursor: z.uuid().optional(),
});
export type SearchQuery = z.infer<typeof searchQuerySchema>;
export const searchPageSchema = z
  .object({
    items: z.array(
      z.object({
        message: messageSchema,
        ranges: z
          .array(z.object({ from: z.int().min(0), to: z.int().min(0) }))
          .meta({ description: 'the words found, in UTF-16 units of the text of the body' }),
      }),
    ),
    next_cursor: z.string().nullable(),
  })
  .meta({ id: 'SearchPage' });
export type SearchPage = z.infer<typeof searchPageSchema>;
