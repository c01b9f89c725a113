/**
 * Stats in Postgres: what the counters grew by, once, over nodes that come and go; hours from
 * minutes; bounded series; and nothing is kept longer than its time.
 */
import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Config } from '../../src/platform/config/config.js';
import { Metrics } from '../../src/platform/metrics.js';
import { NodeIdentity } from '../../src/platform/node-identity.js';
import { Database } from '../../src/platform/stores/database.js';
import { MinuteStats } from '../../src/stats/minute-stats.js';
import { ReadStats, STATS_RANGES } from '../../src/stats/read-stats.js';
import { RollUp } from '../../src/stats/roll-up.js';
import {
  CLIENTS_COUNTED_MAX,
  CLIENTS_PER_DAY,
  TroubledClients,
} from '../../src/stats/troubled-clients.js';
import { migratedDatabase } from '../support/node-process.js';
import { query } from '../support/sql.js';

Logger.overrideLogger(false);
const SECRET_KEY = randomBytes(32).toString('base64url');
const HOUR_MS = 3_600_000;
const LOGINS = 'wardroom_logins_total';
const OK = { method: 'password', outcome: 'ok' };

/** The stats of a node without the node. */
class Counter {
  readonly metrics = new Metrics();
  readonly database: Database;
  readonly clients: TroubledClients;
  readonly stats: MinuteStats;
  readonly rollUp: RollUp;
  readonly read: ReadStats;

  constructor(url: string) {
    const config = Config.parse({ DATABASE_URL: url, REDIS_URL: 'redis://unused', SECRET_KEY });
    this.database = new Database(config);
    this.clients = new TroubledClients(config, this.database);
    const identity = new NodeIdentity();
    this.stats = new MinuteStats(this.database, identity, this.metrics, this.clients);
    this.rollUp = new RollUp(this.database);
    this.read = new ReadStats(this.database);
  }
}

let url: string;
let a: Counter;
let b: Counter;

beforeEach(async () => {
  url = await migratedDatabase();
  [a, b] = [new Counter(url), new Counter(url)];
});
afterEach(() => Promise.all([a, b].map(({ database }) => database.onApplicationShutdown())));

const rows = <T extends object>(text: string, values: unknown[] = []) =>
  query<T & Record<string, unknown>>(url, text, values);
const minutes = async (name = LOGINS) =>
  (
    await rows<{ value: number }>(
      'SELECT value FROM minute_stats WHERE name = $1 ORDER BY minute, node',
      [name],
    )
  ).map(({ value }) => value);
const plant = (at: Date, value: number, name = LOGINS, labels: object = OK) =>
  rows('INSERT INTO minute_stats VALUES ($1, gen_random_uuid(), $2, $3, $4)', [
    at,
    name,
    JSON.stringify(labels),
    value,
  ]);
/** The beginning of an hour, some hours ago. */
const hour = (ago: number) => new Date((Math.floor(Date.now() / HOUR_MS) - ago) * HOUR_MS);
const after = (date: Date, ms: number) => new Date(date.getTime() + ms);
const total = async (from: Date, to: Date, name = LOGINS) =>
  (await a.read.totals(from, to, [name])).reduce((sum, { value }) => sum + value, 0);

