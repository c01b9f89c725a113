/**
 * This node's row in `nodes`, and the statements of its lease round. Everything here is Postgres:
 * the only sequencer.
 */
import { Injectable } from '@nestjs/common';
import { hostname } from 'node:os';
import pg from 'pg';
import { monotonicMs } from '../../platform/clock.js';
import { Config } from '../../platform/config/config.js';
import { Database } from '../../platform/stores/database.js';
import { NodeIdentity } from '../../platform/node-identity.js';
import { LONGEST_TOKEN_LIFE_MS } from '../authority-state.js';
import type { Position, Snapshot } from '../authority-state.js';
import type { ClockReading } from '../clocks.js';
import type { AuthorityEvent, EndReason, LoggedEvent } from '../events.js';
import { compareHistory } from '../evidence.js';
import type { FoundAtStart } from '../evidence.js';
import { NodeObservations } from './node-observations.js';

export interface RoundAnswer {
  /**
   * The verdict of the answering database on this node's memory; the rest means something only when
   * it is `same`.
   */
  verdict: ReturnType<typeof compareHistory>;
  /** Head of the log when the statement read it. */
  head: number;
  headHash: string;
  clock: ClockReading;
}

export interface NodeRow {
  id: string;
  position: number;
  leaseMs: number;
  closed: Record<string, number>;
  /** Its position is one in the log as it is now: it says the hash that the log has there. */
  holds: boolean;
}

export interface Serving {
  nodes: NodeRow[];
  /** The entry of the log at the given number; null when it is pruned or lost. */
  hash: string | null;
  head: number;
  pruned: number;
  history: string;
}

interface HeadRow {
  n: string;
  history: string;
  history_at: Date | null;
  hash: string;
  server: string;
  clock: number;
}

interface RoundRow {
  n: string;
  pruned: string;
  history: string;
  hash: string | null;
  head_hash: string;
  server: string;
  database: string;
  clock: number;
  round: string | null;
  versions: Record<string, string> | null;
  others: boolean;
}

interface ServingRow {
  head: string;
  pruned: string;
  history: string;
  head_hash: string;
  hash_at_n: string | null;
  server: string;
  database: string;
  versions: Record<string, string> | null;
  id: string;
  position: string;
  lease_ms: number;
  closed: Record<string, number>;
  holds: boolean;
}

const CLOCK = '(extract(epoch FROM clock_timestamp()) * 1000)::float8';
const FORGET_NODES_AFTER = '1 day';
/**
 * A node that has not written its row for longer than the longest lease delivers nothing, and one
 * that comes back is heard of a round later. By the clock that wrote the row: a node that starts
 * sees those of dead ones for the first time.
 */
export const DELIVERS = `left_at IS NULL AND at > clock_timestamp() - interval '31 seconds'`;

/**
 * The hash at position `n`: that of the head, else what the next event says of the one before it.
 * Null where there is a hole.
 */
const hashAt = (n: string): string =>
  `CASE WHEN h.n = ${n} THEN h.hash ELSE (SELECT e.prev FROM authority_events e WHERE e.n = ${n} + 1) END`;
/**
 * The identity of the database: the same until another one answers. Not every hosted Postgres shows
 * the identifier of its cluster.
 */
const CLUSTER = '(SELECT system_identifier::text FROM pg_control_system())';
const SERVER = `(SELECT oid FROM pg_database WHERE datname = current_database()) || '/' || h.tableoid`;
/**
 * The identity of the server: the same until another process, perhaps a standby that was promoted,
 * or another history answers.
 */
const DATABASE = `extract(epoch FROM pg_postmaster_start_time()) || '/' || h.history`;
/** xmin: a node of the version before does not number its rounds. */
const VERSIONS = `SELECT json_object_agg(id, xmin || '/' || round) FROM nodes`;

