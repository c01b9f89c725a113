/** Why did a connection close? */
import { Controller, Get, Param } from '@nestjs/common';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { Operation } from '../../platform/http/operation.js';
import type { Principal } from '../../sessions/principal.js';
import { CloseExplanation } from './close-explanation.js';
import { closeSchema } from './close.schema.js';
import type { Close } from './close.schema.js';

@Controller('v1/admin')
export class ClosesController {
  constructor(private readonly explanation: CloseExplanation) {}

  @Get('closes/:close_id')
  @Operation({
    summary: 'why a connection closed, for CLOSES_KEPT_HOURS',
    answers: { 200: closeSchema },
    errors: ['role_required'],
  })
  close(
    @Param('close_id') closeId: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Close> {
    return this.explanation.of(principal, closeId);
  }
}
