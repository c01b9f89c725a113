/** A password that was forgotten. Both calls are for anybody. */
import { Controller, Ip, Post } from '@nestjs/common';
import { receiptSchema } from '../../authority/receipt.schema.js';
import type { Receipt } from '../../authority/receipt.schema.js';
import { Receipts } from '../../authority/receipts.js';
import { Operation } from '../../platform/http/operation.js';
import { ZodBody, ZodQuery, waitQuery } from '../../platform/zod.js';
import type { WaitQuery } from '../../platform/zod.js';
import { ForgottenPassword } from '../sign-in/forgotten-password.js';
import { ResetPassword } from '../sign-in/reset-password.js';
import { forgotBody, resetBody } from '../sign-in/sign-in.schemas.js';
import type { ForgotBody, ResetBody } from '../sign-in/sign-in.schemas.js';

@Controller('v1/auth/password')
export class RecoveryController {
  constructor(
    private readonly forgotten: ForgottenPassword,
    private readonly resetting: ResetPassword,
    private readonly receipts: Receipts,
  ) {}

  @Post('forgot')
  @Operation({
    summary: 'mail a link for a new password, if there is such a user; the answer is always this',
    auth: 'public',
    answers: { 202: null },
    errors: ['rate_limited'],
  })
  forgot(@ZodBody(forgotBody) body: ForgotBody, @Ip() ip: string): Promise<void> {
    return this.forgotten.request(body, ip);
  }

  @Post('reset')
  @Operation({
    summary: 'a new password by such a link; ends all sessions of the user',
    auth: 'public',
    answers: { 200: receiptSchema },
    errors: ['not_found', 'user_suspended', 'tenant_disabled', 'rate_limited'],
  })
  async reset(
    @ZodBody(resetBody) body: ResetBody,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @Ip() ip: string,
  ): Promise<Receipt | null> {
    const { pending } = await this.resetting.reset(body, ip);
    return this.receipts.waitForReceipt(pending, wait);
  }
}
