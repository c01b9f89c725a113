/**
 * Nodes know how far each other's chains reach. Once a minute each node reads the head of every
 * chain, remembers it, keeps it sealed in Postgres (`audit_heads`), and checks that every chain
 * still has what was remembered. So a tail that is cut is missed by every node that saw it, also
 * after its own node is gone, and by the verifier (ADR 0029).
 *
 * A head is believed when its last record proves it - only who knows SECRET_KEY can make a record's
 * digest - or when it is sealed. A witness never stops anything.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../platform/config/config.js';
import { Database } from '../platform/stores/database.js';
import { NodeIdentity } from '../platform/node-identity.js';
import { auditKey, headSeal, nextHash, recordDigest } from './audit-hash.js';
import type { AuditKey, Head } from './audit-hash.js';
import { HEADS_MAX, AuditTrail } from './audit-trail.js';
import { PRESENT_HEADS, presentHead } from './present-heads.js';
import type { PresentRow } from './present-heads.js';
import { checkSeal } from './sealed-heads.js';
import type { SealedHead } from './sealed-heads.js';

const EVERY_MS = 55_000;
/** Rows of witnesses that are gone are deleted when this node keeps the same itself. */
const KEPT = `interval '1 day'`;
const SEALED_MAX = 10_000;

const SEALED = `SELECT chain, witness, n, hash, key_id, seal, at < now() - ${KEPT} AS old FROM audit_heads ORDER BY at DESC LIMIT ${SEALED_MAX}`;
/**
 * Chains of which a record says that they are truncated: a node that starts does not say it again.
 * It silences no node that saw the head itself.
 */
const NAMED = `SELECT DISTINCT detail ->> 'chain' AS chain FROM audit_events WHERE event = 'audit_truncated'`;
/** Of the remembered heads: those that are not there any more, with the last record that is. */
const LOST = `
  SELECT k.chain, coalesce(least(c.n, (SELECT max(e.n) FROM audit_events e WHERE e.node = k.chain)), 0) AS "left"
  FROM unnest($1::uuid[], $2::bigint[], $3::bytea[]) AS k (chain, n, hash) LEFT JOIN audit_chains c ON c.node = k.chain
  WHERE coalesce(c.pruned, 0) < k.n
    AND (coalesce(c.n, 0) < k.n OR NOT EXISTS (SELECT 1 FROM audit_events e WHERE e.node = k.chain AND e.n = k.n AND e.hash = k.hash))`;
/** Writes what differs; also a row that somebody deleted, or replaced by an older one. */
const KEEP = `
  INSERT INTO audit_heads (chain, witness, n, hash, key_id, seal)
  SELECT k.chain, $1::uuid, k.n, k.hash, $2, k.seal FROM unnest($3::uuid[], $4::bigint[], $5::bytea[], $6::bytea[]) AS k (chain, n, hash, seal)
  ON CONFLICT (chain, witness) DO UPDATE SET n = excluded.n, hash = excluded.hash, key_id = excluded.key_id, seal = excluded.seal, at = clock_timestamp()
  WHERE audit_heads.seal <> excluded.seal OR audit_heads.n <> excluded.n OR audit_heads.hash <> excluded.hash`;
const FORGET =
  'DELETE FROM audit_heads h USING unnest($1::uuid[], $2::uuid[]) AS k (chain, witness) WHERE h.chain = k.chain AND h.witness = k.witness';

interface SealedRow extends SealedHead {
  old: boolean;
}

