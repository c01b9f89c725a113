/** The caller: the principal, the signed-in devices, and the last proof of the person. */
import { Controller, Delete, Get, Ip, Param, Post } from '@nestjs/common';
import { Receipts } from '../../authority/receipts.js';
import { receiptSchema } from '../../authority/receipt.schema.js';
import type { Receipt } from '../../authority/receipt.schema.js';
import { Operation } from '../../platform/http/operation.js';
import { ZodBody, ZodQuery, pageQuery, waitQuery } from '../../platform/zod.js';
import type { PageQuery, WaitQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { Sessions } from '../../sessions/sessions.js';
import { sessionPageSchema } from '../../sessions/session.schema.js';
import type { SessionPage } from '../../sessions/sessions.js';
import { meSchema, proofSchema, stepUpBody } from '../sign-in/sign-in.schemas.js';
import type { Me, ProofView, StepUpBody } from '../sign-in/sign-in.schemas.js';
import { CurrentPrincipal } from '../guard/bearer.guard.js';
import { CurrentUser } from '../sign-in/current-user.js';
import { StepUp } from '../sign-in/step-up.js';

@Controller('v1')
export class MySessionsController {
  constructor(
    private readonly sessions: Sessions,
    private readonly receipts: Receipts,
    private readonly whoAmI: CurrentUser,
    private readonly stepUp: StepUp,
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

  @Post('auth/step-up')
  @Operation({
    summary: 'the password once more; dangerous calls of this session are allowed for a while',
    authority: true,
    answers: { 200: proofSchema },
    errors: ['invalid_credentials', 'guest_read_only', 'rate_limited'],
  })
  prove(
    @ZodBody(stepUpBody) body: StepUpBody,
    @CurrentPrincipal() principal: Principal,
    @Ip() ip: string,
  ): Promise<ProofView> {
    return this.stepUp.prove(principal, body, ip);
  }

  @Get('auth/step-up')
  @Operation({
    summary: 'when I last gave it, and for how long it counts',
    answers: { 200: proofSchema },
  })
  proof(@CurrentPrincipal() principal: Principal): Promise<ProofView> {
    return this.stepUp.proofOf(principal);
  }

  @Get('me')
  @Operation({ summary: 'principal, tenant, role', answers: { 200: meSchema } })
  me(@CurrentPrincipal() principal: Principal): Promise<Me> {
    return this.whoAmI.tell(principal);
  }
}
