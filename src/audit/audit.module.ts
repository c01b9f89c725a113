import { Global, Module } from '@nestjs/common';
import { AuditPruner } from './audit-pruner.js';
import { AuditTrail } from './audit-trail.js';

/** What every module may report to. */
@Global()
@Module({ providers: [AuditTrail, AuditPruner], exports: [AuditTrail] })
export class AuditModule {}