describe('a flush', () => {
  test('writes what grew since the last one, and nothing of what did not', async () => {
    a.metrics.logins.inc(OK, 3);
    a.metrics.deliveries.inc({ kind: 'message' }, 5);
    await a.stats.flush();
    a.metrics.logins.inc(OK, 4);
    b.metrics.logins.inc(OK, 10);
    await a.stats.flush();
    await b.stats.flush();
    expect((await minutes()).sort((x, y) => x - y)).toEqual([3, 4, 10]);
    expect(await minutes('wardroom_deliveries_total')).toEqual([5]);
    const names = await rows<{ name: string }>('SELECT DISTINCT name FROM minute_stats');
    expect(names.map(({ name }) => name).sort()).toEqual([
      'wardroom_authority_fenced',
      'wardroom_connections',
      'wardroom_deliveries_total',
      LOGINS,
      'wardroom_subscriptions',
    ]);
  });

  test('keeps sums and counts of histograms, and no buckets', async () => {
    a.metrics.publishSeconds.observe(0.25);
    a.metrics.publishSeconds.observe(0.5);
    await a.stats.flush();
    expect(await minutes('wardroom_publish_seconds_sum')).toEqual([0.75]);
    expect(await minutes('wardroom_publish_seconds_count')).toEqual([2]);
    expect(await minutes('wardroom_publish_seconds_bucket')).toEqual([]);
  });

  test('that fails loses nothing and counts nothing twice', async () => {
    a.metrics.logins.inc(OK, 3);
    await rows('ALTER TABLE minute_stats RENAME TO gone');
    await a.stats.flush();
    a.metrics.logins.inc(OK, 4);
    await a.stats.flush();
    await rows('ALTER TABLE gone RENAME TO minute_stats');
    a.metrics.logins.inc(OK, 5);
    await a.stats.flush();
    await a.stats.flush();
    expect(await minutes()).toEqual([3, 9]);
  });

  test('with a lost answer counts nothing twice', async () => {
    a.metrics.logins.inc(OK, 3);
    const hot = a.database.hot.bind(a.database);
    a.database.hot = async (...statement) => {
      await hot(...statement);
      throw new Error('the answer was lost');
    };
    await a.stats.flush();
    a.database.hot = hot;
    await a.stats.flush();
    expect(await minutes()).toEqual([3]);
  });
});

describe('hours', () => {
  test('are the sums of their minutes over nodes; gauges add up over nodes and are averaged', async () => {
    const at = hour(5);
    for (const value of [1, 2]) await plant(after(at, 60_000), value);
    await plant(after(at, 59 * 60_000), 4);
    for (const value of [10, 30]) await plant(at, value, 'wardroom_connections', {});
    await plant(after(at, 60_000), 20, 'wardroom_connections', {});
    await a.rollUp.run();
    expect(
      await rows('SELECT name, labels, value FROM hour_stats WHERE hour = $1 ORDER BY name', [at]),
    ).toEqual([
      { name: 'wardroom_connections', labels: {}, value: 30 },
      { name: LOGINS, labels: OK, value: 7 },
    ]);
  });

  test('stay as they are when they are summed again, and take a minute that came late', async () => {
    const [first, second] = [hour(3), hour(2)];
    await plant(first, 1);
    await plant(second, 2);
    await a.rollUp.run();
    await b.rollUp.run();
    expect(await total(first, hour(0))).toBe(3);
    await plant(after(first, 30 * 60_000), 5);
    await a.rollUp.run();
    expect(await rows('SELECT value FROM hour_stats ORDER BY hour')).toEqual([
      { value: 6 },
      { value: 2 },
    ]);
  });

  test('totals are right before, between and after the sums', async () => {
    const [from, to] = [hour(3), hour(-1)];
    await plant(hour(2), 1);
    expect(await total(from, to)).toBe(1);
    await a.rollUp.run();
    expect(await total(from, to)).toBe(1);
    await plant(after(hour(2), 120_000), 2);
    await plant(hour(1), 4);
    await plant(hour(0), 8);
    expect(await total(from, to)).toBe(15);
    expect(await total(from, hour(1))).toBe(3);
    await a.rollUp.run();
    expect(await total(from, to)).toBe(15);
    expect(await total(hour(1), hour(0))).toBe(4);
  });

  test('minutes go after 26 hours, hours after 100 days, and never a minute that is not summed', async () => {
    const old = hour(200);
    await plant(old, 1);
    await plant(hour(30), 2);
    await rows('INSERT INTO hour_stats VALUES ($1, $2, $3, 1)', [hour(101 * 24), LOGINS, OK]);
    await rows('INSERT INTO hour_stats VALUES ($1, $2, $3, 1)', [hour(99 * 24), LOGINS, OK]);
    await a.rollUp.run();
    // Those of the newest hour are read by the minute still.
    expect(await minutes()).toEqual([2]);
    expect(await total(old, hour(0))).toBe(3);
    await plant(hour(1), 4);
    await a.rollUp.run();
    expect(await minutes()).toEqual([4]);
    expect(await total(hour(102 * 24), hour(-1))).toBe(8);
  });
});

