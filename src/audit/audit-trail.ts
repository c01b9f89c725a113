/**
 * The audit of this node. What a transaction noted is appended as its last write before the authority head; what changes
 * nothing in Postgres (connections, refusals) is kept in memory and appended within a second. Both go into the one chain
 * of this node, whose row in `audit_chains` is locked from the append to the COMMIT.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap, OnModuleInit } from '@nestjs/common';
import { monotonicMs } from '../platform/clock.js';
import { Config } from '../platform/config.js';
import { Database, sqlState } from '../platform/database.js';
import type { Tx } from '../platform/database.js';
import { Metrics } from '../platform/metrics.js';
import { NodeIdentity } from '../platform/node-identity.js';
import type { AuditNote, AuditRecord } from './audit-events.js';
import { auditKey, recordDigest } from './audit-hash.js';
import type { AuditKey } from './audit-hash.js';
import { AuditSamples } from './audit-samples.js';
import { noticed, takeNoted, toRecord } from './note-audit.js';
import type { Noticed } from './note-audit.js';

const FLUSH_EVERY_MS = 500;
/** Short, because the chain is locked meanwhile and a revocation may be waiting for it. */
const BATCH = 200;
/** What is kept while Postgres is away. */
const WAITING_MAX = 100_000;
const HEADS_MAX = 100;
/** The head goes to the log, which is kept elsewhere, at most this often. */
const TELL_HEAD_MS = 600_000;

const APPEND = 'SELECT append_audit($1::uuid, $2::text, $3::json) AS head';

@Injectable()
export class AuditTrail implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(AuditTrail.name);
  private readonly key: AuditKey;
  private readonly node: string;
  private readonly waiting: Noticed[] = [];
  /** Being written, and kept as it is until Postgres has said so. */
  private batch: AuditRecord[] = [];
  private lost = 0;
  private readonly samples: AuditSamples;
  private running: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private toldHeadMs = -Infinity;

  constructor(
    config: Config,
    private readonly database: Database,
    private readonly metrics: Metrics,
    identity: NodeIdentity,
  ) {
    this.key = auditKey(config.secretKeys[0]!);
    this.node = identity.id;
    this.samples = new AuditSamples(config.auditRowsPerMinute);
    database.beforeCommit((tx) => this.writeNoted(tx));
  }

  onModuleInit(): void {
    this.timer = setInterval(() => void this.flush(), FLUSH_EVERY_MS);
    this.timer.unref();
  }

  /** The other chains are named with their heads: one that is cut or gone later is missed. */
  async onApplicationBootstrap(): Promise<void> {
    const { rows } = await this.database.pool.query<{ node: string; n: string; hash: string }>(
      `SELECT node, n, encode(hash, 'hex') AS hash FROM audit_chains WHERE n > pruned AND node <> $1 ORDER BY node DESC LIMIT $2`,
      [this.node, HEADS_MAX],
    );
    this.note({ event: 'sys_startup', detail: { heads: Object.fromEntries(rows.map(({ node, n, hash }) => [node, `${n}:${hash}`])) } });
  }

  /** For what happens outside a transaction: written within a second. Cheap, because it is called where thousands of connections close at once. */
  note(note: AuditNote): void {
    if (!this.samples.admits(note)) return this.metrics.auditCounted.inc({ event: note.event });
    if (this.waiting.length < WAITING_MAX) this.waiting.push(noticed(note));
    else this.lose(1);
  }

  /** One at a time; what could not be written is kept for the next time. */
  flush(): Promise<void> {
    this.running ??= this.write()
      .catch((error: Error) => this.logger.warn({ msg: 'audit records not written yet', waiting: this.waiting.length, error: error.message }))
      .finally(() => (this.running = null));
    return this.running;
  }

  private async write(): Promise<void> {
    this.tellCounts();
    this.tellLost();
    for (;;) {
      if (this.batch.length === 0) this.batch = this.waiting.splice(0, BATCH).map(toRecord);
      if (this.batch.length === 0) return;
      try {
        const rows = await this.database.hot<{ head: string }>('append_audit', APPEND, [this.node, this.key.id, this.digested(this.batch)]);
        this.tellHead(rows[0]!.head);
      } catch (error) {
        if (!/^2[23]/.test(sqlState(error) ?? '')) throw error;
        // Postgres will never take it; it must not hold up what comes after.
        this.logger.error({ msg: 'audit records refused by Postgres', records: this.batch.length, error: (error as Error).message });
        this.lose(this.batch.length);
      }
      const { length } = this.batch;
      this.batch = [];
      // What came meanwhile waits for the next time: in a storm of connects one call would follow the other with a few records each.
      if (length < BATCH) return;
    }
  }

  private async writeNoted(tx: Tx): Promise<void> {
    const records = takeNoted(tx);
    if (records.length > 0) await tx.$executeRaw`SELECT append_audit(${this.node}::uuid, ${this.key.id}, ${this.digested(records)}::json)`;
  }

  private digested(records: AuditRecord[]): string {
    return JSON.stringify(records.map((record) => ({ digest: recordDigest(this.key, record).toString('hex'), ...record })));
  }

  private lose(records: number): void {
    this.lost += records;
    this.metrics.auditLost.inc(records);
  }

  private tellCounts(nowMs?: number): void {
    for (const note of this.samples.over(nowMs)) this.waiting.push(noticed(note));
  }

  private tellLost(): void {
    if (this.lost === 0 || this.waiting.length > WAITING_MAX / 2) return;
    this.waiting.push(noticed({ event: 'sys_monitor_disabled', detail: { lost: this.lost } }));
    this.lost = 0;
  }

  private tellHead(head: string): void {
    if (monotonicMs() - this.toldHeadMs < TELL_HEAD_MS) return;
    this.toldHeadMs = monotonicMs();
    this.logger.log({ msg: 'audit head', anchor: `${this.node}:${head}` });
  }

  /** After everything that ends in `onModuleDestroy` and before the stores are closed. */
  async beforeApplicationShutdown(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    await this.running;
    this.tellCounts(Infinity);
    this.note({ event: 'sys_shutdown' });
    this.toldHeadMs = -Infinity;
    await this.flush();
  }
}
