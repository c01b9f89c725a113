/** Sessions, revocations, receipts and keys: who is signed in, and the end of it. */
import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { AuthorityCall, CurrentPrincipal } from '../auth/guard/bearer.guard.js';
import type { Receipt } from '../authority/receipt.schema.js';
import { IdParam } from '../platform/http/path.js';
import { ZodBody, ZodQuery, waitQuery } from '../platform/zod.js';
import type { WaitQuery } from '../platform/zod.js';
import type { Principal } from '../sessions/principal.js';
import type { SessionPage } from '../sessions/sessions.js';
import { AdminQueries } from './admin-queries.js';
import { sessionsQuerySchema } from './admin-queries.schema.js';
import type { KeyList, SessionsQuery } from './admin-queries.schema.js';
import { revocationSchema } from './revocation.schema.js';
import type { Revocation } from './revocation.schema.js';
import { Revoke } from './revoke.js';

@Controller('v1')
export class RevocationsController {
  constructor(
    private readonly revoking: Revoke,
    private readonly lookUp: AdminQueries,
  ) {}

  @Get('admin/sessions')
  sessions(
    @ZodQuery(sessionsQuerySchema) query: SessionsQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<SessionPage> {
    return this.lookUp.sessions(principal, query);
  }

  @Post('admin/revocations')
  @HttpCode(200)
  @AuthorityCall()
  revoke(
    @ZodBody(revocationSchema) revocation: Revocation,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Receipt> {
    return this.revoking.revoke(principal, revocation, wait);
  }

  @Get('receipts/:id')
  @AuthorityCall()
  receipt(@IdParam('id') id: string, @CurrentPrincipal() principal: Principal): Promise<Receipt> {
    return this.lookUp.receipt(principal, id);
  }

  @Get('admin/keys')
  keys(@CurrentPrincipal() principal: Principal): Promise<KeyList> {
    return this.lookUp.keys(principal);
  }
}
