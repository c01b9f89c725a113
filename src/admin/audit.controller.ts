/** Who did what? */
import { Controller, Get } from '@nestjs/common';
import { CurrentPrincipal } from '../auth/guard/bearer.guard.js';
import { ZodQuery } from '../platform/zod.js';
import type { Principal } from '../sessions/principal.js';
import { auditQuerySchema } from './audit.schema.js';
import type { AuditPage, AuditQuery } from './audit.schema.js';
import { ReadAudit } from './read-audit.js';

@Controller('v1/admin')
export class AuditController {
  constructor(private readonly reading: ReadAudit) {}

  @Get('audit')
  audit(
    @ZodQuery(auditQuerySchema) query: AuditQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<AuditPage> {
    return this.reading.list(principal, query);
  }
}
