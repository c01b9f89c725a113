import { expect, test } from '@jest/globals';
import { WardroomError } from '../../sdk/src/errors.js';
import { planReconnect } from '../../sdk/src/connection/plan-reconnect.js';

const CLIENTS = 5_000;
const LOST = new WardroomError('connection_lost');

/** Numerical Recipes' generator: the same herd every time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_664_525 + 1_013_904_223) >>> 0) / 2 ** 32;
}

/**
 * Everybody loses the server at 0 and is refused until it is back; answers when each asks the
 * server that is back, in ms.
 */
function herd(awayMs: number): { backMs: number[]; asked: number } {
  const backoff = { baseMs: 1_000, maxMs: 30_000, random: seeded(20_261_122) };
  const backMs: number[] = [];
  let asked = 0;
  for (let client = 0; client < CLIENTS; client += 1) {
    let nowMs = 0;
    for (let attempt = 0; ; attempt += 1) {
      const plan = planReconnect(LOST, attempt, backoff);
      if (plan.next !== 'connect') throw new Error('a lost transport ends no client');
      nowMs += plan.delayMs;
      asked += 1;
      if (nowMs >= awayMs) break;
    }
    backMs.push(nowMs);
  }
  return { backMs: backMs.sort((a, b) => a - b), asked };
}

/** The most that come within any 100 ms. */
function peakOf(times: number[]): number {
  let first = 0;
  return times.reduce((peak, time, i) => {
    while (times[first]! <= time - 100) first += 1;
    return Math.max(peak, i - first + 1);
  }, 0);
}

test.each([300, 1_500, 5_000, 10_000, 60_000])(
  'a herd whose server was away for %i ms is back soon after it, and spread',
  (awayMs) => {
    const { backMs, asked } = herd(awayMs);
    expect(backMs.at(-1)!).toBeLessThanOrEqual(Math.min(3 * awayMs + 2_000, awayMs + 30_000));
    expect(peakOf(backMs)).toBeLessThan(CLIENTS * 0.12);
    // One try a second at the beginning, one in 22 s at the end.
    expect(asked / CLIENTS).toBeLessThan(1 + Math.log2(1 + awayMs / 500));
  },
);
