import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LifeSequence, refreshWindow } from '../../../src/auth/refresh-window.js';

const BIN_MS = 5_000;

/** Peak over mean of refreshes per bin, from the first refresh to the last, wherever the bins begin. */
function peakToMean(times: number[], offset: number): number {
  const bins = new Map<number, number>();
  for (const time of times) {
    const bin = Math.floor((time - offset) / BIN_MS);
    bins.set(bin, (bins.get(bin) ?? 0) + 1);
  }
  const span = Math.max(...bins.keys()) - Math.min(...bins.keys()) + 1;
  return Math.max(...bins.values()) / (times.length / span);
}

/** The worst of it, wherever the bins begin. */
function worstPeak(times: number[]): number {
  let worst = 0;
  for (let offset = 0; offset < BIN_MS; offset += 100) worst = Math.max(worst, peakToMean(times, offset));
  return worst;
}

describe('P5', () => {
  test.each([120, 180, 240, 300, 600, 900])('10,000 tokens of %i s minted in one second are refreshed at a peak of at most 1.3 times the mean', (ttl) => {
    for (const start of [0, 0.1, 0.37, 0.5, 0.999]) {
      const lives = new LifeSequence(ttl, start);
      const times = Array.from({ length: 10_000 }, (_, i) => {
        // The second they are minted in may be two of the token's clock.
        const mintedMs = 1_700_000_000_600 + i / 10;
        const issuedAtMs = Math.floor(mintedMs / 1000) * 1000;
        return mintedMs + refreshWindow(issuedAtMs, issuedAtMs + lives.next() * 1000, mintedMs).refresh_after_ms;
      });
      expect(worstPeak(times)).toBeLessThanOrEqual(1.3);
    }
  });

  test('several nodes together spread as one', () => {
    const nodes = [0.2, 0.4, 0.9].map((start) => new LifeSequence(300, start));
    const times = Array.from({ length: 9_999 }, (_, i) => refreshWindow(0, nodes[i % 3]!.next() * 1000, 0).refresh_after_ms);
    expect(worstPeak(times)).toBeLessThanOrEqual(1.3);
  });
});

describe('a life', () => {
  test('is whole seconds within (0.9 x ttl, ttl]', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 900 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (ttl, start) => {
        const lives = new LifeSequence(ttl, start);
        for (let i = 0; i < 200; i += 1) {
          const life = lives.next();
          expect(Number.isInteger(life)).toBe(true);
          expect(life).toBeGreaterThanOrEqual(Math.min(ttl, 0.9 * ttl + 1));
          expect(life).toBeLessThanOrEqual(ttl);
        }
      }),
    );
  });
});

describe('the window', () => {
  test('is the same whoever asks at one moment, and moves with the moment', () => {
    expect(refreshWindow(1_000, 301_000, 1_000)).toEqual({ refresh_after_ms: 150_000, refresh_before_ms: 270_000 });
    expect(refreshWindow(1_000, 281_000, 1_000)).toEqual({ refresh_after_ms: 200_000, refresh_before_ms: 252_000 });
    expect(refreshWindow(1_000, 281_000, 101_000)).toEqual({ refresh_after_ms: 100_000, refresh_before_ms: 152_000 });
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
    expect(refreshWindow(1_000, 301_000, 400_000)).toEqual({ refresh_after_ms: 0, refresh_before_ms: 0 });
  });
});
