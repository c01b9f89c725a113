/** A slept machine, a set clock, a wrong clock: told apart by the clock of Postgres. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Clocks } from '../../../src/authority/clocks.js';
import { monotonicMs, proveWall, wallMs, wallStrays } from '../../../src/platform/clock.js';
import type { Metrics } from '../../../src/platform/metrics.js';

const EPOCH = 1_800_000_000_000;

describe('a round compares the clocks', () => {
  let monotonic = 0;
  let wall = 0;
  let postgres = 0;
  let clocks: Clocks;
  const pass = (ms: number) => {
    monotonic += ms;
    wall += ms;
    postgres += ms;
  };
  const round = (tookMs = 2) => {
    const askedMs = monotonicMs();
    pass(tookMs / 2);
    const clockMs = postgres;
    pass(tookMs / 2);
    return clocks.compare({ clockMs, askedMs, answeredMs: monotonicMs() });
  };

  beforeEach(() => {
    [monotonic, wall, postgres] = [50_000, EPOCH, EPOCH];
    jest.spyOn(performance, 'now').mockImplementation(() => monotonic);
    jest.spyOn(Date, 'now').mockImplementation(() => wall);
    clocks = new Clocks({ clockOffset: { set: () => undefined } } as unknown as Metrics);
    round();
    pass(400);
  });
  afterEach(() => {
    jest.restoreAllMocks();
    proveWall(Date.now() - performance.now());
  });

  test.each([2_000, -2_000])(
    'a clock set by %d ms is in doubt until the next round, which ages no token',
    (step) => {
      wall += step;
      expect(wallStrays()).toBe(true);
      expect(wallMs()).toBe(wall - step);
      expect(round()).toBe(0);
      expect(wallStrays()).toBe(false);
      expect(wallMs()).toBe(wall);
    },
  );

  test.each([3_600_000, -3_600_000])(
    'a clock wrong by %d ms stays in doubt, and the time of Postgres counts',
    (step) => {
      wall += step;
      for (let i = 0; i < 3; i += 1) {
        expect(round()).toBe(0);
        expect(wallStrays()).toBe(true);
        expect(wallMs()).toBe(postgres);
        pass(400);
      }
      wall -= step;
      expect(round()).toBe(0);
      expect(wallStrays()).toBe(false);
    },
  );

  test('a machine that slept is in doubt until the next round, which says for how long', () => {
    wall += 60_000;
    postgres += 60_000;
    expect(wallStrays()).toBe(true);
    expect(round()).toBeGreaterThan(59_990);
    expect(wallStrays()).toBe(false);
  });

  test('a slow answer is not taken for a wrong clock', () => {
    wall += 5_500;
    expect(round(1_400)).toBe(0);
    expect(wallStrays()).toBe(false);
  });

  test('a correction of less than a second is nobody’s business', () => {
    wall += 900;
    expect(wallStrays()).toBe(false);
    expect(round()).toBe(0);
  });
});
