/** A flooded room must not make the others wait, and every room keeps its order. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CommitQueue } from '../../../src/rooms/events/commit/commit-queue.js';

interface Entry {
  input: { room: string };
  n: number;
  key: string | null;
}

const queueOf = (...entries: [room: string, key?: string][]) => {
  const queue = new CommitQueue<Entry>(({ key }) => (key === null ? [] : [key]));
  entries.forEach(([room, key], n) => queue.push({ input: { room }, n, key: key ?? null }));
  return queue;
};
const said = (batch: Entry[]) => batch.map(({ input, n }) => `${input.room}${n}`).join(' ');

describe('a commit queue', () => {
  test('takes everything when it fits', () => {
    const queue = queueOf(['a'], ['b'], ['a']);
    expect(said(queue.take(256))).toBe('a0 b1 a2');
    expect([queue.size, queue.take(256)]).toEqual([0, []]);
  });

  test('a room of one event is in the very next batch, however much waits in another', () => {
    const queue = queueOf(...Array.from({ length: 5_000 }, (): [string] => ['flooded']), ['quiet']);
    expect(said(queue.take(4))).toBe('flooded0 quiet5000 flooded1 flooded2');
    expect(queue.size).toBe(4_997);
  });

  test('a flooded room takes its part of a batch and no more, whatever is free', () => {
    const queue = queueOf(['a'], ['a'], ['a'], ['b']);
    expect([said(queue.take(256, 2)), said(queue.take(256, 2))]).toEqual(['a0 b3 a1', 'a2']);
  });

  test('more rooms than a batch has places take turns', () => {
    const queue = queueOf(['a'], ['a'], ['b'], ['b'], ['c'], ['c']);
    expect([said(queue.take(2)), said(queue.take(2)), said(queue.take(2))]).toEqual([
      'a0 b2',
      'c4 a1',
      'b3 c5',
    ]);
  });

  test('the same key waits for the next batch, and what follows it in its room with it', () => {
    const queue = queueOf(['a', 'k'], ['a', 'k'], ['a'], ['b']);
    expect([said(queue.take(9)), said(queue.take(9))]).toEqual(['a0 b3', 'a1 a2']);
  });

  test('loses nothing, repeats nothing, keeps the order of each room and repeats no key in a batch', () => {
    const entry = fc.tuple(
      fc.constantFrom('a', 'b', 'c'),
      fc.option(fc.constantFrom('k', 'l'), { nil: undefined }),
    );
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 60 }),
        fc.integer({ min: 1, max: 8 }),
        (entries, max) => {
          const queue = queueOf(...(entries as [string, string?][]));
          const taken: Entry[] = [];
          while (queue.size > 0) {
            const batch = queue.take(max);
            expect(batch.length).toBeGreaterThan(0);
            expect(batch.length).toBeLessThanOrEqual(max);
            const keys = batch.flatMap(({ key }) => (key === null ? [] : [key]));
            expect(new Set(keys).size).toBe(keys.length);
            taken.push(...batch);
          }
          for (const room of ['a', 'b', 'c']) {
            const mine = taken.filter(({ input }) => input.room === room).map(({ n }) => n);
            expect(mine).toEqual(entries.flatMap(([each], n) => (each === room ? [n] : [])));
          }
        },
      ),
    );
  });
});
