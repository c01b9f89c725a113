/** Who am I, and which devices am I signed in on? */
import { Controller, Delete, Get, Param } from '@nestjs/common';
import { Receipts } from '../../authority/receipts.js';
import { receiptSchema } from '../../authority/receipt.schema.js';
import type { Receipt } from '../../authority/receipt.schema.js';
import { Operation } from '../../platform/http/operation.js';
import { ZodQuery, pageQuery, waitQuery } from '../../platform/zod.js';
import type { PageQuery, WaitQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { Sessions } from '../../sessions/sessions.js';
import { sessionPageSchema } from '../../sessions/session.schema.js';
import type { SessionPage } from '../../sessions/sessions.js';
import { meSchema } from '../sign-in/sign-in.schemas.js';
import type { Me } from '../sign-in/sign-in.schemas.js';
import { CurrentPrincipal } from '../guard/bearer.guard.js';
import { CurrentUser } from '../sign-in/current-user.js';

@Controller('v1')
export class MySessionsController {
  constructor(
    private readonly sessions: Sessions,
    private readonly receipts: Receipts,
    private readonly whoAmI: CurrentUser,
  ) {}

  @Get('auth/sessions')
  @Operation({ summary: 'my devices', answers: { 200: sessionPageSchema } })
  list(
    @ZodQuery(pageQuery) query: PageQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<SessionPage> {
    return this.sessions.listMine(principal, query);
  }

  @Delete('auth/sessions/:id')
  @Operation({ summary: 'end one of them', authority: true, answers: { 200: receiptSchema } })
  async end(
    @Param('id') id: string,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Receipt | null> {
    const { pending } = await this.sessions.endOne(principal, id);
    return this.receipts.waitForReceipt(pending, wait);
  }

  @Get('me')
  @Operation({ summary: 'principal, tenant, role', answers: { 200: meSchema } })
  me(@CurrentPrincipal() principal: Principal): Promise<Me> {
    return this.whoAmI.tell(principal);
  }
}
