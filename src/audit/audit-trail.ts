/**
 * The audit of this node. Records of a transaction are appended as its last write before the
 * authority head. Records of things that change nothing in Postgres (connections, refusals) are
 * kept in memory and appended within a second. Both go into the one chain of this node, whose row
 * in `audit_chains` is locked from the append to the COMMIT.
 *
 * Each append passes the newest head that is known to be committed. Where the chain in the database
 * lacks it, somebody cut the chain or Postgres was stepped back: the node says so once and goes on
 * in a new chain (ADR 0029).
 */
import { Injectable, Logger } from '@nestjs/common';
import type {
  BeforeApplicationShutdown,
  OnApplicationBootstrap,
  OnModuleInit,
} from '@nestjs/common';
import { monotonicMs } from '../platform/clock.js';
import { Config } from '../platform/config/config.js';
import { Database, sqlState } from '../platform/stores/database.js';
import type { Tx } from '../platform/stores/database.js';
import { Metrics } from '../platform/metrics.js';
import { newId } from '../platform/ids.js';
import { NodeIdentity } from '../platform/node-identity.js';
import type { AuditNote, AuditRecord } from './audit-events.js';
import { auditKey, recordDigest } from './audit-hash.js';
import type { AuditKey, Head } from './audit-hash.js';
import { AuditSamples } from './audit-samples.js';
import { noticed, takeNoted, toRecord } from './record-audit.js';
import type { Noticed } from './record-audit.js';
import { OwnChain } from './own-chain.js';
import type { AppendAnswer, Appended } from './own-chain.js';

const FLUSH_EVERY_MS = 500;
/** Short, because the chain is locked meanwhile and a revocation may be waiting for it. */
const BATCH = 200;
/** Records kept while Postgres is away. */
const WAITING_MAX = 100_000;
/** Newest chains whose heads a node that starts writes down, and that a witness watches. */
export const HEADS_MAX = 100;
/** The head goes to the log, which is kept elsewhere, at most this often. */
const TELL_HEAD_MS = 600_000;

const APPEND =
  'SELECT head_n, head_hash, whole FROM append_audit($1::uuid, $2::text, $3::json, $4::bigint, $5::bytea)';
/** Once into the chain, once into a new one, and once more for one that was cut meanwhile. */
const APPEND_TRIES = 3;
/** Of a record that belongs to no request. */
const OF_NOBODY = { tenant: null, actor: null, session: null, ip: null, requestId: null };

/**
 * A chain that lacks what was committed: `left` is its last record, `known` the head that it had.
 */
export interface Truncation {
  readonly chain: string;
  readonly known: Head;
  readonly left: bigint;
  readonly by: 'writer' | 'witness';
}

