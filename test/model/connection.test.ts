/**
 * A real `Connection` over a socket of ours, driven by random commands: what leaves the socket is
 * compared with a model of what may leave it at that moment. The clock is real; deadlines are far
 * away or past.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RUNS } from './runs.js';
import { COMMANDS, QUEUE_BYTES_MAX, HOLDS, Machine } from './connection-machine.js';
import type { Command, Sent } from './connection-machine.js';

const commands = fc.array(fc.constantFrom(...COMMANDS), { maxLength: 60 });
const held = (frames: readonly Sent[]) =>
  frames.filter(({ kind }) => kind === 'a' || kind === 'b' || kind === 'answer');
const own = (frames: readonly Sent[]) => frames.filter(({ kind }) => kind === 'own');

const property = (
  check: (machine: Machine, commands: Command[]) => Promise<void> | void,
  given = commands,
) =>
  fc.assert(
    fc.asyncProperty(given, async (script) => {
      const machine = new Machine();
      for (const command of script) machine.do(command);
      await machine.finish();
      await check(machine, script);
    }),
    { numRuns: RUNS },
  );

describe('frames that leave a connection', () => {
  test('nothing of a room while fenced, expired, past its deadline or after the end; after the end the goodbye alone', async () => {
    await property((machine) => {
      expect(machine.violations).toEqual([]);
      expect(machine.sent.filter(({ kind }) => kind === 'goodbye')).toHaveLength(
        machine.ended ? 1 : 0,
      );
      if (machine.ended) expect(machine.sent.at(-1)!.kind).toBe('goodbye');
      expect(machine.closes).toHaveLength(machine.ended ? 1 : 0);
    });
  });

  test('events of rooms arrive once and in order, however often they were held back, unless they were taken back', async () => {
    await property((machine) => {
      const got = held(machine.sent);
      const wanted = held(machine.expected);
      expect(got).toEqual(machine.ended ? wanted.slice(0, got.length) : wanted);
    });
  });

  test('words about the connection itself go out in order while room data is held', async () => {
    await property((machine) => {
      const got = own(machine.sent);
      const wanted = own(machine.expected);
      expect(got).toEqual(machine.ended ? wanted.slice(0, got.length) : wanted);
    });
    const machine = new Machine();
    for (const command of ['room a', 'fence', 'own', 'turn'] as const) machine.do(command);
    expect(machine.sent.map(({ kind }) => kind)).toEqual(['own']);
  });

  test('a ping goes out between whole frames, also while room data is held', async () => {
    await property(({ pings, ended }) => {
      if (ended) expect(pings.sent).toBeLessThanOrEqual(pings.asked);
      else expect(pings.sent).toBe(pings.asked);
    });
    const machine = new Machine();
    for (const command of ['room a', 'fence', 'ping', 'turn'] as const) machine.do(command);
    expect(machine.pings.sent).toBe(1);
    expect(machine.sent).toEqual([]);
  });

  test('a caller that waits for the queue to drain goes on when it has, or when the connection is over', async () => {
    await property((machine) => expect(machine.waits.every(({ settled }) => settled)).toBe(true));
    const machine = new Machine();
    for (const command of ['own', 'wait for drain', 'fence', 'turn'] as const) machine.do(command);
    await machine.finish();
    expect(machine.waits).toEqual([{ settled: true }]);
  });

  test('frames that came while the kernel was full leave once it has taken the last write, in one', () => {
    const machine = new Machine();
    for (const command of [
      'own',
      'turn',
      'drain',
      'fill',
      'room a now',
      'room a now',
      'own',
      'room b',
      'turn',
    ] as const)
      machine.do(command);
    expect(machine.sent).toHaveLength(2);
    machine.do('room a');
    expect(machine.waiting).toBe(0);
    for (const command of ['drain', 'turn'] as const) machine.do(command);
    expect(machine.sent).toEqual(machine.expected);
    expect(machine.writes).toBe(3);
  });

  test('nothing follows the close frame that answered a client: what waits is dropped, who waits goes on', async () => {
    const machine = new Machine();
    machine.do('room a');
    machine.connection.peerStatus = 1000;
    for (const command of ['wait for drain', 'room a now', 'turn'] as const) machine.do(command);
    expect(machine.sent).toEqual([]);
    expect(machine.connection.heldBytes).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(machine.waits).toEqual([{ settled: true }]);
  });

  test('a peer far behind is closed as slow_consumer instead of filling memory', async () => {
    const flood = fc.array(
      fc.constantFrom<Command>(
        'room a',
        'room b',
        'room a now',
        'answer',
        'turn',
        'fill',
        'fence',
        'fence',
      ),
      {
        minLength: 500,
        maxLength: 900,
      },
    );
    await fc.assert(
      fc.asyncProperty(flood, async (script) => {
        const machine = new Machine();
        let most = 0;
        for (const command of script) {
          machine.do(command);
          most = Math.max(most, machine.connection.heldBytes);
        }
        expect(most).toBeLessThanOrEqual(QUEUE_BYTES_MAX * HOLDS);
        await machine.finish();
        for (const { reason } of machine.closes)
          expect(JSON.parse(reason)).toMatchObject({ code: 'slow_consumer', action: 'reconnect' });
      }),
      { numRuns: 50 },
    );
  });
});
