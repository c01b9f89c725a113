/**
 * Whether the audit is whole, read by a node in spans: no call takes long, and a node reads one at
 * a time. The command `npm run audit -- verify` says the same without trusting a node.
 */
import { Injectable } from '@nestjs/common';
import { auditKey } from '../../audit/audit-hash.js';
import type { AuditKey } from '../../audit/audit-hash.js';
import { verifySpan } from '../../audit/verify-audit.js';
import type { Place, SpanVerdict } from '../../audit/verify-audit.js';
import { Config } from '../../platform/config/config.js';
import { FairGate } from '../../platform/fair-gate.js';
import { Database } from '../../platform/stores/database.js';
import type { Principal } from '../../sessions/principal.js';
import { AdminAuthorization } from '../admin-authorization.js';
import { placeOf } from './audit.schema.js';
import type { AuditSpan, AuditSpanQuery } from './audit.schema.js';

const RECORDS_MAX = 5_000;
const FINDINGS_MAX = 100;
/** Spans of a node, those who ask in turns: each takes some of its CPU. */
const ONE_AT_A_TIME = { running: 1, perKey: 1, waiting: 2, patienceMs: 5_000 };

@Injectable()
export class VerifyChains {
  private readonly keys: readonly AuditKey[];
  private readonly line = new FairGate(ONE_AT_A_TIME);

  constructor(
    config: Config,
    private readonly admin: AdminAuthorization,
    private readonly database: Database,
  ) {
    this.keys = config.secretKeys.map(auditKey);
  }

  async verify(principal: Principal, { after }: AuditSpanQuery): Promise<AuditSpan> {
    await this.admin.require(principal, 'verify_audit', { tenantId: null });
    const from = after === undefined ? null : placeOf(after);
    return viewOf(await this.line.run(principal.userId, () => this.read(from)));
  }

  private async read(after: Place | null): Promise<SpanVerdict> {
    const client = await this.database.pool.connect();
    let broken = true;
    try {
      const verdict = await verifySpan(client, this.keys, { after, recordsMax: RECORDS_MAX });
      broken = false;
      return verdict;
    } finally {
      client.release(broken);
    }
  }
}

const viewOf = ({ records, chains, findings, next, left }: SpanVerdict): AuditSpan => ({
  records,
  chains,
  findings: findings.slice(0, FINDINGS_MAX),
  findings_more: Math.max(0, findings.length - FINDINGS_MAX),
  left: Number(left),
  next_cursor: next === null ? null : `${next.chain}_${next.n}`,
});
