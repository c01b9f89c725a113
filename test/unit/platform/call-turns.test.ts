/** Calls begin a few in a turn of the event loop, and networks take turns at it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import {
  CALLS_OF_A_TURN,
  CALLS_WAITING_MAX,
  CallTurns,
} from '../../../src/platform/http/call-turns.js';

/** Calls `a0`, `a1`, ... and what began so far. */
function bench() {
  const turns = new CallTurns();
  const began: string[] = [];
  const refused: string[] = [];
  let made = 0;
  const enter = (network: string, count = 1, credential = ''): void => {
    for (let i = 0; i < count; i += 1) {
      const name = `${network}${made}`;
      made += 1;
      turns.enter(network, credential, (refusal) =>
        refusal === undefined ? began.push(name) : refused.push(refusal.code),
      );
    }
  };
  return { enter, began, refused };
}

describe('calls', () => {
  test('begin at once where nobody waits, in every turn', async () => {
    const { enter, began } = bench();
    for (let turn = 1; turn <= 3; turn += 1) {
      enter('a', CALLS_OF_A_TURN);
      expect(began).toHaveLength(turn * CALLS_OF_A_TURN);
      await nextTurn();
    }
  });

  test('of a burst begin a few in a turn, in their order, until all have begun', async () => {
    const { enter, began } = bench();
    enter('a', 20);
    for (let turns = 0; began.length < 20; turns += 1) {
      expect(began).toHaveLength((turns + 1) * CALLS_OF_A_TURN);
      await nextTurn();
    }
    expect(began).toEqual(Array.from({ length: 20 }, (_, i) => `a${i}`));
  });

  test('of somebody else do not wait for the end of a burst', async () => {
    const { enter, began } = bench();
    enter('a', 200);
    enter('b');
    await nextTurn();
    expect(began).toContain('b200');
  });

  test('of another credential of the same network do not wait for the end of a burst', async () => {
    const { enter, began } = bench();
    enter('a', 200, 'greedy');
    enter('a', 1, 'calm');
    for (let turns = 0; turns < 2; turns += 1) await nextTurn();
    expect(began).toContain('a200');
  });

  test('beyond the line of a network are refused; another network still waits in its own', async () => {
    const { enter, began, refused } = bench();
    enter('a', CALLS_OF_A_TURN + CALLS_WAITING_MAX);
    expect(refused).toEqual([]);
    enter('a');
    expect(refused).toEqual(['overloaded']);
    enter('b');
    expect(refused).toHaveLength(1);
    while (began.length < CALLS_OF_A_TURN + CALLS_WAITING_MAX + 1) await nextTurn();
  });
});
