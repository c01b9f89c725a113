import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fullestBin, peakToMean, simulate } from '../../../bench/refresh/simulate.mjs';
import { LifetimeSequence, refreshWindow } from '../../../src/auth/tokens/token-lifetimes.js';

describe('P5', () => {
  test.each([120, 180, 240, 300, 600, 900])(
    '10,000 tokens of %i s minted in one second are refreshed at a peak of at most 1.3 times the mean',
    (ttl) => {
      for (const start of [0, 0.1, 0.37, 0.5, 0.999]) {
        const lives = new LifetimeSequence(ttl, start);
        const times = Array.from({ length: 10_000 }, (_, i) => {
          // The second they are minted in may be two of the token's clock.
          const mintedMs = 1_700_000_000_600 + i / 10;
          const issuedAtMs = Math.floor(mintedMs / 1000) * 1000;
          return (
            mintedMs +
            refreshWindow(issuedAtMs, issuedAtMs + lives.next() * 1000, mintedMs).refresh_after_ms
          );
        });
        expect(peakToMean(times)).toBeLessThanOrEqual(1.3);
      }
    },
  );

  test('10,000 sessions of five nodes: the first wave keeps it, and no later wave within half an hour is higher', () => {
    const { first, all } = simulate(
      { LifetimeSequence, refreshWindow },
      { sessions: 10_000, nodes: 5, ttl: 300, mintMs: 1000, untilMs: 1_800_000 },
    );
    expect(first).toHaveLength(10_000);
    expect(all.length).toBeGreaterThan(80_000);
    expect(peakToMean(first)).toBeLessThanOrEqual(1.3);
    expect(fullestBin(all)).toBeLessThanOrEqual(1.3 * fullestBin(first));
  });

  test('the measure sees a storm: a third more in one second among an even spread', () => {
    const even = Array.from({ length: 10_000 }, (_, i) => i * 7.5);
    const storm = Array.from({ length: 3_000 }, (_, i) => 30_000 + i / 3);
    expect(peakToMean(even)).toBeLessThanOrEqual(1.01);
    expect(peakToMean([...even, ...storm])).toBeGreaterThan(3);
  });

  test('several nodes together spread as one', () => {
    const nodes = [0.2, 0.4, 0.9].map((start) => new LifetimeSequence(300, start));
    const times = Array.from(
      { length: 9_999 },
      (_, i) => refreshWindow(0, nodes[i % 3]!.next() * 1000, 0).refresh_after_ms,
    );
    expect(peakToMean(times)).toBeLessThanOrEqual(1.3);
  });
});

describe('a life', () => {
  test('is whole seconds within (0.9 x ttl, ttl]', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 900 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (ttl, start) => {
          const lives = new LifetimeSequence(ttl, start);
          const least = Math.min(ttl, 0.9 * ttl + 1);
          const wrong = Array.from({ length: 200 }, () => lives.next()).filter(
            (life) => !(Number.isInteger(life) && life >= least && life <= ttl),
          );
          expect(wrong).toEqual([]);
        },
      ),
    );
  });
});

describe('the window', () => {
  test('is the same whoever asks at one moment, and moves with the moment', () => {
    expect(refreshWindow(1_000, 301_000, 1_000)).toEqual({
      refresh_after_ms: 150_000,
      refresh_before_ms: 270_000,
    });
    expect(refreshWindow(1_000, 281_000, 1_000)).toEqual({
      refresh_after_ms: 200_000,
      refresh_before_ms: 252_000,
    });
    expect(refreshWindow(1_000, 281_000, 101_000)).toEqual({
      refresh_after_ms: 100_000,
      refresh_before_ms: 152_000,
    });
  });

  test('begins after half of the life and before it ends, for every life a token may have', () => {
    for (let life = 1; life <= 900; life += 1) {
      const { refresh_after_ms, refresh_before_ms } = refreshWindow(0, life * 1000, 0);
      expect(refresh_after_ms).toBeGreaterThanOrEqual(life * 500);
      expect(refresh_after_ms).toBeLessThan(refresh_before_ms);
      expect(refresh_before_ms).toBeLessThan(life * 1000);
    }
  });

  test('is never negative', () => {
    expect(refreshWindow(1_000, 301_000, 400_000)).toEqual({
      refresh_after_ms: 0,
      refresh_before_ms: 0,
    });
  });
});
