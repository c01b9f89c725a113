/**
 * Reads the whole audit again, in one snapshot, and says what is not as the nodes left it: altered,
 * missing, moved or added records, a chain that was cut at its end or beginning, a chain that is
 * gone. Needs nothing but Postgres and SECRET_KEY.
 *
 * How far a chain reached is known from its own row and from anchors: heads that nodes sealed
 * (`audit_heads`), heads in records of other chains, and heads that the operator took from a log.
 */
import type pg from 'pg';
import type { AuditDetail, AuditEventName, AuditRecord } from './audit-events.js';
import { genesisHash, nextHash, pruneSeal, recordDigest } from './audit-hash.js';
import type { AuditKey } from './audit-hash.js';
import { checkSeal } from './sealed-heads.js';
import type { SealedHead } from './sealed-heads.js';

const PAGE = 2_000;
/** Of a node that also does other work: its event loop waits for each page. */
const SPAN_PAGE = 500;

/** Knowledge of a chain from elsewhere: a record of it, and the hash that it had. */
export interface Anchor {
  chain: string;
  n: bigint;
  /** Hex. */
  hash: string;
  from: string;
}

export interface Verdict {
  records: number;
  chains: number;
  /** Sentences, one for each finding; empty: whole. */
  findings: string[];
}

/** A part of a verification: records of one chain after another, so many at a time. */
export interface Span {
  /** The last record that was read; null: from the beginning. */
  after: Place | null;
  recordsMax: number;
}

export interface Place {
  chain: string;
  n: bigint;
}

export interface SpanVerdict extends Verdict {
  /** Null: the end was reached. */
  next: Place | null;
  /** Records behind it, as many as there were now. */
  left: bigint;
}

/** Events whose records have `heads`. */
const NAMES_HEADS: ReadonlySet<string> = new Set<AuditEventName>([
  'sys_startup',
  'audit_truncated',
]);

interface Chain {
  node: string;
  key_id: string;
  n: string;
  hash: Buffer;
  pruned: string;
  pruned_hash: Buffer;
  pruned_seal: Buffer | null;
}

interface Row extends Omit<AuditRecord, 'at'> {
  n: string;
  at: Date;
  hash: Buffer;
}

/**
 * `tenant` (an id): only the chains in which records of it stand. `anchors` are heads that the
 * nodes told their logs.
 */
export async function verifyAudit(
  client: pg.ClientBase,
  keys: readonly AuditKey[],
  { tenant, anchors = [] }: { tenant?: string; anchors?: readonly Anchor[] } = {},
): Promise<Verdict> {
  return inSnapshot(client, () => new Verification(client, keys).run(tenant, anchors));
}

/**
 * One span in a snapshot of its own. Each record is judged by the one before it, so all spans
 * together say as much as one whole reading, and none of them takes long. Heads that nodes sealed
 * are judged with the first.
 */
export async function verifySpan(
  client: pg.ClientBase,
  keys: readonly AuditKey[],
  span: Span,
): Promise<SpanVerdict> {
  return inSnapshot(client, () => new Verification(client, keys, SPAN_PAGE).runSpan(span));
}

async function inSnapshot<T>(client: pg.ClientBase, read: () => Promise<T>): Promise<T> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    return await read();
  } finally {
    await client.query('ROLLBACK');
  }
}

class Verification {
  private readonly findings: string[] = [];
  private records = 0;

  constructor(
    private readonly client: pg.ClientBase,
    private readonly keys: readonly AuditKey[],
    private readonly pageRows = PAGE,
  ) {}

  async run(tenant: string | undefined, told: readonly Anchor[]): Promise<Verdict> {
    const chains = await this.chains(tenant);
    const anchors = [...told, ...(await this.sealedHeads())];
    for (const chain of chains) await this.chain(chain, anchors);
    if (tenant === undefined) await this.strays();
    await this.reachAll(anchors, tenant === undefined ? chains : await this.chains(undefined));
    return { records: this.records, chains: chains.length, findings: this.findings };
  }

  async runSpan({ after, recordsMax }: Span): Promise<SpanVerdict> {
    const chains = await this.chains(undefined);
    const anchors = after === null ? await this.sealedHeads() : [];
    if (after === null) await this.strays();
    let next: Place | null = null;
    for (const chain of chains) {
      if (after !== null && chain.node < after.chain) continue;
      const from = chain.node === after?.chain ? after.n : null;
      const n = await this.chain(chain, anchors, { from, recordsMax });
      if (this.records < recordsMax) continue;
      next = { chain: chain.node, n };
      break;
    }
    await this.reachAll(anchors, chains);
    const left = next === null ? 0n : leftBehind(chains, next);
    return { records: this.records, chains: chains.length, findings: this.findings, next, left };
  }

