/**
 * Members of a room: joining, leaving, inviting, moderating. All of it works on a fenced node too.
 */
import { Controller, Delete, Get, Patch, Post, Res } from '@nestjs/common';
import type { Response } from 'express';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { receiptSchema } from '../../authority/receipt.schema.js';
import type { Receipt } from '../../authority/receipt.schema.js';
import { Operation } from '../../platform/http/operation.js';
import { IdParam, RefParam } from '../../platform/http/path.js';
import { ZodBody, ZodQuery, emptyBody, pageQuery, waitQuery } from '../../platform/zod.js';
import type { PageQuery, WaitQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { ChangeMembers } from './change-members.js';
import {
  changedMemberSchema,
  memberPageSchema,
  memberPatchSchema,
  memberSchema,
  newMemberSchema,
} from './member.schema.js';
import type { ChangedMember, Member, MemberPage, MemberPatch, NewMember } from './member.schema.js';
import { Members } from './members.js';

@Controller('v1/rooms/:room')
export class MembersController {
  constructor(
    private readonly members: Members,
    private readonly changing: ChangeMembers,
  ) {}

  @Post('join')
  @Operation({
    summary: 'become a member of a public room',
    authority: true,
    answers: { 200: memberSchema },
    errors: ['guest_read_only', 'role_required'],
  })
  join(
    @RefParam('room') room: string,
    @ZodBody(emptyBody) _: object,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Member> {
    return this.changing.join(principal, room);
  }

  @Post('leave')
  @Operation({
    summary: 'be a member no longer',
    authority: true,
    answers: { 200: receiptSchema },
    errors: ['last_owner', 'not_a_member', 'guest_read_only', 'role_required'],
  })
  leave(
    @RefParam('room') room: string,
    @ZodBody(emptyBody) _: object,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Receipt> {
    return this.changing.leave(principal, room, wait);
  }

  @Get('members')
  @Operation({
    summary: 'its members; bans for those who can take them back',
    answers: { 200: memberPageSchema },
  })
  list(
    @RefParam('room') room: string,
    @ZodQuery(pageQuery) query: PageQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<MemberPage> {
    return this.members.list(principal, room, query);
  }

  @Post('members')
  @Operation({
    summary: 'add a user; 200 when in that role already',
    authority: true,
    answers: { 201: changedMemberSchema, 200: changedMemberSchema },
    errors: ['not_a_member', 'guest_read_only', 'role_required'],
  })
  async add(
    @RefParam('room') room: string,
    @ZodBody(newMemberSchema) body: NewMember,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ChangedMember> {
    const { created, ...answer } = await this.changing.add(principal, room, body);
    if (!created) response.status(200);
    return answer;
  }

  @Patch('members/:user')
  @Operation({
    summary: 'change role, mute, ban',
    authority: true,
    answers: { 200: changedMemberSchema },
    errors: ['last_owner', 'not_a_member', 'guest_read_only', 'role_required'],
  })
  change(
    @RefParam('room') room: string,
    @IdParam('user') user: string,
    @ZodBody(memberPatchSchema) patch: MemberPatch,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ChangedMember> {
    return this.changing.patch(principal, room, user, patch, wait);
  }

  @Delete('members/:user')
  @Operation({
    summary: 'remove a member',
    authority: true,
    answers: { 200: receiptSchema },
    errors: ['last_owner', 'not_a_member', 'guest_read_only', 'role_required'],
  })
  remove(
    @RefParam('room') room: string,
    @IdParam('user') user: string,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Receipt> {
    return this.changing.remove(principal, room, user, wait);
  }
}
