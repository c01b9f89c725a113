/** Links into a tenant. */
import { Controller, Delete, Get, Header, Param, Post } from '@nestjs/common';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { withdrawnSchema } from '../../auth/links/invite.schema.js';
import type { Withdrawn } from '../../auth/links/invite.schema.js';
import { Operation } from '../../platform/http/operation.js';
import { RefParam } from '../../platform/http/path.js';
import { ZodBody } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import {
  createdTenantInviteSchema,
  newTenantInviteSchema,
  tenantInvitesSchema,
} from './tenant-invite.schema.js';
import type {
  CreatedTenantInvite,
  NewTenantInvite,
  TenantInvites,
} from './tenant-invite.schema.js';
import { TenantInvitations } from './tenant-invites.js';

@Controller('v1/admin/tenants/:tenant/invites')
export class TenantInvitesController {
  constructor(private readonly invites: TenantInvitations) {}

  @Post()
  @Operation({
    summary: 'make a link by which people register in the tenant; its code is shown once',
    answers: { 201: createdTenantInviteSchema },
    errors: ['role_required', 'quota_exceeded'],
  })
  @Header('Cache-Control', 'no-store')
  create(
    @RefParam('tenant') tenant: string,
    @ZodBody(newTenantInviteSchema) body: NewTenantInvite,
    @CurrentPrincipal() principal: Principal,
  ): Promise<CreatedTenantInvite> {
    return this.invites.create(principal, tenant, body);
  }

  @Get()
  @Operation({
    summary: 'such links that are alive, newest first',
    answers: { 200: tenantInvitesSchema },
    errors: ['role_required'],
  })
  list(
    @RefParam('tenant') tenant: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<TenantInvites> {
    return this.invites.list(principal, tenant);
  }

  @Delete(':code')
  @Operation({
    summary: 'withdraw one, by its id or its code',
    answers: { 200: withdrawnSchema },
    errors: ['role_required'],
  })
  withdraw(
    @RefParam('tenant') tenant: string,
    @Param('code') code: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Withdrawn> {
    return this.invites.withdraw(principal, tenant, code);
  }
}
