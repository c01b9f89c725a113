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

describe('P5', () => {
  test.each([300, 600, 900])('10,000 tokens of %i s minted in one second are refreshed at a peak of at most 1.3 times the mean', (ttl) => {
    for (const start of [0, 0.1, 0.37, 0.5, 0.999]) {
      const lives = new LifeSequence(ttl, start);
      const times = Array.from({ length: 10_000 }, (_, i) => {
        const mintedMs = 1_700_000_000_000 + i / 10;
        const issuedAtMs = Math.floor(mintedMs / 1000) * 1000;
        return mintedMs + refreshWindow(issuedAtMs, issuedAtMs + lives.next() * 1000, mintedMs).refresh_after_ms;
      });
      expect(peakToMean(times, Math.min(...times))).toBeLessThanOrEqual(1.3);
    }
  });

  test('several nodes together spread as one', () => {
    const nodes = [0.2, 0.4, 0.9].map((start) => new LifeSequence(300, start));
    const times = Array.from({ length: 9_999 }, (_, i) => refreshWindow(0, nodes[i % 3]!.next() * 1000, 0).refresh_after_ms);
    expect(peakToMean(times, Math.min(...times))).toBeLessThanOrEqual(1.3);
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
  test('lies before the end, in order, and is the same whoever asks at one moment', () => {
    expect(refreshWindow(1_000, 301_000, 1_000)).toEqual({ refresh_after_ms: 225_000, refresh_before_ms: 270_000 });
    expect(refreshWindow(1_000, 301_000, 201_000)).toEqual({ refresh_after_ms: 25_000, refresh_before_ms: 70_000 });
  });

  test('is never negative', () => {
    expect(refreshWindow(1_000, 301_000, 400_000)).toEqual({ refresh_after_ms: 0, refresh_before_ms: 0 });
  });
});
