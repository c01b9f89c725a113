/** Tenants and their users. */
import { Controller, Delete, Get, Patch, Post } from '@nestjs/common';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { Operation } from '../../platform/http/operation.js';
import { IdParam, RefParam } from '../../platform/http/path.js';
import { ZodBody, ZodQuery, pageQuery, waitQuery } from '../../platform/zod.js';
import type { PageQuery, WaitQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import {
  changedTenantSchema,
  erasingTenantSchema,
  newTenantSchema,
  tenantPageSchema,
  tenantPatchSchema,
  tenantSchema,
} from './tenant.schema.js';
import type {
  ChangedTenant,
  ErasingTenant,
  NewTenant,
  TenantPage,
  TenantPatch,
  TenantView,
} from './tenant.schema.js';
import { EraseTenant } from './erase-tenant.js';
import { Tenants } from './tenants.js';
import {
  changedUserSchema,
  newUserSchema,
  userPageSchema,
  userPatchSchema,
  userSchema,
} from '../users/user.schema.js';
import type { ChangedUser, NewUser, UserPage, UserPatch, UserView } from '../users/user.schema.js';
import { Users } from '../users/users.js';
import { STEP_UP } from '../step-up-rules.js';

@Controller('v1/admin')
export class TenantsController {
  constructor(
    private readonly tenants: Tenants,
    private readonly eraseTenant: EraseTenant,
    private readonly users: Users,
  ) {}

  @Post('tenants')
  @Operation({
    summary: 'make a tenant (operators)',
    answers: { 201: tenantSchema },
    errors: ['slug_taken', 'role_required'],
  })
  createTenant(
    @ZodBody(newTenantSchema) body: NewTenant,
    @CurrentPrincipal() principal: Principal,
  ): Promise<TenantView> {
    return this.tenants.create(principal, body);
  }

  @Get('tenants')
  @Operation({
    summary: 'all tenants (operators)',
    answers: { 200: tenantPageSchema },
    errors: ['role_required'],
  })
  listTenants(
    @ZodQuery(pageQuery) query: PageQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<TenantPage> {
    return this.tenants.list(principal, query);
  }

  @Patch('tenants/:tenant')
  @Operation({
    summary: 'change, disable or restore a tenant (operators)',
    stepUp: STEP_UP.tenant,
    authority: true,
    answers: { 200: changedTenantSchema },
    errors: ['slug_taken', 'role_required'],
  })
  changeTenant(
    @RefParam('tenant') tenant: string,
    @ZodBody(tenantPatchSchema) patch: TenantPatch,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ChangedTenant> {
    return this.tenants.patch(principal, tenant, patch, wait);
  }

  @Delete('tenants/:tenant')
  @Operation({
    summary: 'delete a disabled tenant and all that is in it; 404 when that is done (operators)',
    stepUp: STEP_UP.always,
    answers: { 202: erasingTenantSchema },
    errors: ['invalid_request', 'role_required'],
  })
  deleteTenant(
    @RefParam('tenant') tenant: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ErasingTenant> {
    return this.eraseTenant.erase(principal, tenant);
  }

  @Post('tenants/:tenant/users')
  @Operation({
    summary: 'make a user',
    stepUp: STEP_UP.newUser,
    answers: { 201: userSchema },
    errors: ['email_taken', 'role_required'],
  })
  createUser(
    @RefParam('tenant') tenant: string,
    @ZodBody(newUserSchema) body: NewUser,
    @CurrentPrincipal() principal: Principal,
  ): Promise<UserView> {
    return this.users.create(principal, tenant, body);
  }

  @Get('tenants/:tenant/users')
  @Operation({
    summary: 'users of a tenant',
    answers: { 200: userPageSchema },
    errors: ['role_required'],
  })
  listUsers(
    @RefParam('tenant') tenant: string,
    @ZodQuery(pageQuery) query: PageQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<UserPage> {
    return this.users.list(principal, tenant, query);
  }

  @Patch('users/:user')
  @Operation({
    summary: 'suspend, restore, promote, demote or rename a user',
    stepUp: STEP_UP.user,
    authority: true,
    answers: { 200: changedUserSchema },
    errors: ['role_required'],
  })
  changeUser(
    @IdParam('user') user: string,
    @ZodBody(userPatchSchema) patch: UserPatch,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ChangedUser> {
    return this.users.patch(principal, user, patch, wait);
  }
}
