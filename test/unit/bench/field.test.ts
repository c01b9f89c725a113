/** The trials of the field: each finds its own fault, and no fault where there is none. */
import { describe, expect, test } from '@jest/globals';
import { figureTable, verdictTable } from '../../../bench/field/report.mjs';
import { TIMING, TRIALS } from '../../../bench/field/trials.mjs';
import { FAULTS, fieldServer } from './field-server.js';
import type { Fault } from './field-server.js';

/** Bounds are for a machine that runs other test files beside. */
const QUICK = {
  ...TIMING,
  everyMs: 20,
  tokenSeconds: 0.5,
  watchMs: 1_200,
  idleWatchMs: 1_200,
  boundMs: 600,
  silenceMs: 1_500,
  settleMs: 200,
};
/** By which trial a fault is found, and the verdict. */
const FOUND: Record<Fault, [keyof typeof TRIALS, 'failed' | 'untold']> = {
  'hears after expiry': ['D1', 'failed'],
  'publishes after expiry': ['D2', 'failed'],
  'is not told of the expiry': ['D1', 'untold'],
  'hears after logout': ['D3', 'failed'],
  'publishes after logout': ['D3', 'failed'],
  'is not told of the logout': ['D3', 'untold'],
  'hears after removal': ['D4', 'failed'],
  'publishes after removal': ['D4', 'failed'],
  'is not told of the removal': ['D4', 'untold'],
  'opens with the token of an ended session': ['D8', 'failed'],
  'keeps what opened during the logout': ['D8', 'failed'],
  'repeats a message': ['D9', 'failed'],
  'loses a message': ['D9', 'failed'],
  'never pings': ['silence', 'failed'],
};

async function put(trial: keyof typeof TRIALS, fault?: Fault) {
  const server = await fieldServer(fault);
  try {
    return await TRIALS[trial]!.run(server, QUICK);
  } finally {
    await server.stop();
  }
}

describe('a server that keeps every rule', () => {
  test.concurrent.each(Object.keys(TRIALS))('passes %s', async (trial) => {
    expect(await put(trial)).toMatchObject({ verdict: 'passed' });
  });
});

describe('one broken rule', () => {
  test.concurrent.each(FAULTS)('%s: is found', async (fault) => {
    const [trial, verdict] = FOUND[fault];
    expect(await put(trial, fault)).toMatchObject({ verdict });
  });
});

test('a room in which nobody hears anything shows nothing', async () => {
  const server = await fieldServer();
  const deaf = {
    ...server,
    connect: async (token: string) =>
      Object.assign(await server.connect(token), { publish: async () => 'accepted' }),
  };
  try {
    await expect(TRIALS['D9']!.run(deaf, QUICK)).rejects.toThrow('nobody heard anything');
  } finally {
    await server.stop();
  }
});

test('the tables name a server that could not be had, and a trial that could not be run', () => {
  const servers = [
    { title: 'one', missing: 'not installed', trials: {} },
    {
      title: 'two',
      trials: { D1: { error: 'broke' }, D9: { verdict: 'failed', figures: { deliveries: 2 } } },
    },
  ];
  const [, , one, two] = verdictTable({ servers }).split('\n');
  expect(one).toBe('| one | - | - | - | - | - | - | - |');
  expect(two).toBe('| two | could not be run | - | - | - | - | **fails** | - |');
  expect(figureTable({ servers })).toContain('| D9 | delivered | 2 |');
  expect(figureTable({ servers })).not.toContain('one');
});