describe('series', () => {
  test.each(Object.entries(STATS_RANGES))(
    '%s: bounded points, the newest last, each value in its place',
    async (range, { seconds, bucket }) => {
      const now = Date.now();
      const minute = (ago: number) => new Date(Math.floor(now / 60_000) * 60_000 - ago * 60_000);
      await plant(minute(1), 3);
      await plant(minute(seconds / 60 - bucket / 60 - 1), 5);
      await plant(minute(1), 50, 'wardroom_connections', {});
      const { series, points, from, bucket_seconds, truncated } = await a.read.series(
        range as keyof typeof STATS_RANGES,
        undefined,
        now,
      );
      expect({ points, bucket_seconds, truncated }).toEqual({
        points: seconds / bucket,
        bucket_seconds: bucket,
        truncated: false,
      });
      expect(points).toBeLessThanOrEqual(144);
      const place = (at: Date) => Math.floor((at.getTime() - Date.parse(from)) / 1000 / bucket);
      const logins = series.find(({ name }) => name === LOGINS)!;
      expect(logins.values).toHaveLength(points);
      expect(logins.values[place(minute(1))]).toBe(3);
      expect(logins.values.reduce((sum: number, value) => sum + value!, 0)).toBe(8);
      const open = series.find(({ name }) => name === 'wardroom_connections')!;
      expect(open.values.filter((value) => value !== null)).toEqual([50]);
      const one = await a.read.series(range as keyof typeof STATS_RANGES, LOGINS, now);
      expect(one.series.map(({ name }) => name)).toEqual([LOGINS]);
    },
  );
});

describe('troubled clients', () => {
  const day = (ago: number) => new Date(Math.floor(Date.now() / 86_400_000 - ago) * 86_400_000);

  test('are told apart by a hash that names nobody, are added up over nodes, the worst first', async () => {
    const note = (node: Counter, user: string, times: number) => {
      for (let i = 0; i < times; i += 1) node.clients.note('loops', { user });
    };
    note(a, 'ada', 3);
    note(b, 'ada', 4);
    note(b, 'ben', 5);
    b.clients.note('anonymous', { ip: '2001:db8::1' });
    b.clients.note('anonymous', { ip: '2001:db8::2' });
    await a.stats.flush();
    await b.stats.flush();
    const worst = await a.clients.worst(day(1), day(-1), 10);
    expect(worst.map(({ item, count }) => [item, count])).toEqual([
      ['anonymous', 2],
      ['loops', 7],
      ['loops', 5],
    ]);
    for (const { client } of worst) expect(client).toMatch(/^(user|network):[0-9a-f]{16}$/);
    expect(JSON.stringify(worst)).not.toMatch(/ada|ben|2001/);
    expect(await a.clients.worst(day(1), day(-1), 1)).toHaveLength(2);
    expect(await a.clients.worst(day(2), day(1), 10)).toEqual([]);
  });

  test('are bounded in memory, in a flush and in a day; the worst is always among them', async () => {
    for (let round = 0; round < 8; round += 1) {
      for (let i = 0; i < 50; i += 1) a.clients.note('loops', { user: 'worst' });
      for (let i = 0; i < CLIENTS_COUNTED_MAX + 100; i += 1)
        a.clients.note('loops', { user: `${round}.${i}` });
      expect(a.clients['counts'].get('loops')!.size).toBe(CLIENTS_COUNTED_MAX);
      await a.clients.flush();
    }
    const count = () => rows<{ n: number }>('SELECT count(*)::int AS n FROM review_clients');
    expect(await count()).toEqual([{ n: 8 * 19 + 1 }]);
    await a.rollUp.run();
    expect(await count()).toEqual([{ n: CLIENTS_PER_DAY }]);
    expect((await a.clients.worst(day(0), day(-1), 1))[0]!.count).toBe(400);
  });

  test('are kept when they could not be written', async () => {
    a.clients.note('loops', { user: 'ada' });
    await rows('ALTER TABLE review_clients RENAME TO gone');
    await expect(a.clients.flush()).rejects.toThrow('review_clients');
    await rows('ALTER TABLE gone RENAME TO review_clients');
    await a.clients.flush();
    await a.clients.flush();
    expect((await a.clients.worst(day(0), day(-1), 1))[0]!.count).toBe(1);
  });
});
