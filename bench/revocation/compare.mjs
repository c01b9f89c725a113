/**
 * The cost of comparing lease, clock, expiry and deadness: the very functions that run before every
 * socket write.
 */
import { Logger } from '@nestjs/common';
import { Connection } from '../../dist/gateway/connection/connection.js';
import { LeaseRounds } from '../../dist/authority/lease/lease-rounds.js';
import { Lease } from '../../dist/authority/lease/lease.js';
import { Clocks } from '../../dist/authority/clocks.js';
import { monotonicMs } from '../../dist/platform/clock.js';

/** Shorter than the stall that would fence. */
const CALLS = 200_000;
const REPETITIONS = 41;

/**
 * @returns {Promise<{ median: number, min: number, max: number, calls: number }>} nanoseconds a
 * call, reading the clock included
 */
export async function costOfComparing() {
  Logger.overrideLogger(false);
  /** As much of each as comparing touches. */
  const partly = (/** @type {any} */ stub) => stub;
  const silent = { set: () => undefined, observe: () => undefined };
  const metrics = partly({
    authorityFenced: silent,
    authorityRoundSeconds: silent,
    authorityPosition: silent,
    clockOffset: silent,
  });
  const answer = () => ({
    verdict: 'same',
    head: 0,
    clock: { clockMs: Date.now(), askedMs: monotonicMs(), answeredMs: monotonicMs() },
  });
  const registry = partly({
    id: 'bench',
    register: async () => ({}),
    round: async () => answer(),
    leave: async () => undefined,
  });
  const state = partly({ position: 0, load: () => undefined });
  const stream = partly({
    follow: () => undefined,
    keepPosition: () => undefined,
    keptPosition: async () => null,
  });
  const lease = new Lease(partly({ authorityLeaseMs: 60_000 }), metrics);
  const rounds = new LeaseRounds(
    lease,
    registry,
    state,
    stream,
    partly({}),
    new Clocks(metrics),
    metrics,
  );
  await rounds.start(() => undefined);
  const connection = partly(
    new Connection(
      partly({}),
      '127.0.0.1',
      undefined,
      partly({}),
      partly({ isFenced: (nowMs) => lease.isFenced(nowMs) }),
      'header',
      null,
    ),
  );
  connection.token = { deadlineMs: Infinity };
  connection.state = 'live';
  const costs = [];
  for (let i = 0; i < REPETITIONS; i += 1) {
    rounds.beat();
    const from = process.hrtime.bigint();
    let allowed = 0;
    for (let k = 0; k < CALLS; k += 1) if (connection.mayWriteRoomData(monotonicMs())) allowed += 1;
    const ns = Number(process.hrtime.bigint() - from) / CALLS;
    if (allowed === CALLS) costs.push(ns);
    await rounds.round();
  }
  await rounds.beforeApplicationShutdown();
  costs.sort((a, b) => a - b);
  return {
    median: costs[costs.length >> 1],
    min: costs[0],
    max: costs.at(-1),
    calls: CALLS * costs.length,
  };
}
