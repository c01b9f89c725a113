/** The rows of a long table that are in the page, where keys lead, and the console's own place. */
import { describe, expect, test } from '@jest/globals';
import type { Me } from '@wardroom/client';
import { Console, namesOf } from '../../../../web/model/console/console.js';
import { rowAfter, rowsInSight } from '../../../../web/model/console/rows-in-sight.js';
import { ScriptedCaller } from './scripted-caller.js';

describe('a table of a million rows', () => {
  test('has some dozens of them in the page, wherever it is scrolled to', () => {
    for (const top of [0, 5_000, 31_999_200, 99_999_999]) {
      const { first, last } = rowsInSight({ top, height: 800 }, 32, 1_000_000);
      expect(last - first).toBeLessThanOrEqual(46);
      expect(first).toBeGreaterThanOrEqual(0);
      expect(last).toBeLessThanOrEqual(1_000_000);
    }
  });

  test('shows each row that is in sight', () => {
    const { first, last } = rowsInSight({ top: 3_200, height: 320 }, 32, 1_000);
    expect(first).toBeLessThanOrEqual(100);
    expect(last).toBeGreaterThanOrEqual(110);
  });

  test('of none shows none', () => {
    expect(rowsInSight({ top: 0, height: 800 }, 32, 0)).toEqual({ first: 0, last: 0 });
    expect(rowAfter('ArrowDown', 0, 0, 10)).toBeNull();
  });

  test.each([
    ['ArrowDown', 5, 6],
    ['ArrowUp', 0, 0],
    ['PageDown', 5, 15],
    ['PageUp', 5, 0],
    ['Home', 50, 0],
    ['End', 5, 99],
    ['ArrowDown', 99, 99],
    ['x', 5, null],
  ])('by %s leads from row %i to %j', (key, at, to) => {
    expect(rowAfter(key, at, 100, 10)).toBe(to);
  });
});

describe('the console', () => {
  const me = { role: 'operator', user_id: 'u', tenant_id: 't' } as Me;
  const node = (id: string, name: string, state = 'serving') => ({ id, name, state }) as never;

  function open(caller = new ScriptedCaller(() => ({ items: [node('n-1', 'host')] }))) {
    const bar = { hash: '#/sessions?q=ben%40', written: [] as [string, boolean][] };
    const console = new Console(
      {
        me: { value: me },
        client: { session: caller },
      },
      'https://x',
      {
        read: () => bar.hash,
        write: (hash, replace) => {
          bar.hash = hash;
          bar.written.push([hash, replace]);
        },
      },
    );
    return { console, bar };
  }

  test('begins where the URL says, and writes filters there without a step back', () => {
    const { console, bar } = open();
    expect(console.place.value.fields).toEqual({ q: 'ben@' });
    console.filter({ q: 'cora@', state: '' });
    console.go('why', 'abc');
    expect(bar.written).toEqual([
      ['#/sessions?q=cora%40', true],
      ['#/why/abc', false],
    ]);
    expect(console.place.value).toMatchObject({ page: 'why', id: 'abc' });
  });

  test('tells nodes of one host apart, and waits for none that is gone', () => {
    expect(
      namesOf([
        node('id-0001', 'vm'),
        node('id-0002', 'vm'),
        node('id-0003', 'db'),
        node('x', 'old', 'gone'),
      ]),
    ).toEqual([
      { id: 'id-0001', name: 'vm …0001' },
      { id: 'id-0002', name: 'vm …0002' },
      { id: 'id-0003', name: 'db' },
    ]);
  });

  test('opens a change with the names of the nodes that have to confirm', async () => {
    const { console } = open();
    await console.learnNodes();
    console.begin({
      title: 'x',
      effects: [],
      undo: null,
      button: 'x',
      reason: 'none',
      destructive: false,
      asks: () => [],
      cli: () => [],
    });
    expect(console.nodes.value).toEqual([{ id: 'n-1', name: 'host' }]);
    expect(console.doing.value?.missing.value).toBeNull();
  });
});
