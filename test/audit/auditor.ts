/**
 * The audit of a node without the node: trail and witness over a database of the test's own,
 * written when the test says so.
 */
import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { AuditTrail } from '../../src/audit/audit-trail.js';
import { AuditWitness } from '../../src/audit/audit-witness.js';
import { recordAudit } from '../../src/audit/record-audit.js';
import { Config } from '../../src/platform/config/config.js';
import { Database } from '../../src/platform/stores/database.js';
import { Metrics } from '../../src/platform/metrics.js';
import { NodeIdentity } from '../../src/platform/node-identity.js';
import { query } from '../support/sql.js';

Logger.overrideLogger(false);

export const SECRET_KEY = randomBytes(32).toString('base64url');

export class Auditor {
  readonly database: Database;
  readonly metrics = new Metrics();
  readonly identity = new NodeIdentity();
  readonly trail: AuditTrail;
  readonly witness: AuditWitness;

  constructor(readonly url: string) {
    const config = Config.parse({ DATABASE_URL: url, REDIS_URL: 'redis://unused', SECRET_KEY });
    this.database = new Database(config);
    this.trail = new AuditTrail(config, this.database, this.metrics, this.identity);
    this.witness = new AuditWitness(config, this.database, this.trail, this.identity);
  }

  /** The writes of a batch: one append for all of them. */
  async batch(records: number): Promise<void> {
    for (let i = 0; i < records; i += 1) this.trail.note({ event: 'room_created' });
    await this.trail.flush();
  }

  /** The writes of a transaction. */
  change(then: () => void = () => undefined): Promise<void> {
    return this.database.transaction(async (tx) => {
      recordAudit(tx, { event: 'user_updated' });
      await this.database.writeLast(tx);
      then();
    });
  }

  /** Transactions that have all begun before the first of them appends. */
  async changeTogether(count: number): Promise<void> {
    let begun = 0;
    let open: () => void = () => undefined;
    const all = new Promise<void>((resolve) => (open = resolve));
    const change = () =>
      this.database.transaction(async (tx) => {
        recordAudit(tx, { event: 'user_updated' });
        await tx.$executeRaw`SELECT 1`;
        if ((begun += 1) === count) open();
        await all;
      });
    await Promise.all(Array.from({ length: count }, change));
  }

  /** How often this node counted a truncation. */
  async counted(): Promise<number> {
    return (await this.metrics.auditTruncated.get()).values[0]!.value;
  }

  stop(): Promise<void> {
    return this.database.onApplicationShutdown();
  }
}

export interface TruncationRecord {
  node: string;
  detail: { chain: string; from: number; to: number; by: string };
}

export const truncations = (url: string): Promise<TruncationRecord[]> =>
  query<TruncationRecord>(
    url,
    `SELECT node, detail - 'heads' AS detail FROM audit_events WHERE event = 'audit_truncated' ORDER BY id`,
  );
