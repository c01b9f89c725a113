/**
 * A bucket of a rate: what it gives, what it says when it gives nothing, and what it makes of what
 * other nodes gave.
 */
import { describe, expect, test } from '@jest/globals';
import { TokenBucket } from '../../../src/budgets/token-bucket.js';

describe('a bucket of 20 a second', () => {
  test('gives a burst of three seconds, then 20 a second, and says to the millisecond when', () => {
    const bucket = new TokenBucket(20, 0);
    for (let i = 0; i < 60; i += 1) expect(bucket.take(0)).toBe(0);
    expect(bucket.take(0)).toBe(50);
    expect(bucket.take(49)).toBe(1);
    expect(bucket.take(50)).toBe(0);
    let given = 0;
    for (let ms = 51; ms <= 10_050; ms += 1) given += bucket.take(ms) === 0 ? 1 : 0;
    expect(given).toBe(200);
  });

  test('takes more than one token for what costs more', () => {
    const bucket = new TokenBucket(20, 0);
    expect([bucket.take(0, 59), bucket.take(0, 2), bucket.take(50, 2)]).toEqual([0, 50, 0]);
  });

  test('gives less when other nodes gave, never more', () => {
    const bucket = new TokenBucket(20, 0);
    for (let i = 0; i < 30; i += 1) bucket.take(0);
    bucket.adopt(60, 0);
    expect(bucket.levelAt(0)).toBe(30);
    bucket.untold = 0;
    bucket.adopt(10, 0);
    expect(bucket.levelAt(0)).toBe(10);
    bucket.take(0);
    bucket.adopt(5, 0);
    expect(bucket.levelAt(0)).toBe(4);
  });

  test('keeps its word when what it is told differs by less than a token', () => {
    const bucket = new TokenBucket(20, 0);
    for (let i = 0; i < 60; i += 1) bucket.take(0);
    bucket.untold = 0;
    expect(bucket.take(10)).toBe(40);
    bucket.adopt(-0.5, 10);
    expect(bucket.take(50)).toBe(0);
  });

  test('gives a share of the rate while nodes do not hear of each other', () => {
    const bucket = new TokenBucket(20, 0);
    let given = 0;
    for (let ms = 0; ms <= 10_000; ms += 1) given += bucket.take(ms, 1, 0.5) === 0 ? 1 : 0;
    expect(given).toBe(30 + 100);
  });
});

test('a rate of 0 is none', () => {
  const bucket = new TokenBucket(Infinity, 0);
  for (let i = 0; i < 10_000; i += 1) expect(bucket.take(0)).toBe(0);
});
