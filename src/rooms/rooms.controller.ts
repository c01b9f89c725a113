/** Rooms over REST. Calls that take rights away work on a fenced node too and answer a receipt. */
import { Controller, Delete, Get, Patch, Post, Res } from '@nestjs/common';
import type { Response } from 'express';
import { CurrentPrincipal } from '../auth/guard/bearer.guard.js';
import { receiptSchema } from '../authority/receipt.schema.js';
import type { Receipt } from '../authority/receipt.schema.js';
import { Operation } from '../platform/http/operation.js';
import { RefParam } from '../platform/http/path.js';
import { ZodBody, ZodQuery, pageQuery, waitQuery } from '../platform/zod.js';
import type { PageQuery, WaitQuery } from '../platform/zod.js';
import type { Principal } from '../sessions/principal.js';
import { ChangeRoom } from './change-room.js';
import { CreateRoom } from './create-room.js';
import {
  changedRoomSchema,
  newRoomSchema,
  roomPageSchema,
  roomPatchSchema,
  roomSchema,
} from './room.schema.js';
import type { ChangedRoom, NewRoom, Room, RoomPage, RoomPatch } from './room.schema.js';
import { Rooms } from './rooms.js';

@Controller('v1/rooms')
export class RoomsController {
  constructor(
    private readonly rooms: Rooms,
    private readonly creating: CreateRoom,
    private readonly changing: ChangeRoom,
  ) {}

  @Get()
  @Operation({ summary: 'rooms the caller may see', answers: { 200: roomPageSchema } })
  list(
    @ZodQuery(pageQuery) query: PageQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<RoomPage> {
    return this.rooms.list(principal, query);
  }

  @Post()
  @Operation({
    summary: 'make a room; 200 with the direct room that is there already',
    answers: { 201: roomSchema, 200: roomSchema },
    errors: ['slug_taken', 'quota_exceeded', 'not_found', 'guest_read_only', 'role_required'],
  })
  async create(
    @ZodBody(newRoomSchema) body: NewRoom,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Room> {
    const { room, created } = await this.creating.create(principal, body);
    if (!created) response.status(200);
    return room;
  }

  @Get(':room')
  @Operation({ summary: 'a room, with what the caller may do in it', answers: { 200: roomSchema } })
  find(@RefParam('room') room: string, @CurrentPrincipal() principal: Principal): Promise<Room> {
    return this.rooms.find(principal, room);
  }

  @Patch(':room')
  @Operation({
    summary: 'change its settings',
    authority: true,
    answers: { 200: changedRoomSchema },
    errors: ['slug_taken', 'not_a_member', 'guest_read_only', 'role_required'],
  })
  change(
    @RefParam('room') room: string,
    @ZodBody(roomPatchSchema) patch: RoomPatch,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ChangedRoom> {
    return this.changing.patch(principal, room, patch, wait);
  }

  @Delete(':room')
  @Operation({
    summary: 'delete it',
    authority: true,
    answers: { 200: receiptSchema },
    errors: ['not_a_member', 'guest_read_only', 'role_required'],
  })
  remove(
    @RefParam('room') room: string,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Receipt> {
    return this.changing.remove(principal, room, wait);
  }
}
