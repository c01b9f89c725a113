/**
 * Who is in a room: joining, leaving, inviting, moderating. All of it works on a fenced node too.
 */
import { Controller, Delete, Get, HttpCode, Patch, Post, Res } from '@nestjs/common';
import type { Response } from 'express';
import { emptyBody } from '../../platform/zod.js';
import { AuthorityCall, CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import type { Receipt } from '../../authority/receipt.schema.js';
import { IdParam, RefParam } from '../../platform/http/path.js';
import { ZodBody, ZodQuery, pageQuery, waitQuery } from '../../platform/zod.js';
import type { PageQuery, WaitQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { ChangeMembers } from './change-members.js';
import { memberPatchSchema, newMemberSchema } from './member.schema.js';
import type { ChangedMember, Member, MemberPage, MemberPatch, NewMember } from './member.schema.js';
import { Members } from './members.js';

@Controller('v1/rooms/:room')
export class MembersController {
  constructor(
    private readonly members: Members,
    private readonly changing: ChangeMembers,
  ) {}

  @Post('join')
  @HttpCode(200)
  @AuthorityCall()
  join(
    @RefParam('room') room: string,
    @ZodBody(emptyBody) _: object,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Member> {
    return this.changing.join(principal, room);
  }

  @Post('leave')
  @HttpCode(200)
  @AuthorityCall()
  leave(
    @RefParam('room') room: string,
    @ZodBody(emptyBody) _: object,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Receipt> {
    return this.changing.leave(principal, room, wait);
  }

  @Get('members')
  list(
    @RefParam('room') room: string,
    @ZodQuery(pageQuery) query: PageQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<MemberPage> {
    return this.members.list(principal, room, query);
  }

  /** 200 for somebody who is a member in that role already. */
  @Post('members')
  @AuthorityCall()
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
  @AuthorityCall()
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
  @AuthorityCall()
  remove(
    @RefParam('room') room: string,
    @IdParam('user') user: string,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Receipt> {
    return this.changing.remove(principal, room, user, wait);
  }
}
