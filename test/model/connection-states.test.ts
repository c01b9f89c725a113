/**
 * The table of a connection's life (src/gateway/connection/connection-states.ts): whatever happens
 * in whatever order.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  TRANSITIONS,
  nextState,
  sendsRoomData,
} from '../../src/gateway/connection/connection-states.js';
import type {
  ConnectionEvent,
  ConnectionState,
} from '../../src/gateway/connection/connection-states.js';
import { RUNS } from './runs.js';

const STATES = Object.keys(TRANSITIONS) as ConnectionState[];
const EVENTS = [
  ...new Set(STATES.flatMap((state) => Object.keys(TRANSITIONS[state]))),
] as ConnectionEvent[];
const history = fc.array(fc.constantFrom(...EVENTS), { maxLength: 40 });

/** Every state passed through, the first included; an event without meaning changes nothing. */
function walk(
  events: readonly ConnectionEvent[],
  from: ConnectionState = 'greeting',
): ConnectionState[] {
  const states = [from];
  for (const event of events) states.push(nextState(states.at(-1)!, event) ?? states.at(-1)!);
  return states;
}

const every = (holds: (states: ConnectionState[], events: ConnectionEvent[]) => boolean) =>
  fc.assert(
    fc.property(history, (events) => holds(walk(events), events)),
    { numRuns: RUNS },
  );

describe('the life of a connection', () => {
  test('no state but live sends room data', () => {
    expect(STATES.filter(sendsRoomData)).toEqual(['live']);
  });

  test('room data needs a credential that was taken and accepted, in this order', () => {
    every((states, events) => {
      const first = states.findIndex(sendsRoomData);
      if (first === -1) return true;
      const before = events.slice(0, first);
      return (
        before.lastIndexOf('accepted') > before.indexOf('credential') &&
        before.includes('credential')
      );
    });
  });

  test('a connection that closes never sends again and only gets closed', () => {
    every((states) => {
      const end = states.findIndex((state) => state === 'closing' || state === 'closed');
      return (
        end === -1 ||
        states
          .slice(end)
          .every(
            (state, i, rest) =>
              (state === 'closing' && !rest.slice(0, i).includes('closed')) || state === 'closed',
          )
      );
    });
  });

  test('grace is entered from live alone and left by a credential or for good', () => {
    every((states) =>
      states.every(
        (state, i) =>
          i === 0 ||
          state === states[i - 1] ||
          (state === 'expired'
            ? states[i - 1] === 'live'
            : states[i - 1] !== 'expired' || ['live', 'closing', 'closed'].includes(state)),
      ),
    );
  });

  test('from everywhere the end is one close and one loss of the transport away', () => {
    for (const state of STATES) {
      expect(walk(['gone'], state).at(-1)).toBe('closed');
      expect(walk(['close', 'gone'], state).at(-1)).toBe('closed');
      if (state !== 'closed') expect(walk(['close'], state).at(-1)).toBe('closing');
    }
  });

  test('every state is reached and every transition leads to a state of the table', () => {
    const reached = new Set<ConnectionState>(['greeting']);
    for (const state of reached)
      for (const next of Object.values(TRANSITIONS[state])) reached.add(next);
    expect([...reached].sort()).toEqual([...STATES].sort());
  });
});
