/** Why would this token be refused? */
import { Controller, Header, Post } from '@nestjs/common';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { Operation } from '../../platform/http/operation.js';
import { ZodBody } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { InspectToken } from './inspect-token.js';
import { tokenInspectionRequestSchema, tokenInspectionSchema } from './token-inspection.schema.js';
import type { TokenInspection, TokenInspectionRequest } from './token-inspection.schema.js';

@Controller('v1/admin')
export class TokensController {
  constructor(private readonly inspection: InspectToken) {}

  @Post('tokens/inspect')
  @Operation({
    summary: 'what a token says, and why it would be refused now; it is not used up (operators)',
    answers: { 200: tokenInspectionSchema },
    errors: ['role_required'],
  })
  @Header('Cache-Control', 'no-store')
  inspect(
    @ZodBody(tokenInspectionRequestSchema) { token }: TokenInspectionRequest,
    @CurrentPrincipal() principal: Principal,
  ): Promise<TokenInspection> {
    return this.inspection.inspect(principal, token);
  }
}