@Injectable()
export class AuditWitness implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(AuditWitness.name);
  /** The first seals; each opens. */
  private readonly keys: readonly AuditKey[];
  /** Heads that were committed, by chain; the newest HEADS_MAX chains. */
  private readonly remembered = new Map<string, Head>();
  private readonly refused = new Set<string>();
  private named: ReadonlySet<string> | null = null;
  private running: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    config: Config,
    private readonly database: Database,
    private readonly trail: AuditTrail,
    private readonly identity: NodeIdentity,
  ) {
    this.keys = config.secretKeys.map(auditKey);
  }

  /** The start does not wait for it: an audit that is not whole keeps no node from serving. */
  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.round(), EVERY_MS);
    this.timer.unref();
    void this.round();
  }

  /** One at a time. A failed one is tried again with the next. */
  round(): Promise<void> {
    this.running ??= this.look()
      .catch((error: Error) =>
        this.logger.warn({
          msg: 'the heads of the audit were not witnessed',
          error: error.message,
        }),
      )
      .finally(() => (this.running = null));
    return this.running;
  }

  private async look(): Promise<void> {
    const { id, head } = this.trail.own;
    if (head.n > 0n) this.remember(id, head);
    const old = await this.readSealed();
    await this.readPresent();
    this.bound();
    await this.missLost();
    await this.keep(old);
  }

  /**
   * Remembers the heads that nodes have sealed. Answers old rows of others, which may be of no more
   * use.
   */
  private async readSealed(): Promise<SealedRow[]> {
    const { rows } = await this.database.pool.query<SealedRow>(SEALED);
    const named = (this.named ??= new Set(
      (await this.database.pool.query<{ chain: string }>(NAMED)).rows.map(({ chain }) => chain),
    ));
    const believed = rows.filter((row) => this.isTrue(row));
    for (const { chain, n, hash } of believed)
      if (!named.has(chain)) this.remember(chain, { n: BigInt(n), hash });
    return believed.filter(({ old, witness }) => old && witness !== this.identity.id);
  }

  private isTrue(row: SealedRow): boolean {
    const found = checkSeal(this.keys, row);
    if (found === 'forged')
      this.refuse(row.chain, `the seal of witness ${row.witness} is not true`);
    return found === 'true';
  }

  private async readPresent(): Promise<void> {
    const { rows } = await this.database.pool.query<PresentRow>(PRESENT_HEADS, [
      HEADS_MAX,
      ...this.columns().slice(0, 2),
    ]);
    for (const row of rows) {
      const { chain, before, key_id, head, record } = presentHead(row);
      const key = this.keys.find(({ id }) => id === key_id);
      if (key === undefined) continue;
      const proven =
        before !== null && nextHash(before, head.n, recordDigest(key, record)).equals(head.hash);
      if (proven) this.remember(chain, head);
      else this.refuse(chain, 'its last record does not prove it');
    }
  }

  /** Said once for each chain: the verifier says what is wrong there. */
  private refuse(chain: string, why: string): void {
    if (this.refused.has(chain) || this.refused.size >= SEALED_MAX) return;
    this.refused.add(chain);
    this.logger.error({ msg: 'a head of the audit was forged, and is not believed', chain, why });
  }

  private remember(chain: string, head: Head): void {
    const known = this.remembered.get(chain);
    if (known === undefined || head.n > known.n) this.remembered.set(chain, head);
  }

  /** Ids of chains are sorted by time. */
  private bound(): void {
    const chains = [...this.remembered.keys()].sort();
    for (const chain of chains.slice(0, Math.max(0, chains.length - HEADS_MAX)))
      this.remembered.delete(chain);
  }

  private async missLost(): Promise<void> {
    const { rows } = await this.database.pool.query<{ chain: string; left: string }>(
      LOST,
      this.columns(),
    );
    for (const { chain, left } of rows)
      this.trail.tellTruncated({
        chain,
        known: this.remembered.get(chain)!,
        left: BigInt(left),
        by: 'witness',
      });
  }

  private async keep(old: SealedRow[]): Promise<void> {
    const [key] = this.keys as [AuditKey];
    const [chains, ns, hashes] = this.columns();
    const seals = [...this.remembered].map(([chain, head]) =>
      headSeal(key, this.identity.id, chain, head),
    );
    await this.database.pool.query(KEEP, [this.identity.id, key.id, chains, ns, hashes, seals]);
    const covered = old.filter(
      ({ chain, n }) => (this.remembered.get(chain)?.n ?? -1n) >= BigInt(n),
    );
    if (covered.length > 0)
      await this.database.pool.query(FORGET, [
        covered.map(({ chain }) => chain),
        covered.map(({ witness }) => witness),
      ]);
  }

  private columns(): [chains: string[], ns: string[], hashes: Buffer[]] {
    const heads = [...this.remembered.values()];
    return [
      [...this.remembered.keys()],
      heads.map(({ n }) => String(n)),
      heads.map(({ hash }) => hash),
    ];
  }

  /** The last record of this node is witnessed by itself, and by nodes that go on. */
  async beforeApplicationShutdown(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    const written = await this.trail.stop();
    await this.running;
    if (written) await this.round();
  }
}
