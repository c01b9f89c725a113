/** The benchmark gate of `npm test` and its idea of a regression, on results that are made up. */
import { expect, jest, test } from '@jest/globals';
import { passes } from '../../../bench/harness/figures.mjs';
import { ATTEMPTS, stillOver } from '../../../bench/harness/still-over.mjs';

const attempts = (...ratios: number[]) => jest.fn(async () => ratios.shift()!);

test('a ratio under its ceiling is asked for once', async () => {
  const measure = attempts(1.1);
  expect(await stillOver(1.45, measure)).toBe(false);
  expect(measure).toHaveBeenCalledTimes(1);
});

test('a machine that was busy for a moment is no regression', async () => {
  expect(await stillOver(1.45, attempts(1.9, 1.5, 1.44))).toBe(false);
});

test('a ratio that stays over its ceiling is one', async () => {
  const measure = attempts(2.2, 2.1, 2.3);
  expect(await stillOver(1.45, measure)).toBe(true);
  expect(measure).toHaveBeenCalledTimes(ATTEMPTS);
});

test('--check compares runs of the same repetition, and a failed run never passes', () => {
  const targets = [
    {
      peer: 'ours',
      figure: 'cpu_us_per_delivery',
      most: 1.15,
      against: { peer: 'bare' },
      ceiling: 2,
    },
  ];
  const run = (peer: string, rep: number, cost: number) => ({
    peer,
    step: '',
    rep,
    result: { cpu_us_per_delivery: cost },
  });
  const runs = (...ratios: number[]) =>
    ratios.flatMap((ratio, rep) => [
      run('bare', rep, 10 * (rep + 1)),
      run('ours', rep, 10 * (rep + 1) * ratio),
    ]);
  const log = () => undefined;
  expect(passes({ targets, runs: runs(1.9, 1.2, 1.3), failed: [] }, log)).toBe(true);
  expect(passes({ targets, runs: runs(2.2, 2.4, 1.3), failed: [] }, log)).toBe(false);
  expect(
    passes(
      { targets, runs: runs(1.1), failed: [{ peer: 'ours', step: '', rep: 2, error: 'x' }] },
      log,
    ),
  ).toBe(false);
});
