/**
 * This node's row in `nodes`, and the statements of its lease round. Everything here is Postgres: the only sequencer.
 */
import { Injectable } from '@nestjs/common';
import { hostname } from 'node:os';
import { monotonicMs } from '../platform/clock.js';
import { Config } from '../platform/config.js';
import { Database } from '../platform/database.js';
import { NodeIdentity } from '../platform/node-identity.js';
import { LONGEST_TOKEN_LIFE_MS } from './authority-state.js';
import type { Snapshot } from './authority-state.js';
import type { ClockReading } from './clocks.js';
import type { AuthorityEvent, EndReason, LoggedEvent } from './events.js';
import { Sightings } from './sightings.js';

export interface RoundAnswer {
  /** Head of the log when the statement read it. */
  head: number;
  /** Everything up to here has been deleted from the log. */
  pruned: number;
  clock: ClockReading;
}

export interface NodeRow {
  id: string;
  position: number;
  leaseMs: number;
  closed: Record<string, number>;
}

interface HeadRow {
  n: string;
  history: string;
  hash: string;
}

const FORGET_NODES_AFTER = '1 day';
/**
 * A node that has not written its row for longer than the longest lease delivers nothing, and one that comes back is heard of a round
 * later. By the clock that wrote the row: a node that starts sees those of dead ones for the first time.
 */
const DELIVERS = `left_at IS NULL AND at > clock_timestamp() - interval '31 seconds'`;

@Injectable()
export class NodeRegistry {
  readonly id: string;
  /** Another node may have subscribers, by the last round. One that has just come is known one round later; what it misses until then is found by its head check. */
  othersServe = false;
  private incarnation = 0;

  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly sightings: Sightings,
    identity: NodeIdentity,
  ) {
    this.id = identity.id;
  }

  /** The node row and the snapshot it starts from, in one REPEATABLE READ transaction: nothing falls between them. */
  async register(): Promise<Snapshot> {
    const client = await this.database.pool.connect();
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      const head = (await client.query<HeadRow>(`SELECT n, history, encode(hash, 'hex') AS hash FROM authority_head`)).rows[0]!;
      const at = { history: head.history, n: Number(head.n), hash: head.hash };
      await client.query(
        `INSERT INTO nodes (id, incarnation, name, lease_ms, position) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (id) DO UPDATE SET incarnation = EXCLUDED.incarnation, position = EXCLUDED.position, at = clock_timestamp(), left_at = NULL, closed = '{}'`,
        [this.id, this.incarnation + 1, hostname(), this.config.authorityLeaseMs, at.n],
      );
      const ended = await client.query<{ id: string; end_reason: EndReason; ended_at: Date }>(
        `SELECT id, end_reason, ended_at FROM sessions WHERE ended_at > clock_timestamp() - make_interval(secs => $1)`,
        [(2 * LONGEST_TOKEN_LIFE_MS) / 1000],
      );
      const tenants = await client.query<{ id: string }>(`SELECT id FROM tenants WHERE state = 'disabled'`);
      const keys = await client.query<{ kid: string }>(`SELECT kid FROM signing_keys WHERE withdrawn_at IS NOT NULL`);
      await client.query('COMMIT');
      this.incarnation += 1;
      return {
        at,
        ended: ended.rows.map((row) => ({ session: row.id, reason: row.end_reason, endedAtMs: row.ended_at.getTime() })),
        disabledTenants: tenants.rows.map((row) => row.id),
        withdrawnKeys: keys.rows.map((row) => row.kid),
      };
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    } finally {
      client.release();
    }
  }

  /**
   * Reports the position, and only when that is committed reads the head: a waiter that looks after its own COMMIT knows
   * that every round it does not see yet will read its event. Never with `synchronous_commit` off: what is seen before it is on disk
   * can be lost in a crash, and its xmin, by which sightings know a row, be given out again. Null: our row is gone, the node must register again.
   */
  async round(position: number, closed: Record<string, number>): Promise<RoundAnswer | null> {
    const mine = await this.database.authority<{ id: string }>(
      'authority_round',
      `UPDATE nodes SET position = $3, closed = $4, at = clock_timestamp() WHERE id = $1 AND incarnation = $2 AND left_at IS NULL RETURNING id`,
      [this.id, this.incarnation, position, JSON.stringify(closed)],
    );
    if (mine.length === 0) return null;
    const askedMs = monotonicMs();
    const [row] = await this.database.authority<{ n: string; pruned: string; clock: number; versions: Record<string, string> | null; others: boolean }>(
      'authority_head',
      `SELECT n, pruned, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS clock,
         (SELECT json_object_agg(id, xmin::text) FROM nodes WHERE left_at IS NULL) AS versions,
         EXISTS (SELECT 1 FROM nodes WHERE id <> $1 AND ${DELIVERS}) AS others FROM authority_head`,
      [this.id],
    );
    if (row === undefined) return null;
    const head = Number(row.n);
    this.sightings.note(head, new Map(Object.entries(row.versions ?? {})));
    this.othersServe = row.others;
    return { head, pruned: Number(row.pruned), clock: { clockMs: row.clock, askedMs, answeredMs: monotonicMs() } };
  }

  async eventsAfter(position: number, limit: number): Promise<LoggedEvent[]> {
    const rows = await this.database.authority<{ n: string; payload: AuthorityEvent; prev: string; hash: string }>(
      'authority_events_after',
      `SELECT n, payload, encode(prev, 'hex') AS prev, encode(hash, 'hex') AS hash FROM authority_events WHERE n > $1 ORDER BY n LIMIT $2`,
      [position, limit],
    );
    return rows.map(({ n, payload, prev, hash }) => ({ n: Number(n), event: payload, prev, hash }));
  }

  /** Every node that may still serve; those that left by themselves hold no connection. A look (sightings.ts). */
  async serving(): Promise<NodeRow[]> {
    const rows = await this.database.hot<{ id: string; version: string; position: string; lease_ms: number; closed: Record<string, number>; head: string }>(
      'authority_nodes',
      `SELECT id, xmin::text AS version, position, lease_ms, closed, (SELECT n FROM authority_head) AS head FROM nodes WHERE left_at IS NULL`,
      [],
    );
    if (rows.length > 0) this.sightings.note(Number(rows[0]!.head), new Map(rows.map((row) => [row.id, row.version])));
    return rows.map((row) => ({ id: row.id, position: Number(row.position), leaseMs: row.lease_ms, closed: row.closed }));
  }

  /** A clean stop: receipts need not wait for this node's lease to run out. */
  async leave(): Promise<void> {
    await this.database.pool.query('UPDATE nodes SET left_at = clock_timestamp() WHERE id = $1', [this.id]);
  }

  /** Log, nodes and receipts that nobody can need any more. Returns nothing: pruning is silent housekeeping. */
  async prune(): Promise<void> {
    const keepSeconds = Math.max((2 * LONGEST_TOKEN_LIFE_MS) / 1000, 3600);
    await this.database.pool.query(
      `WITH gone AS (DELETE FROM authority_events WHERE at < clock_timestamp() - make_interval(secs => $1) RETURNING n)
       UPDATE authority_head SET pruned = greatest(pruned, (SELECT max(n) FROM gone)) WHERE EXISTS (SELECT 1 FROM gone)`,
      [keepSeconds],
    );
    await this.database.pool.query(`DELETE FROM nodes WHERE at < clock_timestamp() - $1::interval`, [FORGET_NODES_AFTER]);
    await this.database.pool.query(`DELETE FROM receipts WHERE created_at < clock_timestamp() - interval '1 day'`);
  }
}
