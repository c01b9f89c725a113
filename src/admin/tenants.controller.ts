/** Tenants and their users. */
import { Controller, Get, Patch, Post } from '@nestjs/common';
import { AuthorityCall, CurrentPrincipal } from '../auth/guard/bearer.guard.js';
import { IdParam, RefParam } from '../platform/http/path.js';
import { ZodBody, ZodQuery, pageQuery, waitQuery } from '../platform/zod.js';
import type { PageQuery, WaitQuery } from '../platform/zod.js';
import type { Principal } from '../sessions/principal.js';
import { newTenantSchema, tenantPatchSchema } from './tenant.schema.js';
import type {
  ChangedTenant,
  NewTenant,
  TenantPage,
  TenantPatch,
  TenantView,
} from './tenant.schema.js';
import { Tenants } from './tenants.js';
import { newUserSchema, userPatchSchema } from './user.schema.js';
import type { ChangedUser, NewUser, UserPage, UserPatch, UserView } from './user.schema.js';
import { Users } from './users.js';

@Controller('v1/admin')
export class TenantsController {
  constructor(
    private readonly tenants: Tenants,
    private readonly users: Users,
  ) {}

  @Post('tenants')
  createTenant(
    @ZodBody(newTenantSchema) body: NewTenant,
    @CurrentPrincipal() principal: Principal,
  ): Promise<TenantView> {
    return this.tenants.create(principal, body);
  }

  @Get('tenants')
  listTenants(
    @ZodQuery(pageQuery) query: PageQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<TenantPage> {
    return this.tenants.list(principal, query);
  }

  @Patch('tenants/:tenant')
  @AuthorityCall()
  changeTenant(
    @RefParam('tenant') tenant: string,
    @ZodBody(tenantPatchSchema) patch: TenantPatch,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ChangedTenant> {
    return this.tenants.patch(principal, tenant, patch, wait);
  }

  @Post('tenants/:tenant/users')
  createUser(
    @RefParam('tenant') tenant: string,
    @ZodBody(newUserSchema) body: NewUser,
    @CurrentPrincipal() principal: Principal,
  ): Promise<UserView> {
    return this.users.create(principal, tenant, body);
  }

  @Get('tenants/:tenant/users')
  listUsers(
    @RefParam('tenant') tenant: string,
    @ZodQuery(pageQuery) query: PageQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<UserPage> {
    return this.users.list(principal, tenant, query);
  }

  @Patch('users/:user')
  @AuthorityCall()
  changeUser(
    @IdParam('user') user: string,
    @ZodBody(userPatchSchema) patch: UserPatch,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ChangedUser> {
    return this.users.patch(principal, user, patch, wait);
  }
}