  private async reachAll(anchors: readonly Anchor[], chains: readonly Chain[]): Promise<void> {
    const known = new Map(chains.map((chain) => [chain.node, chain]));
    for (const [chain, named] of byChain(anchors)) await this.reach(chain, named, known.get(chain));
  }

  private async chains(tenant: string | undefined): Promise<Chain[]> {
    const where =
      tenant === undefined
        ? ''
        : 'WHERE EXISTS (SELECT 1 FROM audit_events e WHERE e.node = c.node AND e.tenant_id = $1)';
    const { rows } = await this.client.query<Chain>(
      `SELECT c.* FROM audit_chains c ${where} ORDER BY c.node`,
      tenant === undefined ? [] : [tenant],
    );
    return rows;
  }

  /**
   * Every record from the anchor to the head; each is linked to what stands before it, so each
   * finding names its own place.
   */
  private async chain(
    chain: Chain,
    anchors: Anchor[],
    { from, recordsMax }: { from: bigint | null; recordsMax: number } = WHOLE,
  ): Promise<bigint> {
    const key = this.keys.find(({ id }) => id === chain.key_id);
    if (key === undefined) {
      this.find(
        chain.node,
        'was written under a SECRET_KEY that was not given: add it (SECRET_KEY=current,former)',
      );
      return BigInt(chain.n);
    }
    const resumed = from === null ? null : await this.hashAt(chain, from);
    if (resumed === null) this.beginning(chain);
    let [n, hash] = resumed === null ? [BigInt(chain.pruned), chain.pruned_hash] : [from!, resumed];
    for (
      let rows = await this.page(chain.node, resumed === null ? null : n);
      rows.length > 0;
      rows = await this.page(chain.node, n)
    ) {
      for (const row of rows) {
        const number = BigInt(row.n);
        const follows = number === n + 1n;
        if (number <= n) this.find(chain.node, `record ${number} stands before the beginning`);
        else if (!follows) this.find(chain.node, `${rangeOf(n + 1n, number - 1n)} missing`);
        // Behind a gap the link cannot be known; the next record is judged by the hash this one
        // has.
        const proven =
          follows && nextHash(hash, number, recordDigest(key, recordOf(row))).equals(row.hash);
        if (follows && !proven)
          this.find(chain.node, `record ${number} (${row.event}) was altered`);
        if (proven && NAMES_HEADS.has(row.event)) anchors.push(...anchorsOf(row, chain.node));
        [n, hash] = [number, row.hash];
        this.records += 1;
        if (this.records >= recordsMax) return n;
      }
    }
    this.end(chain, n, hash);
    return n;
  }

  /**
   * Where a verification goes on; null: the record went with the retention, so the chain begins
   * behind it.
   */
  private async hashAt(chain: Chain, n: bigint): Promise<Buffer | null> {
    if (n <= BigInt(chain.pruned)) return null;
    const hash = await this.hashOf(chain.node, n);
    if (hash !== undefined) return Buffer.from(hash, 'hex');
    this.find(chain.node, `record ${n} is missing, which was there a moment ago`);
    return null;
  }

  private beginning({ node, pruned, pruned_hash, pruned_seal }: Chain): void {
    const n = BigInt(pruned);
    const sealed =
      n === 0n
        ? genesisHash(node).equals(pruned_hash)
        : this.keys.some(
            (key) => pruned_seal?.equals(pruneSeal(key, node, n, pruned_hash)) === true,
          );
    if (!sealed) this.find(node, `its beginning was moved to ${n}, and not by the retention`);
  }

  private end(chain: Chain, n: bigint, hash: Buffer): void {
    const head = BigInt(chain.n);
    if (n < head) this.find(chain.node, `${rangeOf(n + 1n, head)} missing at the end`);
    else if (n > head) this.find(chain.node, `${rangeOf(head + 1n, n)} behind the head`);
    else if (!hash.equals(chain.hash))
      this.find(chain.node, `record ${n} is not the one the head names`);
  }

  private async strays(): Promise<void> {
    // From one chain to the next by the index: of each only its first record is read.
    const { rows } = await this.client.query<{ node: string; count: string }>(
      `WITH RECURSIVE found AS (
         (SELECT node FROM audit_events ORDER BY node LIMIT 1)
         UNION ALL
         SELECT (SELECT e.node FROM audit_events e WHERE e.node > found.node ORDER BY e.node LIMIT 1) FROM found WHERE found.node IS NOT NULL
       )
       SELECT node, (SELECT count(*) FROM audit_events e WHERE e.node = found.node) AS count FROM found
       WHERE node IS NOT NULL AND NOT EXISTS (SELECT 1 FROM audit_chains c WHERE c.node = found.node)`,
    );
    for (const { node, count } of rows)
      this.find(node, `is gone, but ${count} records of it are not`);
  }

