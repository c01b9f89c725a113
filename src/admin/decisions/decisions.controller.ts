/** Why was something refused, and what would happen if? */
import { Controller, Get, Param } from '@nestjs/common';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { Operation } from '../../platform/http/operation.js';
import { ZodQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { decisionSchema, explainQuerySchema, explanationSchema } from './decision.schema.js';
import type { DecisionView, ExplainQuery, Explanation } from './decision.schema.js';
import { PolicyExplanation } from './policy-explanation.js';

@Controller('v1/admin')
export class DecisionsController {
  constructor(private readonly explaining: PolicyExplanation) {}

  @Get('decisions/:id')
  @Operation({
    summary: 'why something was refused, for an hour',
    answers: { 200: decisionSchema },
    errors: ['role_required'],
  })
  decision(
    @Param('id') id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<DecisionView> {
    return this.explaining.decision(principal, id);
  }

  @Get('explain')
  @Operation({
    summary: 'what would be decided',
    answers: { 200: explanationSchema },
    errors: ['role_required', 'not_found'],
  })
  explain(
    @ZodQuery(explainQuerySchema) query: ExplainQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Explanation> {
    return this.explaining.whatIf(principal, query);
  }
}
