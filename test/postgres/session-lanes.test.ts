/**
 * Pages of the session list, read to their end, are the sessions that the filters mean: each once,
 * newest first, however little a page may read.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { laneStatement } from '../../src/admin/sessions/session-lanes.js';
import type { SessionFilter, SessionRow } from '../../src/admin/sessions/session-lanes.js';
import { migratedDatabase } from '../support/node-process.js';

const SESSIONS = 240;
const BEGAN_MS = Date.parse('2026-01-01T00:00:00Z');
const EACH_MS = 90_000;
const id = (kind: string, i: number): string => `00000000-0000-7000-8000-${kind}${hex(i, 11)}`;
const hex = (n: number, width: number): string => n.toString(16).padStart(width, '0');
const tenant = (i: number): string => id('a', i);
const user = (i: number): string => id('b', i);

interface Made {
  id: string;
  tenant: string;
  user: string;
  device: string | null;
  ip: string | null;
  ended: boolean;
  overdue: boolean;
  atMs: number;
}

/** Coprime counts: every combination of values occurs somewhere. */
const made: Made[] = Array.from({ length: SESSIONS }, (_, i) => {
  const atMs = BEGAN_MS + i * EACH_MS;
  const time = hex(atMs, 12);
  return {
    id: `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${hex(i, 12)}`,
    tenant: tenant(i % 2),
    user: user((i * 7) % 11),
    device: i % 5 === 0 ? null : `device ${i % 5}`,
    ip: i % 3 === 0 ? null : `10.0.0.${i % 3}`,
    ended: i % 4 < 2,
    overdue: i % 13 === 0,
    atMs,
  };
});

let client: pg.Client;
beforeAll(async () => {
  const url = await migratedDatabase();
  client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const i of [0, 1])
    await client.query(`INSERT INTO tenants (id, slug, name) VALUES ($1, $2, 'T')`, [
      tenant(i),
      `t${i}`,
    ]);
  for (let i = 0; i < 11; i += 1)
    await client.query(`INSERT INTO users (id, tenant_id, email, name) VALUES ($1, $2, $3, $4)`, [
      user(i),
      tenant(0),
      `u${i}@example.com`,
      i % 2 === 0 ? `Even ${i}` : `Odd ${i}`,
    ]);
  await client.query(
    `INSERT INTO sessions (id, tenant_id, user_id, device, ip, user_version, idle_seconds, created_at, expires_at, ended_at, refresh_family, refresh_hash)
     SELECT x.id, x.tenant, x."user", x.device, x.ip, 1, 60, x.at, x.at + CASE WHEN x.overdue THEN '1 second' ELSE '90 years' END::interval,
       CASE WHEN x.ended THEN x.at END, '', ''
     FROM jsonb_to_recordset($1) AS x (id uuid, tenant uuid, "user" uuid, device text, ip text, ended boolean, overdue boolean, at timestamptz)`,
    [JSON.stringify(made.map((one) => ({ ...one, at: new Date(one.atMs).toISOString() })))],
  );
});
afterAll(() => client?.end());

const ODD = 'odd ';
const isOdd = (one: Made): boolean => Number.parseInt(one.user.slice(-2), 16) % 2 === 1;

function meant(filter: SessionFilter): string[] {
  return made
    .filter(
      (one) =>
        (filter.state === 'all' ||
          (filter.state === 'ended' ? one.ended : !one.ended && !one.overdue)) &&
        (filter.session === undefined || one.id === filter.session) &&
        (filter.users?.includes(one.user) ?? true) &&
        (filter.person === undefined || isOdd(one)) &&
        (filter.tenant === undefined || one.tenant === filter.tenant) &&
        (filter.device === undefined || one.device === filter.device) &&
        (filter.ip === undefined || one.ip === filter.ip) &&
        (filter.before === undefined || one.atMs < filter.before.getTime()) &&
        (filter.after === undefined || one.atMs >= filter.after.getTime()),
    )
    .map((one) => one.id)
    .reverse();
}

/** As session-list.ts follows its own cursors. */
async function read(filter: SessionFilter, scanMax: number): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | undefined; ;) {
    const { text, values } = laneStatement({ ...filter, cursor }, scanMax);
    const { rows } = await client.query<{ edge: string | null } & (SessionRow | { id: null })>(
      text,
      [...values],
    );
    const found = rows.flatMap((row) => row.id ?? []);
    ids.push(...found.slice(0, filter.limit));
    const next = found.length > filter.limit ? found[filter.limit - 1] : rows[0]?.edge;
    if (next === null || next === undefined) return ids;
    expect(cursor === undefined || next < cursor).toBe(true);
    cursor = next;
  }
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
const moment = fc.integer({ min: -1, max: SESSIONS }).map((i) => new Date(BEGAN_MS + i * EACH_MS));
const filters: fc.Arbitrary<SessionFilter> = fc.record({
  state: fc.constantFrom('live', 'ended', 'all'),
  session: fc.option(
    fc.nat(SESSIONS - 1).map((i) => made[i]!.id),
    { nil: undefined, freq: 9 },
  ),
  users: maybe(fc.uniqueArray(fc.nat(10).map(user), { maxLength: 4 })),
  person: maybe(fc.constant({ email: `${ODD}%`, name: `${ODD}%` })),
  tenant: maybe(fc.nat(1).map(tenant)),
  device: maybe(fc.nat(4).map((i) => `device ${i}`)),
  ip: maybe(fc.nat(2).map((i) => `10.0.0.${i}`)),
  before: maybe(moment),
  after: maybe(moment),
  limit: fc.constantFrom(1, 7, 50, 200),
});

test('pages hold what the filters mean, each session once and newest first', async () => {
  await fc.assert(
    fc.asyncProperty(filters, fc.constantFrom(20, 90, 5_000), async (filter, scanMax) => {
      expect(await read(filter, scanMax)).toEqual(meant(filter));
    }),
    { numRuns: Number(process.env['RUNS'] ?? 150) },
  );
});

test('one filter alone fills every page but the last', async () => {
  const filter: SessionFilter = { state: 'ended', tenant: tenant(1), limit: 7 };
  const { text, values } = laneStatement(filter, 5_000);
  expect((await client.query(text, [...values])).rows).toHaveLength(8);
});
