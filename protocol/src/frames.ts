/**
 * The frames of protocol `wardroom.v1`: the only source for types, validation, AsyncAPI, docs and
 * SDK signatures. Text frames, one JSON object each, snake_case. Times are RFC 3339 UTC, durations
 * `*_ms` relative to now. Source: contract section 5.
 */
import * as z from 'zod';
import { ACTIONS, CLOSE_CODES, ERROR_CODES, UNSUBSCRIBE_CODES } from './codes.js';
import type { Action, CloseCode, ErrorCode, UnsubscribeCode } from './codes.js';
import { LIMITS } from './limits.js';

const keysOf = <K extends string>(table: Record<K, unknown>) =>
  z.enum(Object.keys(table) as [K, ...K[]]);

const action = keysOf<Action>(ACTIONS);
const uuid = z.uuid();
const at = z.iso.datetime();
const ms = z.int().min(0);
const count = z.int().min(0);
export const seqSchema = z.int().min(0);
/** Which past of a room a `seq` belongs to; opaque. */
export const epochSchema = z.string().min(1).max(LIMITS.epochChars);

/**
 * Any JSON value: it was parsed from text, and depth and size are checked on the raw frame before
 * this schema sees it.
 */
export const bodySchema = z
  .unknown()
  .refine((body) => body !== undefined, 'is required')
  .meta({ description: `any JSON value, at most ${LIMITS.bodyBytes} bytes` });
export const opIdSchema = z.string().min(1).max(LIMITS.opIdChars);
export const kindSchema = z.string().min(1).max(LIMITS.kindChars);
/** Users of the room, or everybody in it (moderators and up). */
export const mentionsSchema = z.union([
  z.array(uuid).min(1).max(LIMITS.mentions),
  z.literal('room'),
]);
export const emojiSchema = z.string().min(1).max(LIMITS.emojiChars);
/** A room is named by id or slug on the way in. */
export const roomRefSchema = z.string().min(1).max(64);
export const roleSchema = z.enum(['owner', 'moderator', 'member', 'viewer']);
export const rightSchema = z.enum([
  'read',
  'presence',
  'publish',
  'signal',
  'typing',
  'react',
  'edit_own',
  'delete_own',
  'delete_any',
  'manage_members',
  'manage_room',
]);
export type Role = z.infer<typeof roleSchema>;
export type Right = z.infer<typeof rightSchema>;

const id = z.string().min(1).max(LIMITS.frameIdChars).optional();
const frame = <T extends string, S extends z.ZodRawShape>(type: T, shape: S) =>
  z.strictObject({ type: z.literal(type), ...shape });
const asked = <T extends string, S extends z.ZodRawShape>(type: T, shape: S) =>
  frame(type, { id, ...shape });

const credential = {
  token: z.string().min(1).max(LIMITS.tokenBytes).optional(),
  ticket: z.string().min(1).max(256).optional(),
};
const exactlyOne = (value: { token?: string | undefined; ticket?: string | undefined }) =>
  (value.token === undefined) !== (value.ticket === undefined);