@Injectable()
export class AuditTrail implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(AuditTrail.name);
  private readonly key: AuditKey;
  private chain: OwnChain;
  /** The last append of each transaction; it counts when the transaction is committed. */
  private readonly appended = new WeakMap<Tx, Appended>();
  /** Chains that this node has said are truncated. */
  private readonly truncated = new Set<string>();
  private readonly waiting: Noticed[] = [];
  /** Being written, and kept as it is until Postgres has said so. */
  private batch: AuditRecord[] = [];
  private lost = 0;
  private readonly samples: AuditSamples;
  private running: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private toldHeadMs = -Infinity;
  private stopped: Promise<boolean> | null = null;

  constructor(
    config: Config,
    private readonly database: Database,
    private readonly metrics: Metrics,
    identity: NodeIdentity,
  ) {
    this.key = auditKey(config.secretKeys[0]!);
    this.chain = new OwnChain(identity.id);
    this.samples = new AuditSamples(config.auditRowsPerMinute);
    database.beforeCommit((tx) => this.writeNoted(tx));
    database.afterCommit((tx) => this.committed(this.appended.get(tx)));
  }

  /** The chain that this node writes now, and what is committed of it. */
  get own(): { readonly id: string; readonly head: Head } {
    return this.chain;
  }

  onModuleInit(): void {
    this.timer = setInterval(() => void this.flush(), FLUSH_EVERY_MS);
    this.timer.unref();
  }

  /** The other chains are named with their heads: one that is cut or gone later is missed. */
  async onApplicationBootstrap(): Promise<void> {
    const { rows } = await this.database.pool.query<{ node: string; n: string; hash: string }>(
      `SELECT node, n, encode(hash, 'hex') AS hash FROM audit_chains WHERE n > pruned AND node <> $1 ORDER BY node DESC LIMIT $2`,
      [this.chain.id, HEADS_MAX],
    );
    this.note({
      event: 'sys_startup',
      detail: {
        heads: Object.fromEntries(rows.map(({ node, n, hash }) => [node, `${n}:${hash}`])),
      },
    });
  }

  /**
   * For what happens outside a transaction: written within a second. Cheap, because it is called
   * where thousands of connections close at once.
   */
  note(note: AuditNote): void {
    if (!this.samples.admits(note)) return this.metrics.auditCounted.inc({ event: note.event });
    if (this.waiting.length < WAITING_MAX) this.waiting.push(noticed(note));
    else this.lose(1);
  }

  /** One at a time; records that could not be written are kept for the next time. */
  flush(): Promise<void> {
    this.running ??= this.write()
      .catch((error: Error) =>
        this.logger.warn({
          msg: 'audit records not written yet',
          waiting: this.waiting.length,
          error: error.message,
        }),
      )
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
        const records = this.digested(this.batch);
        const appended = await this.append((chain, { n, hash }) =>
          this.database.hot<AppendAnswer>('append_audit', APPEND, [
            chain,
            this.key.id,
            records,
            String(n),
            hash,
          ]),
        );
        this.committed(appended);
        this.tellHead(appended);
      } catch (error) {
        if (!/^2[23]/.test(sqlState(error) ?? '')) throw error;
        // Postgres will never take it; it must not hold up what comes after.
        this.logger.error({
          msg: 'audit records refused by Postgres',
          records: this.batch.length,
          error: (error as Error).message,
        });
        this.lose(this.batch.length);
      }
      const { length } = this.batch;
      this.batch = [];
      // Records that came meanwhile wait for the next time: in a storm of connects one call would
      // follow the other with a few records each.
      if (length < BATCH) return;
    }
  }

  private async writeNoted(tx: Tx): Promise<void> {
    const noted = takeNoted(tx);
    if (noted.length === 0) return;
    const records = this.digested(noted);
    const appended = await this.append(
      (chain, { n, hash }) => tx.$queryRaw<AppendAnswer[]>`
        SELECT head_n, head_hash, whole FROM append_audit(${chain}::uuid, ${this.key.id}, ${records}::json, ${n}::bigint, ${hash}::bytea)`,
    );
    this.appended.set(tx, appended);
  }

  /**
   * One statement; a second one, into a new chain, only when the chain turns out to be truncated.
   */
  private async append(
    send: (chain: string, known: Head) => Promise<AppendAnswer[]>,
  ): Promise<Appended> {
    for (let tries = 0; tries < APPEND_TRIES; tries += 1) {
      const { chain } = this;
      const known = chain.head;
      const [answer] = await send(chain.id, known);
      const { head_n, head_hash, whole } = answer!;
      if (whole)
        return { chain, head: { n: BigInt(head_n), hash: Buffer.from(head_hash!, 'hex') } };
      this.tellTruncated({ chain: chain.id, known, left: BigInt(head_n), by: 'writer' });
    }
    throw new Error('Postgres takes no audit record, not even into a new chain');
  }

  private committed(appended: Appended | undefined): void {
    appended?.chain.committed(appended.head);
  }

  /**
   * Said once for each chain: log, metric and a record that names the lost head, by which the
   * verifier finds it from then on.
   */
  tellTruncated({ chain, known, left, by }: Truncation): void {
    if (chain === this.chain.id) {
      this.chain = new OwnChain(newId());
      this.toldHeadMs = -Infinity;
    }
    if (this.truncated.has(chain)) return;
    this.truncated.add(chain);
    this.metrics.auditTruncated.inc();
    const head = `${known.n}:${known.hash.toString('hex')}`;
    const missing = {
      chain,
      from: Number(left < known.n ? left + 1n : known.n),
      to: Number(known.n),
    };
    this.logger.error({
      msg: 'the audit was cut, or Postgres was stepped back: records are missing',
      ...missing,
      by,
      anchor: `${chain}:${head}`,
    });
    this.note({
      ...OF_NOBODY,
      event: 'audit_truncated',
      detail: { ...missing, by, heads: { [chain]: head } },
    });
  }

  private digested(records: AuditRecord[]): string {
    return JSON.stringify(
      records.map((record) => ({
        digest: recordDigest(this.key, record).toString('hex'),
        ...record,
      })),
    );
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

  private tellHead({ chain, head: { n, hash } }: Appended): void {
    if (monotonicMs() - this.toldHeadMs < TELL_HEAD_MS) return;
    this.toldHeadMs = monotonicMs();
    this.logger.log({ msg: 'audit head', anchor: `${chain.id}:${n}:${hash.toString('hex')}` });
  }

  /** After everything that ends in `onModuleDestroy` and before the stores are closed. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.stop();
  }

  /** Ends the chain in order; true: everything is written. A second call waits for the same end. */
  stop(): Promise<boolean> {
    return (this.stopped ??= this.end());
  }

  private async end(): Promise<boolean> {
    if (this.timer !== null) clearInterval(this.timer);
    await this.running;
    this.tellCounts(Infinity);
    this.note({ event: 'sys_shutdown' });
    this.toldHeadMs = -Infinity;
    await this.flush();
    // That its chain was truncated is said even now.
    if (this.waiting.length > 0 && this.batch.length === 0) await this.flush();
    return this.waiting.length + this.batch.length === 0;
  }
}
