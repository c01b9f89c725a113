/** History, and publishing without a WebSocket: the same pipeline, the same answers. */
import { Controller, Delete, Get, Headers, Patch, Post, Res } from '@nestjs/common';
import type { Response } from 'express';
import { LIMITS } from '@wardroom/protocol/limits';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { DomainError } from '../../platform/errors.js';
import { Operation } from '../../platform/http/operation.js';
import { newId } from '../../platform/ids.js';
import { IdParam, RefParam } from '../../platform/http/path.js';
import { ZodBody, ZodQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { FindMessages } from './find-messages.js';
import { History } from './history.js';
import {
  changeAckSchema,
  editListSchema,
  historyQuerySchema,
  messagePageSchema,
  messagePatchSchema,
  messageSchema,
  newMessageSchema,
  opIdText,
  publishAckSchema,
} from './message.schema.js';
import type {
  EditList,
  HistoryPageQuery,
  Message,
  MessagePage,
  MessagePatch,
  NewMessage,
} from './message.schema.js';
import { RoomEvents } from './room-events.js';
import type { ChangeAck, PublishAck } from './room-events.js';

const KEY = { 'Idempotency-Key': 'the `op_id`: the same key and content have one effect' };

@Controller('v1/rooms/:room/messages')
export class MessagesController {
  constructor(
    private readonly history: History,
    private readonly found: FindMessages,
    private readonly events: RoomEvents,
  ) {}

  @Get()
  @Operation({
    summary: 'history, newest first; with `after` oldest first',
    answers: { 200: messagePageSchema },
  })
  page(
    @RefParam('room') room: string,
    @ZodQuery(historyQuerySchema) query: HistoryPageQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<MessagePage> {
    const { before, after, around, thread, limit, cursor } = query;
    if (around !== undefined && cursor === undefined) {
      if (before !== undefined || after !== undefined || thread !== undefined)
        throw new DomainError('invalid_request', {
          errors: [{ path: 'around', message: 'goes with limit alone' }],
        });
      return this.history.around(principal, room, around, limit);
    }
    const from =
      after === undefined ? { before: cursor ?? before } : { before, after: cursor ?? after };
    return this.history.page(principal, room, { ...from, thread, limit });
  }

  @Get(':id')
  @Operation({ summary: 'one message', answers: { 200: messageSchema } })
  one(
    @RefParam('room') room: string,
    @IdParam('id') id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Message> {
    return this.found.one(principal, room, id);
  }

  @Get(':id/edits')
  @Operation({
    summary: 'its bodies, oldest first (author, moderators)',
    answers: { 200: editListSchema },
    errors: ['role_required'],
  })
  edits(
    @RefParam('room') room: string,
    @IdParam('id') id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<EditList> {
    return this.found.edits(principal, room, id);
  }

  @Post()
  @Operation({
    summary: 'publish; 200 for an `op_id` that was published before',
    headers: KEY,
    answers: { 201: publishAckSchema, 200: publishAckSchema },
    errors: [
      'op_conflict',
      'kind_refused',
      'not_a_member',
      'read_only',
      'muted',
      'guest_read_only',
    ],
  })
  async publish(
    @RefParam('room') room: string,
    @ZodBody(newMessageSchema) message: NewMessage,
    @Headers('idempotency-key') key: string | undefined,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) response: Response,
  ): Promise<PublishAck> {
    requireSize(message.body);
    const ack = await this.events.publish(principal, room, {
      ...message,
      op_id: opIdOf(key) ?? newId(),
    });
    if (ack.duplicate) response.status(200);
    return ack;
  }

  @Patch(':id')
  @Operation({
    summary: 'edit',
    headers: KEY,
    answers: { 200: changeAckSchema },
    errors: [
      'op_conflict',
      'not_a_member',
      'read_only',
      'muted',
      'role_required',
      'guest_read_only',
    ],
  })
  edit(
    @RefParam('room') room: string,
    @IdParam('id') message_id: string,
    @ZodBody(messagePatchSchema) { body, op_id }: MessagePatch,
    @Headers('idempotency-key') key: string | undefined,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ChangeAck> {
    requireSize(body);
    return this.events.edit(principal, room, { message_id, body, op_id: op_id ?? opIdOf(key) });
  }

  @Delete(':id')
  @Operation({
    summary: 'delete',
    answers: { 200: changeAckSchema },
    errors: ['not_a_member', 'role_required', 'guest_read_only'],
  })
  remove(
    @RefParam('room') room: string,
    @IdParam('id') message_id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ChangeAck> {
    return this.events.delete(principal, room, { message_id });
  }
}

function opIdOf(key: string | undefined): string | undefined {
  if (key === undefined) return undefined;
  const parsed = opIdText.safeParse(key);
  if (parsed.success) return parsed.data;
  throw new DomainError('invalid_request', {
    errors: [{ path: 'Idempotency-Key', message: `1 to ${LIMITS.opIdChars} characters` }],
  });
}

function requireSize(body: unknown): void {
  if (Buffer.byteLength(JSON.stringify(body)) > LIMITS.bodyBytes)
    throw new DomainError('too_big', { detail: 'body' });
}
