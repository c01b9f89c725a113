/** The caller's rooms as a list shows them, and what is theirs alone of each. */
import { Controller, Get, Patch } from '@nestjs/common';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { Operation } from '../../platform/http/operation.js';
import { RefParam } from '../../platform/http/path.js';
import { ZodBody, ZodQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { SidebarRooms } from './sidebar.js';
import {
  sidebarItemSchema,
  sidebarPatchSchema,
  sidebarQuerySchema,
  sidebarSchema,
} from './sidebar.schema.js';
import type { Sidebar, SidebarItem, SidebarPatch, SidebarQuery } from './sidebar.schema.js';

@Controller('v1/me/rooms')
export class SidebarController {
  constructor(private readonly sidebar: SidebarRooms) {}

  @Get()
  @Operation({
    summary: "the caller's rooms, newest activity first, with what is unread",
    answers: { 200: sidebarSchema },
  })
  list(
    @ZodQuery(sidebarQuerySchema) query: SidebarQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Sidebar> {
    return this.sidebar.list(principal, query);
  }

  @Patch(':room')
  @Operation({
    summary: 'favourite, notifications: for the caller alone',
    answers: { 200: sidebarItemSchema },
    errors: ['not_a_member'],
  })
  change(
    @RefParam('room') room: string,
    @ZodBody(sidebarPatchSchema) patch: SidebarPatch,
    @CurrentPrincipal() principal: Principal,
  ): Promise<SidebarItem> {
    return this.sidebar.change(principal, room, patch);
  }
}
