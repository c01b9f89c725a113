/** The last events of a connection: their order, their bounds, and their bytes while it idles. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { ERROR_CODES } from '@wardroom/protocol/codes';
import type { ErrorCode } from '@wardroom/protocol/codes';
import { EVENTS_MAX, Timeline } from '../../../src/gateway/live/timeline.js';

const OPENED_MS = Date.parse('2026-01-01T00:00:00.000Z');
const DAY_MS = 86_400_000;
const at = (ms: number): string => new Date(OPENED_MS + ms).toISOString();

describe('a timeline', () => {
  test('has every kind of event with its time and what belongs to it', () => {
    const timeline = new Timeline();
    timeline.authenticated(5, 280_000);
    timeline.subscribed(10, 'room-1');
    timeline.refused('denied', 20, 'read_only', 'decision-1');
    timeline.unsubscribed(30, 'room-1', 'banned');
    timeline.warned(200_000);
    timeline.refused('renewal_refused', 210_000, 'token_expired');
    timeline.renewed(220_000, 500_000);
    timeline.expired(500_000, 20_000);
    timeline.closedBy(510_000, 'operator-1');
    expect(timeline.view(OPENED_MS)).toEqual([
      { at: at(0), event: 'opened' },
      { at: at(5), event: 'authenticated', exp: at(280_000) },
      { at: at(10), event: 'subscribed', room: 'room-1' },
      { at: at(20), event: 'denied', code: 'read_only', count: 1, decision_id: 'decision-1' },
      { at: at(30), event: 'unsubscribed', room: 'room-1', code: 'banned' },
      { at: at(200_000), event: 'warned' },
      { at: at(210_000), event: 'renewal_refused', code: 'token_expired', count: 1 },
      { at: at(220_000), event: 'renewed', exp: at(500_000) },
      { at: at(500_000), event: 'expired' },
      { at: at(500_000), event: 'grace', until: at(520_000) },
      { at: at(510_000), event: 'closed_by', by: 'operator-1' },
    ]);
    expect([timeline.renewals, timeline.omitted]).toEqual([1, 0]);
  });

  test('keeps the first event and the newest, and counts the others', () => {
    const timeline = new Timeline();
    timeline.authenticated(1, 300_000);
    for (let i = 0; i < 100; i += 1) timeline.subscribed(10 + i, `room-${i}`);
    const view = timeline.view(OPENED_MS);
    expect(view).toHaveLength(1 + EVENTS_MAX);
    expect(view[1]).toMatchObject({ event: 'authenticated' });
    expect(view[2]).toMatchObject({ room: `room-${101 - EVENTS_MAX}` });
    expect(view.at(-1)).toMatchObject({ at: at(109), room: 'room-99' });
    expect(timeline.omitted).toBe(101 - EVENTS_MAX);
  });

  test('counts refusals in a row with one code as one event, with the last decision', () => {
    const timeline = new Timeline();
    timeline.authenticated(1, 300_000);
    for (let i = 0; i < 1_000; i += 1) timeline.refused('denied', i, 'muted', `decision-${i}`);
    timeline.refused('denied', 1_000, 'rate_limited');
    timeline.refused('denied', 1_001, 'muted');
    expect(timeline.view(OPENED_MS).slice(2)).toEqual([
      { at: at(999), event: 'denied', code: 'muted', count: 512, decision_id: 'decision-999' },
      { at: at(1_000), event: 'denied', code: 'rate_limited', count: 1 },
      { at: at(1_001), event: 'denied', code: 'muted', count: 1 },
    ]);
  });

  test.each(Object.keys(ERROR_CODES) as ErrorCode[])('has room for the code %s', (code) => {
    const timeline = new Timeline();
    timeline.refused('denied', 60 * DAY_MS, code);
    timeline.refused('denied', 60 * DAY_MS + 1, code);
    expect(timeline.view(OPENED_MS)[1]).toEqual({
      at: at(60 * DAY_MS + 1),
      event: 'denied',
      code,
      count: 2,
    });
  });

  test('of a connection older than it can count goes on at the last time it can', () => {
    const timeline = new Timeline();
    timeline.warned(1_000 * DAY_MS);
    timeline.renewed(1_000 * DAY_MS, 1_000 * DAY_MS + 300_000);
    expect(timeline.view(OPENED_MS).map(({ event }) => event)).toEqual([
      'opened',
      'warned',
      'renewed',
    ]);
  });
});

describe('its memory', () => {
  const COUNT = 20_000;
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  /** Bytes of one of many timelines. */
  function bytesOf(fill: (timeline: Timeline) => void): number {
    const all: Timeline[] = Array.from({ length: COUNT });
    // Compiled before, and of no account.
    for (let i = 0; i < 100; i += 1) fill(new Timeline());
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < COUNT; i += 1) fill((all[i] = new Timeline()));
    collect();
    const bytes = (process.memoryUsage().heapUsed - before) / COUNT;
    expect(all[COUNT - 1]!.view(0).length).toBeGreaterThan(0);
    return bytes;
  }

  test('is less than 180 bytes for a connection that idles', () => {
    const bytes = bytesOf((timeline) => timeline.authenticated(5, 280_000));
    expect(bytes).toBeGreaterThan(40);
    expect(bytes).toBeLessThan(180);
  });

  test('is less than 500 bytes for one that has been renewed for days', () => {
    const bytes = bytesOf((timeline) => {
      timeline.authenticated(5, 280_000);
      for (let i = 0; i < 100; i += 1) timeline.renewed(i * 240_000, i * 240_000 + 280_000);
    });
    expect(bytes).toBeLessThan(500);
  });
});
