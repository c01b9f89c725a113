/**
 * The write side of the authority log. One transaction: the change, then as its last statement the
 * events together with `authority_head`, whose row lock makes commit order = n order. After COMMIT
 * the events are announced in Redis, for speed only: nodes that miss the announcement see the head
 * move in Postgres.
 */
import { Injectable } from '@nestjs/common';
import { Database, sqlState } from '../platform/stores/database.js';
import type { Tx } from '../platform/stores/database.js';
import { DomainError } from '../platform/errors.js';
import { newId } from '../platform/ids.js';
import { monotonicMs } from '../platform/clock.js';
import { AuthorityStream } from './authority-stream.js';
import type { AuthorityEvent, LoggedEvent } from './events.js';

export interface Change<T> {
  result: T;
  /** Shrinking changes: logged, numbered, waited for. */
  events: AuthorityEvent[];
  /** Changes that only add rights: announced, not logged. */
  grown?: AuthorityEvent[];
  /** Sessions that ended without being named by an event: those of a disabled tenant. */
  sessions?: number;
  /** Tenant that may follow the receipt; required with events. */
  tenant: string;
  /** Id of the history that begins with these events. */
  history?: string;
}

export interface Committed<T> {
  result: T;
  /** Null when nothing shrank. */
  pending: PendingReceipt | null;
}

export interface PendingReceipt {
  id: string;
  tenant: string;
  /** First and last event of the change; a node at position `n` has applied all of it. */
  firstN: number;
  n: number;
  /**
   * The history it was committed in, and the hash of event `n` there; null: unknown, written by a
   * node of the version before.
   */
  history: string | null;
  hash: string | null;
  sessions: number;
  startedMs: number;
  /** Undefined when the receipt is asked for again. */
  committedMs?: number;
}

const receiptIds = new WeakMap<Tx, string>();

/** The id of the receipt that the change of this transaction will have; null: it has none. */
export const receiptIdOf = (tx: Tx): string | null => receiptIds.get(tx) ?? null;

@Injectable()
export class AuthorityLog {
  constructor(
    private readonly database: Database,
    private readonly stream: AuthorityStream,
  ) {}

  /**
   * Runs `work` in a transaction and logs what it answers. Nothing is announced unless it
   * committed.
   */
  async commit<T>(work: (tx: Tx) => Promise<Change<T>>): Promise<Committed<T>> {
    const startedMs = monotonicMs();
    const { change, logged, pending } = await this.database.transaction(async (tx) => {
      const id = newId();
      receiptIds.set(tx, id);
      const change = await work(tx);
      if (change.events.length === 0) return { change, logged: [], pending: null };
      await this.database.writeLast(tx);
      return { change, ...(await append(tx, id, change, startedMs).catch(numbersAreTaken)) };
    });
    if (pending !== null) pending.committedMs = monotonicMs();
    const announced = this.stream.announce([
      ...logged,
      ...(change.grown ?? []).map((event) => ({ n: null, event })),
    ]);
    // A receipt waits for the nodes, not for Redis, which may be frozen.
    if (pending === null) await announced;
    return { result: change.result, pending };
  }
}

/**
 * The log stepped back and kept its events: nobody can add to it until a node has noticed
 * (lease.ts).
 */
function numbersAreTaken(error: unknown): never {
  throw sqlState(error) === '23505'
    ? new DomainError('unavailable', {
        detail: 'the history of the log was replaced',
        cause: error,
      })
    : error;
}

/**
 * Must be the last statement before COMMIT: it holds the one lock that serialises all shrinking
 * changes.
 */
async function append(
  tx: Tx,
  id: string,
  change: Change<unknown>,
  startedMs: number,
): Promise<{ logged: LoggedEvent[]; pending: PendingReceipt }> {
  const { events, tenant, history: next = null } = change;
  const named = events.reduce(
    (sum, event) => sum + (event.kind === 'session.ended' ? event.sessions.length : 0),
    0,
  );
  const sessions = named + (change.sessions ?? 0);
  // The hashes come from a trigger (link_authority_event).
  const rows = await tx.$queryRaw<{ n: bigint; prev: string; hash: string; history: string }[]>`
    WITH head AS (
      UPDATE authority_head SET n = n + ${events.length}::bigint, history = coalesce(${next}::uuid, history),
        previous = CASE WHEN ${next}::uuid IS NULL THEN previous ELSE history END,
        history_at = CASE WHEN ${next}::uuid IS NULL THEN history_at ELSE clock_timestamp() END
      RETURNING n, history
    ), logged AS (
      INSERT INTO authority_events (n, kind, payload)
      SELECT head.n - ${events.length}::bigint + e.i, e.event ->> 'kind', e.event
      FROM head, jsonb_array_elements(${JSON.stringify(events)}::jsonb) WITH ORDINALITY AS e (event, i)
      RETURNING n, prev, hash
    ), receipt AS (
      INSERT INTO receipts (id, tenant_id, first_n, n, sessions, history, hash)
      SELECT ${id}::uuid, ${tenant}::uuid, head.n - ${events.length - 1}::bigint, head.n, ${sessions}::integer, head.history, logged.hash
      FROM head JOIN logged ON logged.n = head.n
    )
    SELECT logged.n, encode(prev, 'hex') AS prev, encode(hash, 'hex') AS hash, head.history FROM logged, head ORDER BY n`;
  const logged = rows.map(({ n, prev, hash }, i) => ({
    n: Number(n),
    event: events[i]!,
    prev,
    hash,
  }));
  const { n, hash } = logged.at(-1)!;
  return {
    logged,
    pending: {
      id,
      tenant,
      firstN: logged[0]!.n,
      n,
      history: rows[0]!.history,
      hash,
      sessions,
      startedMs,
    },
  };
}
