/**
 * One `RoomChannel` under random news: events offered twice, late, out of order, ahead of the
 * epoch; repairs; fences; fan-outs that stop after every few; subscriptions that come, are held,
 * catch up and leave between two pieces; full sockets; and a Postgres that comes back without its
 * newest events and gives their numbers again. Answers of Postgres are as old as the test likes.
 * Oracle: the room's own sequence in `Room`, as Postgres has it.
 */
import { describe, expect, test } from '@jest/globals';
import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { RUNS } from './runs.js';
import { Machine } from './room-channel-machine.js';
import type { Step } from './room-channel-machine.js';

const pick = fc.nat({ max: 1_000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('offer' as const), pick }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'commit',
        'commit',
        'turn',
        'commit after a shrink',
        'apply an epoch',
        'subscribe',
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('fence', 'prove', 'repair', 'head check') }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('hold', 'catch up', 'remove', 'fill'), pick }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('piece' as const), pick }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('signal' as const), ahead: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('subscribe', 'subscribe ahead', 'turn') }),
  },
);

describe('a room on a node', () => {
  test('gives every live subscription each event once, in order, under an applied epoch, and in the end all of them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 3 }),
        fc.array(step, { maxLength: 120 }),
        async (startAt, steps) => {
          const machine = new Machine(startAt);
          for (const each of steps) await machine.do(each);
          await machine.finish();
          expect(machine.violations).toEqual([]);
          expect(machine.readers.map(({ last }) => last)).toEqual(
            machine.readers.map(() => machine.room.events.length),
          );
        },
      ),
      { numRuns: RUNS },
    );
  });

  test('an event that is ahead of the applied epoch waits, and its followers with it', async () => {
    const machine = new Machine(0);
    for (const each of ['subscribe', 'commit after a shrink', 'commit'] as const)
      await machine.do({ do: each });
    for (const seq of [1, 0]) await machine.do({ do: 'offer', pick: seq });
    await machine.do({ do: 'turn' });
    expect(machine.readers[0]!.last).toBe(0);
    for (const each of ['apply an epoch', 'turn'] as const) await machine.do({ do: each });
    await machine.do({ do: 'piece', pick: 0 });
    expect(machine.readers[0]!.last).toBe(2);
  });
});

Logger.overrideLogger(false);

/** News, and a Postgres that loses some of it. */
const faulty: fc.Arbitrary<Step> = fc.oneof(
  { weight: 30, arbitrary: step },
  { weight: 10, arbitrary: fc.constant<Step>({ do: 'answer' }) },
  { weight: 3, arbitrary: fc.constant<Step>({ do: 'head check' }) },
  { weight: 8, arbitrary: fc.constant<Step>({ do: 'publish' }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('rewind', 'rewind and refill', 'late offer'),
      pick,
    }),
  },
);

describe('a room whose newest events Postgres has lost', () => {
  test('tells every subscriber what of it is lost, puts no event of one past behind another, and in the end all have what is stored', async () => {
    let named = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 3 }),
        fc.array(faulty, { maxLength: 160 }),
        async (startAt, steps) => {
          const machine = new Machine(startAt);
          for (const each of steps) await machine.do(each);
          await machine.finish();
          expect(machine.violations).toEqual([]);
          expect(machine.wrong()).toEqual([]);
          expect(machine.readers.map(({ last }) => last)).toEqual(
            machine.readers.map(() => machine.room.events.length),
          );
          named += machine.named.length;
        },
      ),
      { numRuns: RUNS },
    );
    expect(named).toBeGreaterThan(RUNS / 15);
  });

  const offerAll = (machine: Machine) =>
    Promise.all(machine.room.events.map((_, pick) => machine.do({ do: 'offer', pick })));
  const deliver = async (machine: Machine) => {
    for (const each of [{ do: 'turn' }, { do: 'piece', pick: 0 }] as const) await machine.do(each);
  };

  test('the next number after the old end is not taken for the next event: what was before it is another', async () => {
    const machine = new Machine(0);
    await machine.do({ do: 'subscribe' });
    for (let i = 0; i < 5; i += 1) await machine.do({ do: 'commit' });
    await offerAll(machine);
    await deliver(machine);
    machine.room.rewind(3);
    for (let i = 0; i < 3; i += 1) await machine.do({ do: 'commit' });
    await machine.do({ do: 'offer', pick: 5 });
    await deliver(machine);
    expect(machine.readers[0]!.last).toBe(5);
    await machine.finish();
    expect(machine.named).toEqual([expect.objectContaining({ from: 4, to: 5 })]);
    expect(machine.wrong()).toEqual([]);
    expect(machine.readers[0]!.last).toBe(6);
  });
});

describe('a fan-out that stops on the way', () => {
  const run = async (script: Step[], start = 3): Promise<Machine> => {
    const machine = new Machine(0);
    for (let i = 0; i < start; i += 1) await machine.do({ do: 'subscribe' });
    for (const each of script) await machine.do(each);
    return machine;
  };
  const signal: Step = { do: 'signal', ahead: false };
  const piece: Step = { do: 'piece', pick: 0 };

  test('is not for somebody who was held and came back meanwhile', async () => {
    const machine = await run([
      signal,
      { do: 'turn' },
      piece,
      { do: 'hold', pick: 1 },
      { do: 'hold', pick: 0 },
      { do: 'catch up', pick: 0 },
      piece,
      piece,
    ]);
    expect(machine.violations).toEqual([]);
    expect(machine.readers.map(({ signals }) => signals)).toEqual([[], [], [1]]);
  });

  test('leaves nobody out when others leave the list', async () => {
    const machine = await run(
      [
        signal,
        { do: 'turn' },
        piece,
        { do: 'hold', pick: 0 },
        { do: 'hold', pick: 3 },
        piece,
        piece,
        piece,
      ],
      4,
    );
    expect(machine.violations).toEqual([]);
    expect(machine.readers.map(({ signals }) => signals)).toEqual([[], [1], [1], [1]]);
  });
});
