/** Turns at what there is little of: nobody is kept waiting by how much somebody else wants. */
import { describe, expect, test } from '@jest/globals';
import { FairGate } from '../../../src/platform/fair-gate.js';

const BOUNDS = { running: 2, perKey: 1, waiting: 100, patienceMs: 1_000 };

/** Work that ends when it is told to; the order in which it began. */
function bench(bounds = BOUNDS) {
  const gate = new FairGate(bounds);
  const began: string[] = [];
  const ends = new Map<string, () => void>();
  const run = (key: string, name: string) =>
    gate.run(key, () => {
      began.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    });
  const end = async (name: string) => {
    ends.get(name)!();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { run, began, end };
}

describe('a gate', () => {
  test('runs as many as it may, one of each key, and lets keys take turns', async () => {
    const { run, began, end } = bench();
    const all = ['a1', 'a2', 'a3', 'b1', 'b2', 'c1'].map((name) => run(name[0]!, name));
    expect(began).toEqual(['a1', 'b1']);
    for (const name of ['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
      await end(began.includes(name) ? name : began.at(-1)!);
    await Promise.all(all);
    expect(began).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
  });

  test('gives the place of work that failed to the next', async () => {
    const gate = new FairGate({ ...BOUNDS, running: 1 });
    await expect(gate.run('a', () => Promise.reject(new Error('x')))).rejects.toThrow('x');
    expect(await gate.run('a', async () => 1)).toBe(1);
  });

  test('refuses what comes when the line of its key is full; other keys still wait in theirs', async () => {
    const { run, began, end } = bench({ ...BOUNDS, running: 1, waiting: 1 });
    const [first, second] = [run('a', 'a1'), run('a', 'a2')];
    await expect(run('a', 'a3')).rejects.toMatchObject({ code: 'overloaded' });
    const other = run('b', 'b1');
    await end('a1');
    await end(began.at(-1)!);
    await end(began.at(-1)!);
    await Promise.all([first, second, other]);
    expect(began).toHaveLength(3);
  });

  test('refuses who waited too long, and keeps no place for it', async () => {
    const { run, began, end } = bench({ ...BOUNDS, running: 1, patienceMs: 20 });
    const first = run('a', 'a1');
    await expect(run('a', 'a2')).rejects.toMatchObject({ code: 'overloaded' });
    await end('a1');
    await first;
    const last = run('a', 'a3');
    expect(began).toEqual(['a1', 'a3']);
    await end('a3');
    await last;
  });
});