@Injectable()
export class NodeRegistry {
  readonly id: string;
  /**
   * Another node may have subscribers, by the last round. One that has just come is known one round
   * later; what it misses until then is found by its head check.
   */
  othersServe = false;
  private incarnation = 0;
  /** The last round that was begun, and the last that this node knows to be committed. */
  private begun = 0;
  private known = { round: 0, server: '', clockMs: 0 };
  private cluster = CLUSTER;

  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly observations: NodeObservations,
    private readonly identity: NodeIdentity,
  ) {
    this.id = identity.id;
  }

  /** The entry of the log for the number `n`. Before `register`: nothing is written. */
  async foundAt(n: number): Promise<FoundAtStart> {
    const { rows } = await this.database.pool.query<{
      n: string;
      pruned: string;
      history: string;
      history_at: Date | null;
      hash: string | null;
    }>(
      `SELECT h.n, h.pruned, h.history, h.history_at, encode(${hashAt('$1::bigint')}, 'hex') AS hash FROM authority_head h`,
      [n],
    );
    const { n: head, pruned, history, history_at: historyAt, hash } = rows[0]!;
    return {
      history,
      historyAtMs: historyAt?.getTime() ?? null,
      head: Number(head),
      pruned: Number(pruned),
      hash,
    };
  }

  /**
   * The node row and the snapshot it starts from, in one REPEATABLE READ transaction: nothing falls
   * between them.
   */
  async register(): Promise<Snapshot> {
    await this.findCluster();
    const round = (this.begun += 1);
    const client = await this.database.pool.connect();
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      const head = (
        await client.query<HeadRow>(
          `SELECT n, history, history_at, encode(hash, 'hex') AS hash, ${this.server} AS server, ${CLOCK} AS clock FROM authority_head h`,
        )
      ).rows[0]!;
      const at = { history: head.history, n: Number(head.n), hash: head.hash };
      await client.query(
        `INSERT INTO nodes (id, incarnation, name, lease_ms, position, round, history, hash, version, node_version) VALUES ($1, $2, $3, $4, $5, $6, $7, decode($8, 'hex'), $9, $10)
         ON CONFLICT (id) DO UPDATE SET incarnation = EXCLUDED.incarnation, position = EXCLUDED.position, round = EXCLUDED.round,
           history = EXCLUDED.history, hash = EXCLUDED.hash, at = clock_timestamp(), left_at = NULL, closed = '{}'`,
        [
          this.id,
          this.incarnation + 1,
          hostname(),
          this.config.authorityLeaseMs,
          at.n,
          round,
          at.history,
          at.hash,
          this.identity.version,
          process.version,
        ],
      );
      const ended = await client.query<{ id: string; end_reason: EndReason; ended_at: Date }>(
        `SELECT id, end_reason, ended_at FROM sessions WHERE ended_at > clock_timestamp() - make_interval(secs => $1)`,
        [(2 * LONGEST_TOKEN_LIFE_MS) / 1000],
      );
      const tenants = await client.query<{ id: string }>(
        `SELECT id FROM tenants WHERE state = 'disabled'`,
      );
      const keys = await client.query<{ kid: string }>(
        `SELECT kid FROM signing_keys WHERE withdrawn_at IS NOT NULL`,
      );
      await client.query('COMMIT');
      this.incarnation += 1;
      this.known = { round, server: head.server, clockMs: head.clock };
      return {
        at,
        historyAtMs: head.history_at?.getTime() ?? null,
        ended: ended.rows.map((row) => ({
          session: row.id,
          reason: row.end_reason,
          endedAtMs: row.ended_at.getTime(),
        })),
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
   * Reports the position, and only when that is committed reads the head: a waiter that looks after
   * its own COMMIT knows that every round it does not see yet will read its event. The row is
   * written only where the last round that is known to be committed stands, and one that arrives
   * late never over a later one. Never with `synchronous_commit` off: what a crash loses would
   * count as a replaced history.
   */
  async round(at: Position, closed: Record<string, number>): Promise<RoundAnswer> {
    const round = (this.begun += 1);
    const written = await this.database.authority<{ id: string }>(
      'authority_round',
      `UPDATE nodes SET position = $5, history = $6, hash = decode($7, 'hex'), closed = $8, round = $4, at = clock_timestamp()
       WHERE id = $1 AND incarnation = $2 AND left_at IS NULL AND round >= $3 AND round < $4 RETURNING id`,
      [
        this.id,
        this.incarnation,
        this.known.round,
        round,
        at.n,
        at.history,
        at.hash,
        JSON.stringify(closed),
      ],
    );
    // Committed, or not there: what the other statement finds is compared with it.
    const known = { ...this.known, at, round: written.length > 0 ? round : this.known.round };
    const askedMs = monotonicMs();
    const [row] = await this.database.authority<RoundRow>(
      `authority_head_${this.cluster === CLUSTER}`,
      `SELECT h.n, h.pruned, h.history, encode(${hashAt('$2::bigint')}, 'hex') AS hash, encode(h.hash, 'hex') AS head_hash,
         ${this.server} AS server, ${DATABASE} AS database, ${CLOCK} AS clock, (SELECT round FROM nodes WHERE id = $1) AS round,
         (${VERSIONS}) AS versions, EXISTS (SELECT 1 FROM nodes WHERE id <> $1 AND ${DELIVERS}) AS others FROM authority_head h`,
      [this.id, at.n],
    );
    if (row === undefined) throw new Error('authority_head is empty');
    const clock = { clockMs: row.clock, askedMs, answeredMs: monotonicMs() };
    const head = Number(row.n);
    const found = {
      ...row,
      head,
      pruned: Number(row.pruned),
      round: row.round === null ? null : Number(row.round),
      clockMs: row.clock,
      written: written.length > 0,
    };
    const verdict = compareHistory(known, found);
    this.observations.note({
      database: `${row.server}/${row.database}`,
      headHash: row.head_hash,
      versions: new Map(Object.entries(row.versions ?? {})),
    });
    this.othersServe = row.others;
    if (verdict === 'same') this.known = { round, server: row.server, clockMs: row.clock };
    return { verdict, head, headHash: row.head_hash, clock };
  }

  async eventsAfter(position: number, limit: number): Promise<LoggedEvent[]> {
    const rows = await this.database.authority<{
      n: string;
      payload: AuthorityEvent;
      prev: string;
      hash: string;
    }>(
      'authority_events_after',
      `SELECT n, payload, encode(prev, 'hex') AS prev, encode(hash, 'hex') AS hash FROM authority_events WHERE n > $1 ORDER BY n LIMIT $2`,
      [position, limit],
    );
    return rows.map(({ n, payload, prev, hash }) => ({ n: Number(n), event: payload, prev, hash }));
  }

  /**
   * Every node that may still serve; those that left by themselves hold no connection. A look
   * (node-observations.ts), also for the event at `n`.
   */
  async serving(n: number): Promise<Serving> {
    const rows = await this.database.hot<ServingRow>(
      `authority_nodes_${this.cluster === CLUSTER}`,
      `SELECT h.n AS head, h.pruned, h.history, encode(h.hash, 'hex') AS head_hash, encode(${hashAt('$1::bigint')}, 'hex') AS hash_at_n,
         ${this.server} AS server, ${DATABASE} AS database,
         (${VERSIONS}) AS versions, x.id, x.position, x.lease_ms, x.closed, coalesce(x.hash = ${hashAt('x.position')}, false) AS holds
       FROM authority_head h LEFT JOIN nodes x ON x.left_at IS NULL`,
      [n],
    );
    const {
      head,
      pruned,
      history,
      head_hash: headHash,
      hash_at_n: hash,
      server,
      database,
      versions,
    } = rows[0]!;
    const listed = rows.filter((row) => row.id !== null);
    this.observations.note({
      database: `${server}/${database}`,
      headHash,
      versions: new Map(Object.entries(versions ?? {})),
    });
    const nodes = listed.map((row) => ({
      id: row.id,
      position: Number(row.position),
      leaseMs: row.lease_ms,
      closed: row.closed,
      holds: row.holds,
    }));
    return { nodes, hash, head: Number(head), pruned: Number(pruned), history };
  }

  private get server(): string {
    return `${this.cluster} || '/' || ${SERVER}`;
  }

  private async findCluster(): Promise<void> {
    await this.database.pool.query(`SELECT ${CLUSTER}`).catch((error: unknown) => {
      if (!(error instanceof pg.DatabaseError)) throw error;
      this.cluster = `''::text`;
    });
  }

  /** A clean stop: receipts need not wait for this node's lease to run out. */
  async leave(): Promise<void> {
    await this.database.pool.query('UPDATE nodes SET left_at = clock_timestamp() WHERE id = $1', [
      this.id,
    ]);
  }

  /**
   * Log, nodes and receipts that nobody can need any more. Returns nothing: pruning is silent
   * housekeeping.
   */
  async prune(): Promise<void> {
    const keepSeconds = Math.max((2 * LONGEST_TOKEN_LIFE_MS) / 1000, 3600);
    await this.database.pool.query(
      `WITH gone AS (DELETE FROM authority_events WHERE at < clock_timestamp() - make_interval(secs => $1) RETURNING n)
       UPDATE authority_head SET pruned = greatest(pruned, (SELECT max(n) FROM gone)) WHERE EXISTS (SELECT 1 FROM gone)`,
      [keepSeconds],
    );
    await this.database.pool.query(
      `DELETE FROM nodes WHERE at < clock_timestamp() - $1::interval`,
      [FORGET_NODES_AFTER],
    );
    await this.database.pool.query(
      `DELETE FROM receipts WHERE created_at < clock_timestamp() - interval '1 day'`,
    );
  }
}
