/**
 * From when on a silent node cannot serve by old knowledge: what the receipt's word `fenced` rests
 * on.
 */
import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { NodeObservations } from '../../../src/authority/nodes/node-observations.js';

const LEASE_MS = 5_000;
const FENCED_AFTER_MS = LEASE_MS * 1.01 + 50;

describe('a node is fenced for event 8', () => {
  let now = 0;
  let sightings: NodeObservations;
  const look = (atMs: number, head: number, version: string | null, database = 'primary') => {
    now = atMs;
    sightings.note({
      database,
      headHash: `hash ${head}`,
      versions: new Map(version === null ? [] : [['b', version]]),
    });
  };
  const from = () => sightings.fencedFromMs('b', LEASE_MS, 'hash 8');

  beforeEach(() => {
    sightings = new NodeObservations();
    jest.spyOn(performance, 'now').mockImplementation(() => now);
  });

  test('one lease after its row was first seen as it still was after the commit', () => {
    look(1_000, 7, 'v1');
    look(3_000, 7, 'v1');
    look(4_000, 8, 'v1');
    expect(from()).toBe(1_000 + FENCED_AFTER_MS);
  });

  test('not by a row that it has replaced before the commit', () => {
    look(1_000, 7, 'v1');
    look(4_000, 8, 'v2');
    expect(from()).toBe(4_000 + FENCED_AFTER_MS);
  });

  test('one lease after the first look that knew the event, whatever it has written since: those rounds read the event', () => {
    look(1_000, 7, 'v1');
    look(4_000, 8, 'v2');
    look(4_400, 9, 'v3');
    look(8_000, 9, 'v4');
    expect(from()).toBe(4_000 + FENCED_AFTER_MS);
  });

  test('never while no look knew the event and its row was not seen', () => {
    look(1_000, 7, null);
    expect(from()).toBe(Infinity);
  });

  test('later, never earlier, for an event that was known before this node began to look', () => {
    look(9_000, 20, 'v1');
    expect(from()).toBe(9_000 + FENCED_AFTER_MS);
  });

  test('not by another event that had its number in a history that is lost', () => {
    look(1_000, 8, 'v1');
    look(4_000, 9, 'v2');
    expect(sightings.fencedFromMs('b', LEASE_MS, 'another hash 8')).toBe(4_000 + FENCED_AFTER_MS);
  });

  test('not by what was seen before another Postgres answered: its newest rounds may be lost', () => {
    look(1_000, 7, 'v1');
    look(4_000, 7, 'v1', 'promoted standby');
    expect(from()).toBe(4_000 + FENCED_AFTER_MS);
    expect(sightings.settledFromMs(LEASE_MS)).toBe(4_000 + FENCED_AFTER_MS);
  });

  test('and nobody is waited for who is unknown, as long as the same Postgres answers', () => {
    look(1_000, 7, 'v1');
    look(4_000, 8, 'v2');
    expect(sightings.settledFromMs(LEASE_MS)).toBe(-Infinity);
  });
});
