/**
 * P1 over random interleavings of revocations, rounds, lost rounds, silence and steps back of the
 * database: whenever a receipt says `effective`, no node that has a lease accepts the session.
 * Lease, state, evidence, observations and receipts are the real ones; Postgres is a few lines that
 * can return to any of its former states.
 */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { AuthorityDispatcher } from '../../src/authority/authority-dispatcher.js';
import { AuthorityState } from '../../src/authority/authority-state.js';
import type { EndedFacts, Position } from '../../src/authority/authority-state.js';
import type { AuthorityStream } from '../../src/authority/authority-stream.js';
import { Clocks } from '../../src/authority/clocks.js';
import { compareHistory } from '../../src/authority/evidence.js';
import type { LoggedEvent } from '../../src/authority/events.js';
import type { HistoryReplacement } from '../../src/authority/history-replacement.js';
import { LeaseRounds } from '../../src/authority/lease/lease-rounds.js';
import { Lease } from '../../src/authority/lease/lease.js';
import type { NodeRegistry } from '../../src/authority/nodes/node-registry.js';
import { Receipts } from '../../src/authority/receipts.js';
import { NodeObservations } from '../../src/authority/nodes/node-observations.js';
import { proveWall } from '../../src/platform/clock.js';
import type { Config } from '../../src/platform/config/config.js';
import type { Database } from '../../src/platform/stores/database.js';
import type { Metrics } from '../../src/platform/metrics.js';
import { RUNS } from './runs.js';

const LEASE_MS = 1_000;
const EPOCH = 1_800_000_000_000;

let now = 0;

beforeEach(() => {
  Logger.overrideLogger(false);
  jest.spyOn(performance, 'now').mockImplementation(() => now);
  jest.spyOn(Date, 'now').mockImplementation(() => EPOCH + now);
  jest.spyOn(globalThis, 'setInterval').mockImplementation(() => 0 as unknown as NodeJS.Timeout);
});
afterEach(() => {
  jest.restoreAllMocks();
  proveWall(Date.now() - performance.now());
});

interface Row {
  round: number;
  at: Position;
  incarnation: number;
  xmin: number;
}

interface State {
  process: number;
  history: string;
  n: number;
  hash: string;
  events: LoggedEvent[];
  ended: string[];
  receipts: Record<string, { n: number; history: string; hash: string }>;
  rows: Record<string, Row>;
}

/** The part of Postgres that the protocol rests on. */
class Postgres {
  state: State = {
    process: 0,
    history: 'history 0',
    n: 0,
    hash: '00',
    events: [],
    ended: [],
    receipts: {},
    rows: {},
  };
  private readonly past: State[] = [structuredClone(this.state)];
  private unique = 0;

  next(): number {
    return (this.unique += 1);
  }

  write<T>(change: (state: State) => T): T {
    const answer = change(this.state);
    this.past.push(structuredClone(this.state));
    return answer;
  }

  end(sessions: string[]): void {
    this.append({ kind: 'session.ended', sessions, reason: 'session_revoked' });
    this.state.ended.push(...sessions);
  }

  append(event: LoggedEvent['event']): void {
    const { state } = this;
    const logged = {
      n: state.n + 1,
      event,
      prev: state.hash,
      hash: this.next().toString(16).padStart(8, '0'),
    };
    state.events.push(logged);
    [state.n, state.hash] = [logged.n, logged.hash];
  }

  hashAt(n: number): string | null {
    return n === this.state.n
      ? this.state.hash
      : (this.state.events.find((event) => event.n === n + 1)?.prev ?? null);
  }

  /**
   * A promoted standby or restored server is another process; tables rewritten in a running one
   * have other row versions.
   */
  rewind(writes: number, how: 'server' | 'tables' | 'log'): void {
    const to = structuredClone(this.past[Math.max(0, this.past.length - 1 - writes)]!);
    if (how === 'log') {
      const { events, n } = to;
      // As DELETE and UPDATE leave it: the newest hash stays.
      this.write((state) => Object.assign(state, { events, n }));
    } else {
      for (const row of Object.values(to.rows)) if (how === 'tables') row.xmin = this.next();
      this.write((state) =>
        Object.assign(state, to, { process: how === 'server' ? this.next() : state.process }),
      );
    }
  }
}

