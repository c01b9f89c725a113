import { Global, Module } from '@nestjs/common';
import { AuditPruner } from './audit-pruner.js';
import { AuditTrail } from './audit-trail.js';
import { AuditWitness } from './audit-witness.js';

/** The audit, to which every module may report. */
@Global()
@Module({ providers: [AuditTrail, AuditPruner, AuditWitness], exports: [AuditTrail] })
export class AuditModule {}
