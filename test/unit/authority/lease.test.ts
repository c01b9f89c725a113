/**
 * The lease against clocks that are moved by hand: sleep of the machine, a process that stood
 * still, a turn that is only long.
 */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { AuthorityDispatcher } from '../../../src/authority/authority-dispatcher.js';
import { AuthorityState } from '../../../src/authority/authority-state.js';
import type { Position } from '../../../src/authority/authority-state.js';
import type { AuthorityStream } from '../../../src/authority/authority-stream.js';
import { Clocks } from '../../../src/authority/clocks.js';
import type { HistoryReplacement } from '../../../src/authority/history-replacement.js';
import { LeaseRounds } from '../../../src/authority/lease/lease-rounds.js';
import { Lease } from '../../../src/authority/lease/lease.js';
import type { NodeRegistry } from '../../../src/authority/nodes/node-registry.js';
import { monotonicMs, proveWall } from '../../../src/platform/clock.js';
import type { Config } from '../../../src/platform/config/config.js';
import type { Metrics } from '../../../src/platform/metrics.js';
import { at } from '../../support/positions.js';

const EPOCH = 1_800_000_000_000;

let monotonic = 0;
let wall = 0;
let lease: Lease;
let rounds: LeaseRounds;
/** Runs inside the next round, before and after Postgres has read its clock. */
let before: (() => void) | null = null;
let after: (() => void) | null = null;
const slept: number[] = [];

const registry = {
  register: async () => ({}),
  leave: async () => undefined,
  round: async () => {
    const askedMs = monotonicMs();
    before?.();
    const clockMs = wall;
    after?.();
    before = after = null;
    return {
      verdict: 'same',
      head: 0,
      headHash: at(0).hash,
      clock: { clockMs, askedMs, answeredMs: monotonicMs() },
    };
  },
};
const sleep = () => void (wall += 3_000);
const pass = (ms: number) => void ((wall += ms), (monotonic += ms));

beforeEach(async () => {
  Logger.overrideLogger(false);
  [monotonic, wall] = [50_000, EPOCH];
  jest.spyOn(performance, 'now').mockImplementation(() => monotonic);
  jest.spyOn(Date, 'now').mockImplementation(() => wall);
  const silent = { set: () => undefined, observe: () => undefined };
  const metrics = {
    authorityFenced: silent,
    authorityRoundSeconds: silent,
    clockOffset: silent,
  } as unknown as Metrics;
  const state = { position: 0, at: at(0), load: () => undefined } as unknown as AuthorityState;
  const stream = {
    follow: () => undefined,
    keepPosition: () => undefined,
    keptPosition: async () => null,
  } as unknown as AuthorityStream;
  const replacement = {} as HistoryReplacement;
  lease = new Lease({ authorityLeaseMs: 5_000 } as Config, metrics);
  rounds = new LeaseRounds(
    lease,
    registry as unknown as NodeRegistry,
    state,
    stream,
    replacement,
    new Clocks(metrics),
    metrics,
  );
  slept.length = 0;
  rounds.onSlept((ms) => slept.push(ms));
  await rounds.start(() => undefined);
});
afterEach(async () => {
  await rounds.beforeApplicationShutdown();
  jest.restoreAllMocks();
  proveWall(Date.now() - performance.now());
});

describe('the machine sleeps for 3 s while a round is under way', () => {
  test.each([
    ['before Postgres read its clock', () => (before = sleep)],
    ['after Postgres read its clock', () => (after = sleep)],
  ])(
    '%s: that round proves nothing, the next one ages the tokens and proves',
    async (_when, arm) => {
      expect(lease.isFenced()).toBe(false);
      arm();
      const seen: boolean[] = [];
      const round = registry.round;
      registry.round = async () => {
        seen.push(lease.isFenced());
        return round();
      };
      await rounds.round();
      registry.round = round;
      expect(seen).toEqual([false, true]);
      expect(slept).toEqual([3_000]);
      expect(lease.isFenced()).toBe(false);
    },
  );
});

