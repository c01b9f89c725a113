/** History, and publishing without a WebSocket: the same pipeline, the same answers. */
import { Controller, Delete, Get, Headers, Patch, Post, Res } from '@nestjs/common';
import type { Response } from 'express';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { DomainError } from '../../platform/errors.js';
import { newId } from '../../platform/ids.js';
import { IdParam, RefParam } from '../../platform/http/path.js';
import { ZodBody, ZodQuery } from '../../platform/zod.js';
import { LIMITS } from '../../protocol/limits.js';
import type { Principal } from '../../sessions/principal.js';
import { History } from './history.js';
import {
  historyQuerySchema,
  messagePatchSchema,
  newMessageSchema,
  opIdText,
} from './message.schema.js';
import type { HistoryPageQuery, MessagePage, MessagePatch, NewMessage } from './message.schema.js';
import { RoomEvents } from './room-events.js';
import type { ChangeAck, PublishAck } from './room-events.js';

@Controller('v1/rooms/:room/messages')
export class MessagesController {
  constructor(
    private readonly history: History,
    private readonly events: RoomEvents,
  ) {}

  /** Newest first; with `after` oldest first. */
  @Get()
  page(
    @RefParam('room') room: string,
    @ZodQuery(historyQuerySchema) { before, after, limit, cursor }: HistoryPageQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<MessagePage> {
    const from =
      after === undefined ? { before: cursor ?? before } : { before, after: cursor ?? after };
    return this.history.page(principal, room, { ...from, limit });
  }

  /** 200 for an op_id that was published before with the same content. */
  @Post()
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
