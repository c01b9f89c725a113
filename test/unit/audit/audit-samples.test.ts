/** The first of each a minute are records; the rest is told as a count, once. */
import { describe, expect, test } from '@jest/globals';
import { AuditSamples } from '../../../src/audit/audit-samples.js';
import type { AuditNote } from '../../../src/audit/audit-events.js';

const refused = (ip: string, code = 'auth_invalid', tenant: string | null = null): AuditNote => ({
  event: 'authn_token_fail',
  ip,
  tenant,
  detail: { code },
});
const opened = (user: string): AuditNote => ({
  event: 'connection_opened',
  user,
  tenant: 't',
  ip: '192.0.2.1',
});
const look = (actor: string, id: string): AuditNote => ({
  event: 'data_read',
  actor,
  user: id,
  tenant: 't',
  detail: { what: 'sessions', id },
});
const admitted = (samples: AuditSamples, notes: AuditNote[], nowMs = 0) =>
  notes.filter((note) => samples.admits(note, nowMs)).length;
const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

describe('samples', () => {
  test('of a network: so many a minute, then a count by code when the minute is over, then anew', () => {
    const samples = new AuditSamples(3);
    expect(
      admitted(
        samples,
        times(10, (i) => refused('192.0.2.1', i === 9 ? 'token_expired' : 'auth_invalid')),
      ),
    ).toBe(3);
    expect(samples.over(59_999)).toEqual([]);
    const [count, ...others] = samples.over(60_000);
    expect(others).toEqual([]);
    expect(count).toMatchObject({
      event: 'excess_rate_limit_exceeded',
      actor: null,
      user: null,
      session: null,
      ip: '192.0.2.1',
      requestId: null,
      detail: {
        limit: 'audit',
        event: 'authn_token_fail',
        count: 7,
        codes: { auth_invalid: 6, token_expired: 1 },
      },
    });
    expect(samples.over(120_000)).toEqual([]);
    expect(
      admitted(
        samples,
        times(10, () => refused('192.0.2.1')),
        60_000,
      ),
    ).toBe(3);
  });

  test('of another network, kind or user are records, whatever one does', () => {
    const samples = new AuditSamples(3);
    admitted(
      samples,
      times(100_000, () => refused('2001:db8::1')),
    );
    expect(samples.admits(refused('2001:db8::ffff'), 0)).toBe(false);
    expect(samples.admits(refused('2001:db8:0:1::1'), 0)).toBe(true);
    expect(samples.admits({ ...refused('2001:db8::1'), event: 'authn_login_fail' }, 0)).toBe(true);
    expect(
      admitted(
        samples,
        times(5, () => opened('ada')),
      ),
    ).toBe(3);
    expect(samples.admits(opened('eve'), 0)).toBe(true);
  });

  test('of a look: one a minute of an actor at one thing, then the count with who looked at whom', () => {
    const samples = new AuditSamples(60);
    expect(
      admitted(
        samples,
        times(10, () => look('auditor', 'ada')),
      ),
    ).toBe(1);
    expect(samples.admits(look('auditor', 'ben'), 0)).toBe(true);
    expect(samples.admits(look('operator', 'ada'), 0)).toBe(true);
    expect(samples.over(60_000)).toMatchObject([
      {
        actor: 'auditor',
        user: 'ada',
        detail: { event: 'data_read', count: 9, codes: { sessions: 9 } },
      },
    ]);
  });

  test('of a crowd of networks: the first of each, and together no more than 200 beside them between two flushes', () => {
    const samples = new AuditSamples(60);
    const crowd = times(1_000, (i) => `10.0.${i >> 8}.${i & 255}`).flatMap((ip) =>
      times(10, () => refused(ip)),
    );
    expect(admitted(samples, crowd)).toBe(1_000 + 200);
    samples.over(500);
    expect(admitted(samples, crowd)).toBe(200);
  });

  test('of more networks than are told apart are one', () => {
    const samples = new AuditSamples(3);
    expect(
      admitted(
        samples,
        times(20_010, (i) =>
          refused(`2001:db8:${(i >> 8).toString(16)}:${(i & 255).toString(16)}::1`),
        ),
      ),
    ).toBe(20_003);
    expect(samples.over(Infinity)).toMatchObject([{ ip: null, detail: { count: 7 } }]);
  });

  test('belong to a tenant only while all of them do', () => {
    const samples = new AuditSamples(1);
    admitted(
      samples,
      times(3, () => refused('192.0.2.1', 'auth_invalid', 't')),
    );
    admitted(
      samples,
      ['t', 't', 'u'].map((tenant) => refused('192.0.2.2', 'auth_invalid', tenant)),
    );
    expect(samples.over(Infinity).map(({ tenant }) => tenant)).toEqual(['t', null]);
  });

  test('are not made of what changes something, and of nothing when the limit is off', () => {
    const samples = new AuditSamples(1);
    expect(
      admitted(
        samples,
        times(5, () => ({ event: 'room_created' })),
      ),
    ).toBe(5);
    expect(
      admitted(
        new AuditSamples(Infinity),
        times(5, () => refused('192.0.2.1')),
      ),
    ).toBe(5);
  });
});
