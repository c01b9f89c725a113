/** Streams the audit. */
import { Controller, Get, Logger, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { Operation } from '../../platform/http/operation.js';
import type { RecheckedRequest } from '../../platform/http/recheck.interceptor.js';
import { ZodQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { AdminAuthorization } from '../admin-authorization.js';
import { auditExportLineSchema, auditExportQuerySchema } from './audit-export.schema.js';
import type { AuditExportQuery } from './audit-export.schema.js';
import { ExportAudit } from './export-audit.js';

const NDJSON = 'application/x-ndjson';

@Controller('v1/admin')
export class AuditExportController {
  private readonly logger = new Logger(AuditExportController.name);

  constructor(
    private readonly admin: AdminAuthorization,
    private readonly exporting: ExportAudit,
  ) {}

  @Get('audit/export')
  @Operation({
    summary: 'the audit as lines of OCSF events, oldest first; `?after=` goes on (operators)',
    produces: NDJSON,
    answers: { 200: auditExportLineSchema },
    errors: ['role_required'],
  })
  async export(
    @ZodQuery(auditExportQuerySchema) query: AuditExportQuery,
    @CurrentPrincipal() principal: Principal,
    @Req() request: RecheckedRequest,
    @Res() response: Response,
  ): Promise<void> {
    await this.admin.require(principal, 'export_audit', { tenantId: null });
    const writeTo = await this.exporting.begin(principal.userId, query, () => request.recheck?.());
    this.admin.recordLook('audit_export', { id: null, tenant: null, user: null });
    response.status(200).set({ 'Content-Type': NDJSON, 'Cache-Control': 'no-store' });
    void writeTo(response).catch((error: Error) =>
      this.logger.debug({ msg: 'an export ended early', error: error.message }),
    );
  }
}
