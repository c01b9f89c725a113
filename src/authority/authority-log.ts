/**
 * The write side of the authority log. One transaction: the change, then as its last statement the events together with
 * `authority_head`, whose row lock makes commit order = n order. After COMMIT the events are announced in Redis, for speed
 * only: nodes that miss the announcement see the head move in Postgres.
 */
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database.js';
import type { Tx } from '../platform/database.js';
import { newId } from '../platform/ids.js';
import { monotonicMs } from '../platform/clock.js';
import { AuthorityStream } from './authority-stream.js';
import type { AuthorityEvent } from './events.js';

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
  sessions: number;
  startedMs: number;
}

@Injectable()
export class AuthorityLog {
  constructor(
    private readonly database: Database,
    private readonly stream: AuthorityStream,
  ) {}

  /** Runs `work` in a transaction and logs what it answers. Nothing is announced unless it committed. */
  async commit<T>(work: (tx: Tx) => Promise<Change<T>>): Promise<Committed<T>> {
    const startedMs = monotonicMs();
    const { change, pending } = await this.database.transaction(async (tx) => {
      const change = await work(tx);
      if (change.events.length === 0) return { change, pending: null };
      await this.database.writeLast(tx);
      return { change, pending: await append(tx, change, startedMs) };
    });
    const first = pending?.firstN ?? 0;
    const announced = this.stream.announce([
      ...change.events.map((event, i) => ({ n: first + i, event })),
      ...(change.grown ?? []).map((event) => ({ n: null, event })),
    ]);
    // Whoever waits for a receipt waits for the nodes, not for Redis, which may be frozen.
    if (pending === null) await announced;
    return { result: change.result, pending };
  }
}

/** Must be the last statement before COMMIT: it holds the one lock that serialises all shrinking changes. */
async function append(tx: Tx, change: Change<unknown>, startedMs: number): Promise<PendingReceipt> {
  const id = newId();
  const named = change.events.reduce((sum, event) => sum + (event.kind === 'session.ended' ? event.sessions.length : 0), 0);
  const sessions = named + (change.sessions ?? 0);
  const rows = await tx.$queryRaw<{ n: bigint }[]>`
    WITH head AS (
      UPDATE authority_head SET n = n + ${change.events.length}::bigint RETURNING n
    ), logged AS (
      INSERT INTO authority_events (n, kind, payload)
      SELECT head.n - ${change.events.length}::bigint + e.i, e.event ->> 'kind', e.event
      FROM head, jsonb_array_elements(${JSON.stringify(change.events)}::jsonb) WITH ORDINALITY AS e (event, i)
    ), receipt AS (
      INSERT INTO receipts (id, tenant_id, first_n, n, sessions)
      SELECT ${id}::uuid, ${change.tenant}::uuid, head.n - ${change.events.length - 1}::bigint, head.n, ${sessions}::integer FROM head
    )
    SELECT n FROM head`;
  const n = Number(rows[0]!.n);
  return { id, tenant: change.tenant, firstN: n - change.events.length + 1, n, sessions, startedMs };
}