/** One node, as src/authority makes it, with its statements answered by `Postgres`. */
class Node {
  readonly state = new AuthorityState(new AuthorityDispatcher());
  readonly lease: Lease;
  readonly rounds: LeaseRounds;
  readonly receipts: Receipts;
  private begun = 0;
  private incarnation = 0;
  private known = { round: 0, server: '', clockMs: 0 };
  private readonly observations = new NodeObservations();

  constructor(
    readonly id: string,
    private readonly postgres: Postgres,
  ) {
    const silent = { set: () => undefined, observe: () => undefined, inc: () => undefined };
    const metrics = {
      authorityFenced: silent,
      authorityRoundSeconds: silent,
      authorityPosition: silent,
      clockOffset: silent,
      receiptSeconds: silent,
    };
    const registry = {
      id,
      register: async () => this.register(),
      round: async (at: Position) => this.round(at),
      serving: async (n: number) => this.serving(n),
      eventsAfter: async (n: number) =>
        structuredClone(postgres.state.events.filter((event) => event.n > n)),
      leave: async () => undefined,
    } as unknown as NodeRegistry;
    const replacement = {
      write: async (from: Position, _: string, ended: EndedFacts) => this.replace(from, ended),
    } as unknown as HistoryReplacement;
    const stream = {
      follow: () => undefined,
      confirm: async () => undefined,
      keepPosition: () => undefined,
      keptPosition: async () => null,
    } as unknown as AuthorityStream;
    const config = { authorityLeaseMs: LEASE_MS } as Config;
    this.lease = new Lease(config, metrics as unknown as Metrics);
    this.rounds = new LeaseRounds(
      this.lease,
      registry,
      this.state,
      stream,
      replacement,
      new Clocks(metrics as unknown as Metrics),
      metrics as unknown as Metrics,
    );
    const prisma = {
      receipt: {
        findUnique: async ({ where }: { where: { id: string } }) => this.receiptRow(where.id),
      },
    };
    this.receipts = new Receipts(
      registry,
      this.observations,
      this.lease,
      this.rounds,
      { prisma } as unknown as Database,
      metrics as unknown as Metrics,
    );
  }

  accepts(session: string): boolean {
    return !this.lease.isFenced() && !this.state.hasEnded(session);
  }

  private look(): void {
    const { state } = this.postgres;
    const versions = new Map(
      Object.entries(state.rows).map(([id, { xmin, round }]) => [id, `${xmin}/${round}`]),
    );
    this.observations.note({
      database: `${state.process}/${state.history}`,
      headHash: state.hash,
      versions,
    });
  }

  private register() {
    const round = (this.begun += 1);
    return this.postgres.write((state) => {
      const at = { history: state.history, n: state.n, hash: state.hash };
      this.incarnation += 1;
      state.rows[this.id] = {
        round,
        at,
        incarnation: this.incarnation,
        xmin: this.postgres.next(),
      };
      this.known = { round, server: 'server', clockMs: now };
      const ended = state.ended.map((session) => ({
        session,
        reason: 'session_revoked' as const,
        endedAtMs: EPOCH + now,
      }));
      return { at, historyAtMs: null, ended, disabledTenants: [], withdrawnKeys: [] };
    });
  }

  private round(at: Position) {
    const round = (this.begun += 1);
    const row = this.postgres.state.rows[this.id];
    const written =
      row !== undefined &&
      row.incarnation === this.incarnation &&
      row.round >= this.known.round &&
      row.round < round;
    if (written)
      this.postgres.write(() => Object.assign(row, { round, at, xmin: this.postgres.next() }));
    const { state } = this.postgres;
    const known = { ...this.known, at, round: written ? round : this.known.round };
    const found = {
      history: state.history,
      head: state.n,
      pruned: 0,
      hash: this.postgres.hashAt(at.n),
      server: 'server',
      clockMs: now,
      written,
    };
    const verdict = compareHistory(known, { ...found, round: state.rows[this.id]?.round ?? null });
    this.look();
    if (verdict === 'same') this.known = { round, server: 'server', clockMs: now };
    return {
      verdict,
      head: state.n,
      headHash: state.hash,
      clock: { clockMs: EPOCH + now, askedMs: now, answeredMs: now },
    };
  }

