import { expect, test } from '@jest/globals';
import { RefusedOrigins } from '../../../src/auth/guard/refused-origins.js';

test('an origin is new once a minute', () => {
  const refused = new RefusedOrigins();
  expect(
    [0, 1, 59_999, 60_000, 60_001, 120_000].map((nowMs) =>
      refused.isNew('https://a.example', nowMs),
    ),
  ).toEqual([true, false, false, true, false, true]);
});

test('a client that makes up origins is named 50 times a minute, and nothing grows', () => {
  const refused = new RefusedOrigins();
  const named = (nowMs: number) =>
    Array.from({ length: 1000 }, (_, i) =>
      refused.isNew(`https://${nowMs}-${i}.example`, nowMs),
    ).filter(Boolean).length;
  expect([named(0), named(30_000), named(60_000), named(60_001)]).toEqual([50, 0, 50, 0]);
});
