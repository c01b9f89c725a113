/** Messages that a room keeps in sight. A pin is a durable event: subscribers get it in order. */
import { Controller, Delete, Get, Put } from '@nestjs/common';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { Operation } from '../../platform/http/operation.js';
import { IdParam, RefParam } from '../../platform/http/path.js';
import { ZodBody, emptyBody } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { FindMessages } from './find-messages.js';
import { changeAckSchema, pinListSchema } from './message.schema.js';
import type { PinList } from './message.schema.js';
import { RoomEvents } from './room-events.js';
import type { ChangeAck } from './room-events.js';

const REFUSALS = [
  'not_a_member',
  'read_only',
  'muted',
  'role_required',
  'guest_read_only',
] as const;

@Controller('v1/rooms/:room/pins')
export class PinsController {
  constructor(
    private readonly found: FindMessages,
    private readonly events: RoomEvents,
  ) {}

  @Get()
  @Operation({ summary: 'pinned messages, newest pin first', answers: { 200: pinListSchema } })
  list(@RefParam('room') room: string, @CurrentPrincipal() principal: Principal): Promise<PinList> {
    return this.found.pins(principal, room);
  }

  @Put(':message')
  @Operation({
    summary: 'pin (moderators; both users of a direct room)',
    answers: { 200: changeAckSchema },
    errors: [...REFUSALS, 'quota_exceeded'],
  })
  pin(
    @RefParam('room') room: string,
    @IdParam('message') message_id: string,
    @ZodBody(emptyBody) _: object,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ChangeAck> {
    return this.events.pin(principal, room, { message_id, on: true });
  }

  @Delete(':message')
  @Operation({
    summary: 'take the pin away',
    answers: { 200: changeAckSchema },
    errors: [...REFUSALS],
  })
  unpin(
    @RefParam('room') room: string,
    @IdParam('message') message_id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ChangeAck> {
    return this.events.pin(principal, room, { message_id, on: false });
  }
}
