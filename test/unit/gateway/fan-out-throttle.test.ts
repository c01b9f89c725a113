/**
 * A room of many listeners: what comes together leaves together, what comes alone leaves at once.
 */
import { describe, expect, test } from '@jest/globals';
import { FanOutThrottle } from '../../../src/gateway/delivery/fan-out/fan-out-throttle.js';

/** A fan-out that takes `tookMs` from `atMs` and carries so much, while so much comes. */
function fanOut(
  pace: FanOutThrottle,
  atMs: number,
  tookMs: number,
  carried: number,
  came: number,
): void {
  pace.begin(atMs, carried);
  expect(pace.waitMs(atMs, came)).toBe(Infinity);
  pace.end(atMs + tookMs, came);
}

describe('the pace of a large room', () => {
  test('before its first fan-out it does not wait', () => {
    expect(new FanOutThrottle().waitMs(0, 1)).toBe(0);
  });

  test('one message in flight never waits', () => {
    const pace = new FanOutThrottle();
    for (let at = 0; at < 100; at += 10) {
      fanOut(pace, at, 5, 1, 0);
      expect(pace.waitMs(at + 5, 1)).toBe(0);
    }
  });

  test('eight in flight that settled into two halves are joined, and stay joined', () => {
    const pace = new FanOutThrottle();
    fanOut(pace, 0, 4, 4, 4);
    expect([pace.waitMs(4, 4), pace.waitMs(5, 7), pace.waitMs(6, 8)]).toEqual([8, 7, 0]);
    fanOut(pace, 6, 4, 8, 0);
    expect([pace.waitMs(11, 1), pace.waitMs(11, 8)]).toEqual([7, 0]);
  });

  test('a publisher who does not come back holds nobody up for more than twice the fan-out, nor for more than 100 ms', () => {
    const pace = new FanOutThrottle();
    fanOut(pace, 0, 4, 8, 0);
    expect(pace.waitMs(12, 1)).toBe(0);
    fanOut(pace, 20, 90, 8, 0);
    expect([pace.waitMs(110, 1), pace.waitMs(210, 1)]).toEqual([100, 0]);
  });
});
