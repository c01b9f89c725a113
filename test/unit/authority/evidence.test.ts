/** The memory of a node, against everything a database can say that came back from its past. */
import { describe, expect, test } from '@jest/globals';
import { compareHistory, newerPast } from '../../../src/authority/evidence.js';
import type { Found, FoundAtStart } from '../../../src/authority/evidence.js';
import { at } from '../../support/positions.js';

const HOUR_MS = 3_600_000;
const known = { at: at(11), round: 40, server: 'cluster/database/table', clockMs: 1_000 };
const { history, hash } = known.at;
const found: Found = {
  history,
  head: 11,
  pruned: 3,
  hash,
  round: 41,
  server: known.server,
  clockMs: 1_400,
  written: true,
};

test('a database that has everything the node saw is the same, however far it went on', () => {
  expect(compareHistory(known, found)).toBe('same');
  expect(compareHistory(known, { ...found, head: 20 })).toBe('same');
  expect(compareHistory(known, { ...found, head: 11, pruned: 11 })).toBe('same');
});

describe('the history was replaced', () => {
  test.each<[string, Partial<Found>, string]>([
    ['another node has named a new one', { history: 'another' }, 'history'],
    ['another cluster, database or table answers', { server: 'cluster/copy/table' }, 'server'],
    ['the head is below the position', { head: 10, hash: null }, 'head'],
    [
      'the head is below the position, and the log is pruned beyond it',
      { head: 10, pruned: 12, hash: null },
      'head',
    ],
    ['another event is at the position', { hash: 'another' }, 'event'],
    ['the log went on past the old head by another way', { head: 20, hash: 'another' }, 'event'],
    ['there is a hole where the node would read on', { head: 20, hash: null }, 'event'],
    ['the last committed round is not there', { round: 39, written: false }, 'round'],
    [
      'the last committed round is not there, and the log is pruned beyond the position',
      { round: 39, written: false, pruned: 12, head: 20 },
      'round',
    ],
    ['the row is not there', { round: null, written: false }, 'round'],
    ['the round that was just written is not there', { round: 40 - 1, written: true }, 'round'],
  ])('%s', (_how, difference, evidence) => {
    expect(compareHistory(known, { ...found, ...difference })).toBe(evidence);
  });
});

describe('nothing was replaced, but the node has to load a snapshot', () => {
  test.each<[string, Partial<Found>]>([
    ['events that it did not see are pruned', { head: 20, pruned: 12, hash: null }],
    [
      'its row was deleted because it was silent for a day',
      { round: null, written: false, clockMs: 1_000 + 24 * HOUR_MS },
    ],
    ['its row belongs to another incarnation of it', { round: 40, written: false }],
  ])('%s', (_how, difference) => {
    expect(compareHistory(known, { ...found, ...difference })).toBe('behind');
  });
});

describe('a position that a node left in Redis, when a node starts', () => {
  const kept = { at: at(11), atMs: 50_000 };
  const present: FoundAtStart = { history, historyAtMs: null, head: 11, pruned: 3, hash };

  test.each<[string, Partial<FoundAtStart>]>([
    ['the database has this position', {}],
    ['it went on since', { head: 20 }],
    ['it went on and pruned the log beyond it', { head: 20, pruned: 12, hash: null }],
    [
      'the present history began after it',
      { history: 'another', historyAtMs: 60_000, hash: 'another' },
    ],
    [
      'the present history began while its round was under way',
      { history: 'another', historyAtMs: 48_000, head: 2, hash: null },
    ],
  ])('is no evidence: %s', (_how, difference) => {
    expect(newerPast(kept, { ...present, ...difference })).toBeNull();
  });

  test.each<[string, Partial<FoundAtStart>, string]>([
    ['the head is below it', { head: 10, hash: null }, 'head'],
    ['another event is there', { head: 20, hash: 'another' }, 'event'],
    ['there is a hole', { head: 20, hash: null }, 'event'],
    [
      'it is of a history that began after the present one',
      { history: 'another', historyAtMs: 40_000 },
      'history',
    ],
    [
      'it is of another history, and the present one is the first of all',
      { history: 'another' },
      'history',
    ],
  ])('is of a newer past: %s', (_how, difference, evidence) => {
    expect(newerPast(kept, { ...present, ...difference })).toBe(evidence);
  });
});
