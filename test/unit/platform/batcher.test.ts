/**
 * Wishes of one turn, and those that follow on a query, are read together; who comes alone is read
 * at once.
 */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Batcher } from '../../../src/platform/stores/batcher.js';

let reads: number[][];
let gathering: Batcher<number, number>;

beforeEach(() => {
  jest.useFakeTimers();
  reads = [];
  gathering = new Batcher((wishes) => {
    reads.push(wishes);
    return Promise.resolve(
      wishes.map((wish) => (wish < 0 ? Promise.reject(new Error(`${wish}`)) : -wish)),
    );
  }, 100);
});
afterEach(() => void jest.useRealTimers());

const add = (...wishes: number[]) => wishes.forEach((wish) => void gathering.ask(wish));
const many = (count: number) => Array.from({ length: count }, (_, i) => i);

test('a lone caller waits for the end of the turn and no longer', () => {
  add(1, 2);
  jest.advanceTimersByTime(0);
  expect(reads).toEqual([[1, 2]]);
  jest.advanceTimersByTime(5);
  add(3);
  jest.advanceTimersByTime(0);
  expect(reads).toEqual([[1, 2], [3]]);
});

test('a caller soon after a query shares the next, which comes after at least 5 ms', () => {
  add(1);
  jest.advanceTimersByTime(1);
  add(2);
  jest.advanceTimersByTime(3);
  add(3);
  expect(reads).toEqual([[1]]);
  jest.advanceTimersByTime(2);
  expect(reads).toEqual([[1], [2, 3]]);
});

test.each([
  [12, 12],
  [90, 20],
])('after a query for %i the rest is %i ms', (count, restMs) => {
  add(...many(count));
  jest.advanceTimersByTime(0);
  add(1);
  jest.advanceTimersByTime(restMs - 1);
  expect(reads).toHaveLength(1);
  jest.advanceTimersByTime(1);
  expect(reads.at(-1)).toEqual([1]);
});

test('no query is for more than it may', () => {
  add(...many(250));
  jest.advanceTimersByTime(0);
  expect(reads.map((wishes) => wishes.length)).toEqual([100, 100, 50]);
});

test('everybody gets the answer to their own wish, and a failure that is their own', async () => {
  const answers = Promise.allSettled([1, -2, 3].map((wish) => gathering.ask(wish)));
  jest.advanceTimersByTime(0);
  expect(
    (await answers).map((answer) => (answer.status === 'fulfilled' ? answer.value : 'refused')),
  ).toEqual([-1, 'refused', -3]);
});

test('when a query fails everybody who shared it is told', async () => {
  const broken = new Batcher<number, number>(
    (wishes) =>
      wishes.includes(1) ? Promise.reject(new Error('no store')) : Promise.resolve(wishes),
    2,
  );
  const answers = Promise.allSettled([1, 2, 3].map((wish) => broken.ask(wish)));
  jest.advanceTimersByTime(0);
  expect((await answers).map(({ status }) => status)).toEqual([
    'rejected',
    'rejected',
    'fulfilled',
  ]);
});
