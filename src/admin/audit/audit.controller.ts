/** Reads the audit, and verifies that it is whole. */
import { Controller, Get } from '@nestjs/common';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { Operation } from '../../platform/http/operation.js';
import { ZodQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import {
  auditPageSchema,
  auditQuerySchema,
  auditSpanQuerySchema,
  auditSpanSchema,
} from './audit.schema.js';
import type { AuditPage, AuditQuery, AuditSpan, AuditSpanQuery } from './audit.schema.js';
import { ReadAudit } from './read-audit.js';
import { VerifyChains } from './verify-chains.js';

@Controller('v1/admin')
export class AuditController {
  constructor(
    private readonly reading: ReadAudit,
    private readonly verifying: VerifyChains,
  ) {}

  @Get('audit')
  @Operation({
    summary: 'who did what, newest first',
    answers: { 200: auditPageSchema },
    errors: ['role_required', 'not_found'],
  })
  audit(
    @ZodQuery(auditQuerySchema) query: AuditQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<AuditPage> {
    return this.reading.list(principal, query);
  }

  @Get('audit/verify')
  @Operation({
    summary: 'whether the audit is whole, span by span; a node reads one at a time',
    answers: { 200: auditSpanSchema },
    errors: ['role_required', 'overloaded'],
  })
  verify(
    @ZodQuery(auditSpanQuerySchema) query: AuditSpanQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<AuditSpan> {
    return this.verifying.verify(principal, query);
  }
}