  /**
   * Of which chain whatever: a chain that is asked about may have lost the records by which it is
   * found.
   */
  private async sealedHeads(): Promise<Anchor[]> {
    const { rows } = await this.client.query<SealedHead>(
      'SELECT chain, witness, n, hash, key_id, seal FROM audit_heads ORDER BY chain, witness',
    );
    return rows.flatMap((row) => {
      const { chain, witness, n, hash } = row;
      const found = checkSeal(this.keys, row);
      if (found === 'true')
        return [{ chain, n: BigInt(n), hash: hash.toString('hex'), from: `witness ${witness}` }];
      const what =
        found === 'forged' ? 'is forged' : 'was sealed under a SECRET_KEY that was not given';
      this.find(chain, `its head by witness ${witness} ${what}`);
      return [];
    });
  }

  /**
   * `anchors` of one chain, the farthest first. Records missing behind the last one are one
   * finding, whichever anchor names them.
   */
  private async reach(node: string, anchors: Anchor[], chain: Chain | undefined): Promise<void> {
    const [farthest] = anchors as [Anchor];
    if (chain === undefined)
      return this.find(
        node,
        `is gone, ${rangeOf(1n, farthest.n)} missing; ${farthest.from} named it`,
      );
    const left = max(BigInt(chain.pruned), await this.lastRecord(node));
    if (farthest.n > left)
      this.find(
        node,
        `${rangeOf(left + 1n, farthest.n)} missing at the end; ${farthest.from} named it`,
      );
    for (const { n, hash, from } of anchors) {
      if (n > left || n <= BigInt(chain.pruned)) continue;
      const is = await this.hashOf(node, n);
      if (is !== hash)
        this.find(
          node,
          `record ${n} is ${is === undefined ? 'missing' : 'another'}; ${from} named it`,
        );
    }
  }

  private async lastRecord(node: string): Promise<bigint> {
    const { rows } = await this.client.query<{ n: string | null }>(
      'SELECT max(n) AS n FROM audit_events WHERE node = $1',
      [node],
    );
    return BigInt(rows[0]?.n ?? 0);
  }

  private async hashOf(node: string, n: bigint): Promise<string | undefined> {
    const { rows } = await this.client.query<{ hash: string }>(
      `SELECT encode(hash, 'hex') AS hash FROM audit_events WHERE node = $1 AND n = $2`,
      [node, String(n)],
    );
    return rows[0]?.hash;
  }

  private async page(node: string, after: bigint | null): Promise<Row[]> {
    const { rows } = await this.client.query<Row>(
      `SELECT id, n, at, event, tenant_id, actor_id, user_id, session_hash, ip, request_id, detail, hash
       FROM audit_events WHERE node = $1 AND ($2::bigint IS NULL OR n > $2::bigint) ORDER BY n LIMIT ${this.pageRows}`,
      [node, after === null ? null : String(after)],
    );
    return rows;
  }

  private find(chain: string, finding: string): void {
    this.findings.push(`chain ${chain}: ${finding}`);
  }
}

const WHOLE = { from: null, recordsMax: Infinity };

const leftBehind = (chains: readonly Chain[], { chain, n }: Place): bigint =>
  chains.reduce((sum, { node, n: head, pruned }) => {
    if (node < chain) return sum;
    return sum + max(0n, BigInt(head) - (node === chain ? n : BigInt(pruned)));
  }, 0n);

const recordOf = (row: Row): AuditRecord => ({ ...row, at: row.at.toISOString() });
const rangeOf = (from: bigint, to: bigint): string =>
  from === to ? `record ${from} is` : `records ${from} to ${to} are`;

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** Each head once, the farthest first. */
function byChain(anchors: readonly Anchor[]): Map<string, Anchor[]> {
  const chains = new Map<string, Map<string, Anchor>>();
  for (const anchor of anchors) {
    const heads = chains.get(anchor.chain) ?? new Map<string, Anchor>();
    const head = `${anchor.n}:${anchor.hash}`;
    if (!heads.has(head)) heads.set(head, anchor);
    chains.set(anchor.chain, heads);
  }
  return new Map(
    [...chains].map(([chain, heads]) => [
      chain,
      [...heads.values()].sort((a, b) => Number(b.n - a.n)),
    ]),
  );
}

/** Heads of other chains: as a starting node found them, or as a node knew one that was cut. */
function anchorsOf(row: Row, node: string): Anchor[] {
  const { heads } = row.detail as AuditDetail & { heads?: Record<string, string> };
  return Object.entries(heads ?? {}).flatMap(([chain, head]) => {
    const [n, hash] = head.split(':') as [string, string];
    return [{ chain, n: BigInt(n), hash, from: `record ${row.n} of chain ${node}` }];
  });
}
