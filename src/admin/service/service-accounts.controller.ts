/** Accounts of backends in a tenant, and their keys. */
import { Controller, Delete, Get, Header, Patch, Post } from '@nestjs/common';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { receiptSchema } from '../../authority/receipt.schema.js';
import type { Receipt } from '../../authority/receipt.schema.js';
import { Operation } from '../../platform/http/operation.js';
import { IdParam, RefParam } from '../../platform/http/path.js';
import { ZodBody, ZodQuery, pageQuery, waitQuery } from '../../platform/zod.js';
import type { PageQuery, WaitQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import {
  changedServiceAccountSchema,
  newKeySchema,
  newServiceAccountSchema,
  serviceAccountPageSchema,
  serviceAccountPatchSchema,
  serviceAccountSchema,
  shownKeySchema,
} from './service-account.schema.js';
import type {
  ChangedServiceAccount,
  NewKey,
  NewServiceAccount,
  ServiceAccount,
  ServiceAccountPage,
  ServiceAccountPatch,
  ShownKey,
} from './service-account.schema.js';
import { ServiceAccounts } from './service-accounts.js';
import { STEP_UP } from '../step-up-rules.js';

@Controller('v1/admin/tenants/:tenant/service-accounts')
export class ServiceAccountsController {
  constructor(private readonly accounts: ServiceAccounts) {}

  @Post()
  @Operation({
    summary: 'make an account for a backend',
    answers: { 201: serviceAccountSchema },
    errors: ['role_required'],
  })
  create(
    @RefParam('tenant') tenant: string,
    @ZodBody(newServiceAccountSchema) body: NewServiceAccount,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ServiceAccount> {
    return this.accounts.create(principal, tenant, body);
  }

  @Get()
  @Operation({
    summary: 'service accounts of a tenant, with their good keys',
    answers: { 200: serviceAccountPageSchema },
    errors: ['role_required'],
  })
  list(
    @RefParam('tenant') tenant: string,
    @ZodQuery(pageQuery) query: PageQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ServiceAccountPage> {
    return this.accounts.list(principal, tenant, query);
  }

  @Patch(':id')
  @Operation({
    summary: 'name, scopes, suspension; scopes that are taken away hold from the receipt on',
    stepUp: STEP_UP.serviceAccount,
    authority: true,
    answers: { 200: changedServiceAccountSchema },
    errors: ['role_required'],
  })
  change(
    @RefParam('tenant') tenant: string,
    @IdParam('id') id: string,
    @ZodBody(serviceAccountPatchSchema) patch: ServiceAccountPatch,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ChangedServiceAccount> {
    return this.accounts.change(principal, tenant, id, patch, wait);
  }

  @Post(':id/keys')
  @Operation({
    summary: 'make a key',
    stepUp: STEP_UP.always,
    answers: { 201: shownKeySchema },
    errors: ['role_required', 'quota_exceeded', 'user_suspended'],
  })
  @Header('Cache-Control', 'no-store')
  createKey(
    @RefParam('tenant') tenant: string,
    @IdParam('id') id: string,
    @ZodBody(newKeySchema) body: NewKey,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ShownKey> {
    return this.accounts.createKey(principal, tenant, id, body);
  }

  @Delete(':id/keys/:key')
  @Operation({
    summary: 'end a key, and every connection and token that came from it',
    authority: true,
    answers: { 200: receiptSchema },
    errors: ['role_required'],
  })
  deleteKey(
    @RefParam('tenant') tenant: string,
    @IdParam('id') id: string,
    @IdParam('key') key: string,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Receipt> {
    return this.accounts.endKey(principal, tenant, id, key, wait);
  }
}
