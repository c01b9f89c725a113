/**
 * How far the chains reach now, with what proves it: the last record, and the hash that it is
 * linked to.
 */
import type { AuditRecord } from './audit-events.js';
import type { Head } from './audit-hash.js';

/**
 * The newest `$1` chains, without those that stand where they are known to stand (`$2`, `$3`). One
 * snapshot.
 */
export const PRESENT_HEADS = `
  SELECT c.node AS chain, c.key_id, c.n AS head_n, c.hash AS head_hash, coalesce(b.hash, CASE WHEN c.n - 1 = c.pruned THEN c.pruned_hash END) AS before,
    e.id, e.at, e.event, e.tenant_id, e.actor_id, e.user_id, e.session_hash, e.ip, e.request_id, e.detail
  FROM (SELECT * FROM audit_chains WHERE n > pruned ORDER BY node DESC LIMIT $1) c
  JOIN audit_events e ON e.node = c.node AND e.n = c.n
  LEFT JOIN audit_events b ON b.node = c.node AND b.n = c.n - 1
  LEFT JOIN unnest($2::uuid[], $3::bigint[]) AS k (chain, n) ON k.chain = c.node
  WHERE k.n IS NULL OR k.n < c.n`;

export interface PresentRow extends Omit<AuditRecord, 'at'> {
  chain: string;
  key_id: string;
  head_n: string;
  head_hash: Buffer;
  before: Buffer | null;
  at: Date;
}

export interface PresentHead {
  chain: string;
  key_id: string;
  before: Buffer | null;
  head: Head;
  record: AuditRecord;
}

export function presentHead({
  chain,
  key_id,
  head_n,
  head_hash,
  before,
  ...row
}: PresentRow): PresentHead {
  return {
    chain,
    key_id,
    before,
    head: { n: BigInt(head_n), hash: head_hash },
    record: { ...row, at: row.at.toISOString() },
  };
}