const oneCredential = { message: 'exactly one of token and ticket' };
const authFrame = <T extends string>(type: T) =>
  asked(type, credential)
    .refine(exactlyOne, oneCredential)
    .meta({ examples: [{ type, id: '1', token: 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9...' }] });

/**
 * Client to server. A new frame also needs, in the server: a row in `FRAME_BUDGETS`
 * (src/budgets/budgets.ts) and `ACTION_OF` (src/gateway/frames/frame.guard.ts), a `case` in
 * chat.gateway.ts (the linter finds a missing one, the compiler does not), its answer in `REPLIES`
 * (src/api-docs/asyncapi.ts), and a `RoomAction` if it is a new right; in the SDK a method of
 * sdk/src/room/room.ts; then `npm run docs`.
 */
export const CLIENT_FRAMES = {
  auth: authFrame('auth'),
  auth_refresh: authFrame('auth_refresh'),
  subscribe: asked('subscribe', {
    room: roomRefSchema,
    since: seqSchema.optional(),
    epoch: epochSchema.optional(),
  }),
  unsubscribe: asked('unsubscribe', { room: roomRefSchema }),
  publish: asked('publish', {
    room: roomRefSchema,
    op_id: opIdSchema,
    body: bodySchema,
    kind: kindSchema.optional(),
    reply_to: uuid.optional(),
    mentions: mentionsSchema.optional(),
  }),
  edit: asked('edit', {
    room: roomRefSchema,
    message_id: uuid,
    body: bodySchema,
    op_id: opIdSchema.optional(),
  }),
  delete: asked('delete', { room: roomRefSchema, message_id: uuid }),
  react: asked('react', {
    room: roomRefSchema,
    message_id: uuid,
    emoji: emojiSchema,
    on: z.boolean(),
  }),
  signal: asked('signal', { room: roomRefSchema, kind: kindSchema, body: bodySchema }),
  typing: asked('typing', { room: roomRefSchema, on: z.boolean() }),
  read: asked('read', { room: roomRefSchema, seq: seqSchema }),
  presence: asked('presence', { room: roomRefSchema }),
  watch: asked('watch', {}),
  ping: asked('ping', {}),
} as const;

const authContext = {
  session_id: uuid,
  user_id: uuid,
  tenant_id: uuid,
  expires_in_ms: ms,
  refresh_after_ms: ms,
  refresh_before_ms: ms,
  server_time_ms: ms,
};
const roomEvent = { room: uuid, seq: seqSchema, message_id: uuid, sender: uuid, at };

/** Server to client. */
export const SERVER_FRAMES = {
  hello: frame('hello', {
    connection_id: uuid,
    server_time_ms: ms,
    auth_deadline_ms: ms,
    heartbeat_ms: ms,
    protocol: z.string(),
  }),
  auth_ok: asked('auth_ok', authContext),
  auth_expiring_soon: frame('auth_expiring_soon', { expires_in_ms: ms, refresh_after_ms: ms }),
  auth_expired: frame('auth_expired', { grace_ms: ms }),
  auth_error: asked('auth_error', {
    code: keysOf<ErrorCode>(ERROR_CODES),
    message: z.string(),
    action,
    retry_after_ms: ms.optional(),
    decision_id: uuid.optional(),
  }),
  error: asked('error', {
    code: keysOf<ErrorCode>(ERROR_CODES),
    message: z.string(),
    action,
    retry_after_ms: ms.optional(),
    decision_id: uuid.optional(),
  }),
  subscribed: asked('subscribed', {
    room: uuid,
    seq: seqSchema,
    epoch: epochSchema,
    role: roleSchema.nullable(),
    can: z.array(rightSchema),
    recovered: z.boolean(),
    replayed: count,
    reset: z.literal(true).optional(),
  }),
  reset: frame('reset', {
    room: uuid,
    epoch: epochSchema,
    seq: seqSchema,
    lost: z.strictObject({ from: seqSchema, to: seqSchema }).optional(),
  }),
  unsubscribed: asked('unsubscribed', {
    room: uuid,
    code: keysOf<UnsubscribeCode>(UNSUBSCRIBE_CODES),
    action,
  }),
  ack: asked('ack', {
    room: uuid,
    op_id: opIdSchema.optional(),
    message_id: uuid.optional(),
    seq: seqSchema.optional(),
    at: at.optional(),
    duplicate: z.boolean().optional(),
  }),
  message: frame('message', {
    ...roomEvent,
    n: seqSchema,
    kind: kindSchema,
    body: bodySchema,
    op_id: opIdSchema,
    reply_to: uuid.optional(),
    mentions: mentionsSchema.optional(),
  }),
  message_edited: frame('message_edited', { ...roomEvent, body: bodySchema }),
  message_deleted: frame('message_deleted', roomEvent),
  reaction: frame('reaction', { ...roomEvent, emoji: emojiSchema, on: z.boolean() }),
  pinned: frame('pinned', { ...roomEvent, on: z.boolean() }),
  signal: frame('signal', { room: uuid, sender: uuid, kind: kindSchema, body: bodySchema }),
  typing: frame('typing', { room: uuid, sender: uuid, on: z.boolean() }),
  read: frame('read', { room: uuid, sender: uuid, seq: seqSchema }),
  presence: asked('presence', {
    room: uuid,
    count,
    joined: z.array(uuid).optional(),
    left: z.array(uuid).optional(),
    users: z.array(uuid).optional(),
  }),
  watching: asked('watching', { rooms: count, more: z.literal(true).optional() }),
  activity: frame('activity', {
    room: uuid,
    n: seqSchema,
    seq: seqSchema,
    sender: uuid,
    unread: count,
    mentions: count,
    at,
  }),
  rooms_changed: frame('rooms_changed', {
    room: uuid,
    change: z.enum(['added', 'removed', 'updated', 'role']),
  }),
  member: frame('member', {
    room: uuid,
    user: uuid,
    change: z.enum(['joined', 'left', 'role', 'renamed']),
    role: roleSchema.nullable(),
    name: z.string().optional(),
  }),
  access: frame('access', { room: uuid, role: roleSchema.nullable(), can: z.array(rightSchema) }),
  paused: frame('paused', { code: z.literal('auth_unavailable') }),
  resumed: frame('resumed', { code: z.literal('auth_unavailable') }),
  goodbye: frame('goodbye', {
    code: keysOf<CloseCode>(CLOSE_CODES),
    action,
    retry_after_ms: ms.optional(),
    close_id: z.string(),
    message: z.string(),
  }),
  pong: asked('pong', { server_time_ms: ms }),
} as const;

type FramesOf<T extends Record<string, z.ZodType>> = { [K in keyof T]: z.infer<T[K]> };
export type ClientFrames = FramesOf<typeof CLIENT_FRAMES>;
export type ServerFrames = FramesOf<typeof SERVER_FRAMES>;
export type ClientFrameType = keyof ClientFrames;
export type ServerFrameType = keyof ServerFrames;
export type ClientFrame = ClientFrames[ClientFrameType];
export type ServerFrame = ServerFrames[ServerFrameType];
/** Durable room events: they share one `seq` per room and are covered by `since`. */
export type RoomEventFrame = ServerFrames[
  'message' | 'message_edited' | 'message_deleted' | 'reaction' | 'pinned'];

/** JSON of a close reason: `{code, action, close_id, retry_after_ms?}`, at most 123 bytes. */
export const closeReasonSchema = z.strictObject({
  code: keysOf<CloseCode>(CLOSE_CODES),
  action,
  close_id: z.string(),
  retry_after_ms: ms.optional(),
});
