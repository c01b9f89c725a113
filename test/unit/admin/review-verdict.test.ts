/** The verdict of a measure of the monthly review: each threshold from both sides. */
import { describe, expect, test } from '@jest/globals';
import { ITEMS } from '../../../src/admin/review/measures.js';
import { figuresOf, judge, percent, worstOf } from '../../../src/admin/review/verdict.js';
import { Metrics } from '../../../src/platform/metrics.js';

const of = (count: number, all: number) => ({ count, of: all, share: all === 0 ? 0 : count / all });
const QUIET = of(10, 10_000);
const MEASURE = { floor: 20, watch: 0.02, act: 0.1 };

describe('a measure', () => {
  test.each([
    ['nothing happened', of(0, 0), QUIET, 'ok', 'fewer than 20'],
    ['few, whatever their share', of(19, 19), QUIET, 'ok', 'fewer than 20'],
    ['below the threshold', of(199, 10_000), of(199, 10_000), 'ok', 'below 2 %'],
    ['at the threshold', of(200, 10_000), of(200, 10_000), 'watch', 'at least 2 %'],
    ['just below act', of(999, 10_000), QUIET, 'watch', 'at least 2 %'],
    ['at act', of(1_000, 10_000), QUIET, 'act', 'at least 10 %'],
    [
      'three times the month before, and enough to matter',
      of(100, 10_000),
      of(33, 10_000),
      'watch',
      '3 times the share of the month before, at least 100 and 0.5 %',
    ],
    ['less than three times', of(100, 10_000), of(34, 10_000), 'ok', 'below 2 %'],
    ['three times of next to nothing', of(49, 10_000), of(1, 10_000), 'ok', 'below 2 %'],
    ['nobody was there the month before', of(100, 10_000), of(0, 0), 'ok', 'below 2 %'],
  ])('%s', (_, now, before, verdict, threshold) => {
    expect(judge(MEASURE, now, before)).toEqual({ verdict, threshold });
  });

  test('that is on purpose is act only when it tripled', () => {
    const measure = { ...MEASURE, act: 'tripled' as const };
    expect(judge(measure, of(5_000, 10_000), of(5_000, 10_000)).verdict).toBe('watch');
    expect(judge(measure, of(5_000, 10_000), of(0, 0)).verdict).toBe('watch');
    expect(judge(measure, of(600, 10_000), of(200, 10_000)).verdict).toBe('act');
    expect(judge(measure, of(150, 10_000), of(10, 10_000)).verdict).toBe('watch');
  });

  test('that should not happen at all is watch from the first', () => {
    const measure = { floor: 1, watch: 0, act: 0.05 };
    expect(judge(measure, of(0, 10_000), QUIET).verdict).toBe('ok');
    expect(judge(measure, of(1, 10_000), QUIET)).toEqual({
      verdict: 'watch',
      threshold: 'at least one',
    });
    expect(judge(measure, of(500, 10_000), QUIET).verdict).toBe('act');
  });
});

test('the verdict of several is the worst one', () => {
  expect(worstOf([])).toBe('ok');
  expect(worstOf(['ok', 'act', 'watch'])).toBe('act');
  expect(percent(0.0005)).toBe('0.05 %');
});

test('figures add the series whose labels fit, and no others', () => {
  const [expired] = ITEMS.find(({ item }) => item === 'failed_tokens')!.measures.slice(1);
  const total = (name: string, labels: Record<string, string>, value: number) => ({
    name: `wardroom_${name}`,
    labels,
    value,
  });
  expect(
    figuresOf(expired!, [
      total('handshakes_total', { phase: 'auth', outcome: 'token_expired' }, 1),
      total('handshakes_total', { phase: 'upgrade', outcome: 'token_expired' }, 2),
      total('handshakes_total', { phase: 'auth', outcome: 'auth_invalid' }, 1_000),
      total('refusals_total', { via: 'http', code: 'token_expired' }, 4),
      // The frame of a client in grace is no credential.
      total('refusals_total', { via: 'frame', code: 'token_expired' }, 1_000),
      total('reauth_total', { outcome: 'token_expired' }, 8),
      total('handshakes_total', { phase: 'auth', outcome: 'accepted' }, 60),
      total('handshakes_total', { phase: 'upgrade', outcome: 'accepted' }, 1_000),
      total('reauth_total', { outcome: 'ok' }, 15),
      total('refreshes_total', { outcome: 'rotated' }, 10),
    ]),
  ).toEqual({ count: 15, of: 100, share: 0.15 });
});

test('every counter of the review exists, with the labels that are asked for', () => {
  const metrics = new Metrics().registry.getMetricsAsArray() as unknown as {
    name: string;
    labelNames: string[];
  }[];
  for (const { measures } of ITEMS)
    for (const { count, of: all } of measures)
      for (const { name, labels } of [...count, ...all])
        expect(metrics.find((metric) => metric.name === name)?.labelNames).toEqual(
          expect.arrayContaining(Object.keys(labels)),
        );
});