describe('a process that stands still', () => {
  test('is fenced at the first look after 251 ms, and until a round has begun since', async () => {
    pass(250);
    expect(lease.isFenced()).toBe(false);
    pass(251);
    expect(lease.isFenced()).toBe(true);
    pass(1);
    expect(lease.isFenced()).toBe(true);
    rounds.beat();
    expect(lease.isFenced()).toBe(true);
    await rounds.round();
    expect(lease.isFenced()).toBe(false);
  });

  test('a turn in which a crowd is served is long, but somebody looks all the time: not fenced, by the beat after it neither', () => {
    for (let served = 0; served < 100; served += 1) {
      pass(20);
      expect(lease.isFenced()).toBe(false);
    }
    rounds.beat();
    expect(lease.isFenced()).toBe(false);
  });

  test('looks do not lengthen the lease: it ends B after its round began', () => {
    const fencedAfterMs = Array.from({ length: 60 }, (_, i) => (i + 1) * 100).find(
      () => (pass(100), lease.isFenced()),
    );
    expect(fencedAfterMs).toBe(5_000);
  });
});

describe('a wall clock that strays from the monotonic one', () => {
  test.each([
    ['a frame or call', () => lease.isFenced()],
    ['a slice of socket writes', () => rounds.beat()],
  ])(
    'ends the lease where %s looks, for every write after it, and until a round has compared the clocks',
    async (_who, look) => {
      wall += 2_000;
      look();
      expect(lease.isFenced()).toBe(true);
      wall -= 2_000;
      expect(lease.isFenced()).toBe(true);
      await rounds.round();
      expect(lease.isFenced()).toBe(false);
    },
  );
});

test('a lost event that the stream brings while a round is on its way does not stand for the new one with its number: not extended', async () => {
  const silent = { set: () => undefined, observe: () => undefined };
  const metrics = {
    authorityFenced: silent,
    authorityRoundSeconds: silent,
    authorityPosition: silent,
    clockOffset: silent,
  } as unknown as Metrics;
  let bring: Parameters<AuthorityStream['follow']>[0] = () => undefined;
  const stream = {
    follow: (events: typeof bring) => void (bring = events),
    confirm: async () => undefined,
    keepPosition: () => undefined,
    keptPosition: async () => null,
  } as unknown as AuthorityStream;
  let head = at(0);
  const behind: number[] = [];
  const answers = {
    register: async () => ({
      at: at(0),
      historyAtMs: null,
      ended: [],
      disabledTenants: [],
      withdrawnKeys: [],
    }),
    leave: async () => undefined,
    round: async (mine: Position) => {
      behind.push(mine.n);
      const answer = {
        verdict: 'same',
        head: head.n,
        headHash: head.hash,
        clock: { clockMs: wall, askedMs: monotonic, answeredMs: monotonic },
      };
      if (head.n > 0 && mine.n === 0)
        bring([
          { n: 1, prev: at(0).hash, hash: 'lost', event: { kind: 'key.added', kid: 'k' } } as never,
        ]);
      // From here on Postgres says nothing: what this round proves would hold for B.
      if (mine.n > 0) throw new Error('gone');
      return answer;
    },
  };
  const state = new AuthorityState(new AuthorityDispatcher());
  const other = new Lease({ authorityLeaseMs: 5_000 } as Config, metrics);
  const otherRounds = new LeaseRounds(
    other,
    answers as unknown as NodeRegistry,
    state,
    stream,
    {} as HistoryReplacement,
    new Clocks(metrics),
    metrics,
  );
  await otherRounds.start(() => undefined);
  for (let i = 0; i < 24; i += 1) {
    pass(200);
    expect(other.isFenced()).toBe(false);
  }
  head = { ...at(0), n: 1, hash: 'new' };
  await otherRounds.round();
  expect([state.at.hash, behind.slice(0, 2)]).toEqual(['lost', [0, 0]]);
  pass(200);
  expect(other.isFenced()).toBe(true);
  await otherRounds.beforeApplicationShutdown();
});
