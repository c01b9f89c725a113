/**
 * Forgets audit records older than AUDIT_RETENTION_DAYS. A chain loses its beginning only: the
 * rest is still whole, starts at a sealed anchor (`pruned`, `pruned_hash`, `pruned_seal`) and is
 * verified from there.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { Config } from '../platform/config/config.js';
import { LOCKS } from '../platform/stores/advisory-locks.js';
import { Database } from '../platform/stores/database.js';
import { auditKey, pruneSeal } from './audit-hash.js';
import type { AuditKey } from './audit-hash.js';
import { AuditTrail } from './audit-trail.js';

const EVERY_MS = 3_600_000;
/** Rows of one transaction: a living chain is locked meanwhile. */
const CHUNK = 1_000;

@Injectable()
export class AuditPruner implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(AuditPruner.name);
  private readonly key: AuditKey;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly trail: AuditTrail,
  ) {
    this.key = auditKey(config.secretKeys[0]!);
  }

  onModuleInit(): void {
    if (this.config.auditRetentionDays === 0) return;
    const before = () => new Date(Date.now() - this.config.auditRetentionDays * 86_400_000);
    const prune = () =>
      void this.prune(before()).catch((error: Error) =>
        this.logger.warn({ msg: 'audit not pruned', error: error.message }),
      );
    this.timer = setInterval(prune, EVERY_MS * (0.75 + Math.random() / 2));
    this.timer.unref();
  }

  /** One node at a time; answers how many records went. */
  async prune(before: Date): Promise<number> {
    const gone = await this.database.alone(LOCKS.auditPrune, async () => {
      const chains = await this.database.pool.query<{ node: string }>(
        'SELECT node FROM audit_chains WHERE n > pruned',
      );
      let sum = 0;
      for (const { node } of chains.rows) sum += await this.pruneChain(node, before);
      await this.database.pool.query(
        'DELETE FROM audit_heads h USING audit_chains c WHERE c.node = h.chain AND h.n <= c.pruned',
      );
      return sum;
    });
    return gone ?? 0;
  }

  private async pruneChain(node: string, before: Date): Promise<number> {
    let gone = 0;
    for (let count = CHUNK; count === CHUNK; gone += count)
      count = await this.pruneChunk(node, before);
    if (gone > 0)
      this.trail.note({ event: 'audit_pruned', detail: { chain: node, records: gone } });
    return gone;
  }

  private pruneChunk(node: string, before: Date): Promise<number> {
    return this.database.transaction(async (tx) => {
      await tx.$queryRaw`SELECT 1 FROM audit_chains WHERE node = ${node}::uuid FOR UPDATE`;
      const rows = await tx.$queryRaw<{ n: bigint; hash: Uint8Array; old: boolean }[]>`
        SELECT n, hash, at < ${before.toISOString()}::timestamptz AS old FROM audit_events WHERE node = ${node}::uuid ORDER BY n LIMIT ${CHUNK}::integer`;
      const young = rows.findIndex((row) => !row.old);
      const count = young === -1 ? rows.length : young;
      const last = rows[count - 1];
      if (last === undefined) return 0;
      const seal = pruneSeal(this.key, node, last.n, last.hash);
      await tx.$executeRaw`DELETE FROM audit_events WHERE node = ${node}::uuid AND n <= ${last.n}::bigint`;
      await tx.$executeRaw`
        UPDATE audit_chains SET pruned = ${last.n}::bigint, pruned_hash = ${last.hash}, pruned_seal = ${seal} WHERE node = ${node}::uuid`;
      return count;
    });
  }

  onModuleDestroy(): void {
    if (this.timer !== null) clearInterval(this.timer);
  }
}
