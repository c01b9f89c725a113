/** Revokes sessions and keys, and follows receipts. */
import { Controller, Get, Post } from '@nestjs/common';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { receiptSchema } from '../../authority/receipt.schema.js';
import type { Receipt } from '../../authority/receipt.schema.js';
import { Operation } from '../../platform/http/operation.js';
import { IdParam } from '../../platform/http/path.js';
import { ZodBody, ZodQuery, waitQuery } from '../../platform/zod.js';
import type { WaitQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { FollowReceipt } from './follow-receipt.js';
import { revocationSchema } from './revocation.schema.js';
import type { Revocation } from './revocation.schema.js';
import { Revoke } from './revoke.js';
import { STEP_UP } from '../step-up-rules.js';

@Controller('v1')
export class RevocationsController {
  constructor(
    private readonly revoking: Revoke,
    private readonly receipts: FollowReceipt,
  ) {}

  @Post('admin/revocations')
  @Operation({
    summary: 'end a session, a user, a tenant, or what a key signed',
    stepUp: STEP_UP.revocation,
    authority: true,
    answers: { 200: receiptSchema },
    errors: ['role_required', 'not_found'],
  })
  revoke(
    @ZodBody(revocationSchema) revocation: Revocation,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Receipt> {
    return this.revoking.revoke(principal, revocation, wait);
  }

  @Get('receipts/:id')
  @Operation({ summary: 'follow a receipt', authority: true, answers: { 200: receiptSchema } })
  receipt(@IdParam('id') id: string, @CurrentPrincipal() principal: Principal): Promise<Receipt> {
    return this.receipts.receipt(principal, id);
  }
}
