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
export const messagePageSchema = z
  .object({ items: z.array(messageSchema), next_cursor: z.string().nullable(), epoch: epochSchema })
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
