/** Links into a room: its owners and moderators make, list and withdraw them; others accept. */
import { Controller, Delete, Get, Header, Param, Post } from '@nestjs/common';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { withdrawnSchema } from '../../auth/links/invite.schema.js';
import type { Withdrawn } from '../../auth/links/invite.schema.js';
import { Operation } from '../../platform/http/operation.js';
import { RefParam } from '../../platform/http/path.js';
import { ZodBody, emptyBody } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { memberSchema } from '../members/member.schema.js';
import type { Member } from '../members/member.schema.js';
import {
  createdRoomInviteSchema,
  newRoomInviteSchema,
  roomInvitesSchema,
} from './invite.schema.js';
import type { CreatedRoomInvite, NewRoomInvite, RoomInvites } from './invite.schema.js';
import { RoomInvitations } from './room-invites.js';

const REFUSALS = ['not_a_member', 'guest_read_only', 'role_required'] as const;

@Controller('v1')
export class InvitesController {
  constructor(private readonly invites: RoomInvitations) {}

  @Post('rooms/:room/invites')
  @Operation({
    summary: 'make a link into the room (owners, moderators); its code is shown once',
    authority: true,
    answers: { 201: createdRoomInviteSchema },
    errors: [...REFUSALS, 'quota_exceeded'],
  })
  @Header('Cache-Control', 'no-store')
  create(
    @RefParam('room') room: string,
    @ZodBody(newRoomInviteSchema) body: NewRoomInvite,
    @CurrentPrincipal() principal: Principal,
  ): Promise<CreatedRoomInvite> {
    return this.invites.create(principal, room, body);
  }

  @Get('rooms/:room/invites')
  @Operation({
    summary: 'links into the room that are alive, newest first',
    answers: { 200: roomInvitesSchema },
    errors: [...REFUSALS],
  })
  list(
    @RefParam('room') room: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<RoomInvites> {
    return this.invites.list(principal, room);
  }

  @Delete('rooms/:room/invites/:code')
  @Operation({
    summary: 'withdraw one, by its id or its code',
    authority: true,
    answers: { 200: withdrawnSchema },
    errors: [...REFUSALS],
  })
  withdraw(
    @RefParam('room') room: string,
    @Param('code') code: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Withdrawn> {
    return this.invites.withdraw(principal, room, code);
  }

  @Post('invites/:code/accept')
  @Operation({
    summary: 'become a member of the room that the link leads into',
    authority: true,
    answers: { 200: memberSchema },
    errors: ['guest_read_only'],
  })
  accept(
    @Param('code') code: string,
    @ZodBody(emptyBody) _: object,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Member> {
    return this.invites.accept(principal, code);
  }
}