  private serving(n: number) {
    const { state } = this.postgres;
    this.look();
    const nodes = Object.entries(state.rows).map(([id, { at }]) => {
      return {
        id,
        position: at.n,
        leaseMs: LEASE_MS,
        closed: {},
        holds: this.postgres.hashAt(at.n) === at.hash,
      };
    });
    return {
      nodes,
      hash: this.postgres.hashAt(n),
      head: state.n,
      pruned: 0,
      history: state.history,
    };
  }

  private replace(from: Position, { sessions }: EndedFacts): void {
    this.postgres.write((state) => {
      state.events = state.events.filter((event) => event.n <= state.n);
      if (state.history === from.history) {
        state.history = `history ${this.postgres.next()}`;
        this.postgres.append({
          kind: 'history.replaced',
          history: state.history,
          previous: from.history,
        });
      }
      const again = [...sessions.keys()].filter((session) => !state.ended.includes(session));
      if (again.length > 0) this.postgres.end(again);
    });
  }

  private receiptRow(id: string) {
    const row = this.postgres.state.receipts[id];
    return row === undefined
      ? null
      : {
          tenantId: 't',
          firstN: row.n,
          n: row.n,
          history: row.history,
          hash: Buffer.from(row.hash, 'hex'),
          sessions: 1,
        };
  }
}

type Step =
  | { do: 'round' | 'receipt'; node: number }
  | { do: 'revoke' }
  | { do: 'pass'; ms: number }
  | { do: 'rewind'; writes: number; how: 'server' | 'tables' | 'log' };

const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constantFrom('round' as const, 'receipt' as const),
        node: fc.nat(2),
      }),
    } as never,
    fc.record({ do: fc.constant('revoke' as const) }),
    fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 240 }) }),
    fc.record({
      do: fc.constant('rewind' as const),
      writes: fc.integer({ min: 1, max: 8 }),
      how: fc.constantFrom('server' as const, 'tables' as const, 'log' as const),
    }),
  ),
  { minLength: 5, maxLength: 80 },
);

test(`no receipt is effective while a node with a lease accepts the session, in ${RUNS} histories`, async () => {
  let effective = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      now = 10_000;
      const postgres = new Postgres();
      const nodes = ['a', 'b', 'c'].map((id) => new Node(id, postgres));
      for (const node of nodes) await node.rounds.start(() => undefined);
      // Each has heard of the others: docs/authority.md, "What is not promised".
      for (const node of nodes) await node.rounds.round();
      let revoked: string | null = null;
      let count = 0;
      for (const step of script) {
        if (step.do === 'pass') now += step.ms;
        else if (step.do === 'round') await nodes[step.node]!.rounds.round();
        else if (step.do === 'rewind') postgres.rewind(step.writes, step.how);
        else if (step.do === 'revoke') {
          const session = `session ${(count += 1)}`;
          // A log whose numbers are taken refuses the change, as its primary key does.
          if (postgres.state.events.some((event) => event.n > postgres.state.n)) continue;
          postgres.write((state) => {
            postgres.end([session]);
            state.receipts[session] = { n: state.n, history: state.history, hash: state.hash };
          });
          revoked = session;
        } else if (revoked !== null) {
          const receipt = await nodes[step.node]!.receipts.find(revoked, null).catch(() => null);
          if (receipt?.effective !== true) continue;
          effective += 1;
          for (const node of nodes)
            expect([node.id, node.accepts(revoked)]).toEqual([node.id, false]);
        }
        // The timing wheel: nobody stands still.
        for (const node of nodes) node.lease.isFenced(now);
      }
    }),
    { numRuns: RUNS },
  );
  expect(effective).toBeGreaterThan(0);
});
