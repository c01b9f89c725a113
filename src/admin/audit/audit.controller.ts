/** Reads the audit. */
import { Controller, Get } from '@nestjs/common';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { Operation } from '../../platform/http/operation.js';
import { ZodQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { auditPageSchema, auditQuerySchema } from './audit.schema.js';
import type { AuditPage, AuditQuery } from './audit.schema.js';
import { ReadAudit } from './read-audit.js';

@Controller('v1/admin')
export class AuditController {
  constructor(private readonly reading: ReadAudit) {}

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
}
