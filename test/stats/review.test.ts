/**
 * The monthly review and the stats, over REST: each planted trouble is found and named, a quiet
 * month has no finding, real clients are found under a hash, and only operators may look and sign.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { REVIEW_ITEMS } from '../../src/stats/troubled-clients.js';
import type { ReviewItem } from '../../src/stats/troubled-clients.js';
import { expectAnswer, badToken, live, open } from '../protocol/harness.js';
import { startCluster, startNode } from '../support/node-process.js';
import type { Cluster, NodeProcess } from '../support/node-process.js';
import { query } from '../support/sql.js';
import { World, call } from '../support/world.js';
import { closeMonths, plantMonth } from './review-month.js';

let cluster: Cluster;
let node: NodeProcess;
let world: World;

beforeAll(async () => {
  cluster = await startCluster(1);
  node = cluster.nodes[0]!;
  world = await World.create({ base: node.url, tenant: { allow_guests: true } });
  await plantMonth(cluster.databaseUrl, '2024-01');
  await plantMonth(cluster.databaseUrl, '2024-02');
  for (const [i, item] of REVIEW_ITEMS.entries()) {
    await plantMonth(cluster.databaseUrl, monthOf(i, 1));
    await plantMonth(cluster.databaseUrl, monthOf(i, 2), item);
  }
  await closeMonths(cluster.databaseUrl);
}, 60_000);

/** Of each trouble two months: a quiet one, and that of the trouble. */
const monthOf = (i: number, n: 1 | 2) => `2025-${String(2 * i + n).padStart(2, '0')}`;
const review = async (month: string) =>
  (await call(node.url, `/v1/admin/review?month=${month}`, { token: world.operator() })).body;
const verdicts = ({ items }: any) =>
  Object.fromEntries(items.map(({ item, verdict }: any) => [item, verdict]));
const ALL_OK = Object.fromEntries(REVIEW_ITEMS.map((item) => [item, 'ok']));

describe('a month that was made', () => {
  test('and is quiet has no finding, in none of the five items', async () => {
    const answer = await review('2024-02');
    expect(answer).toMatchObject({ month: '2024-02', whole: true, verdict: 'ok', signed: [] });
    expect(verdicts(answer)).toEqual(ALL_OK);
    for (const { measures } of answer.items)
      for (const { this_month: now, last_month: last } of measures) {
        expect(now.of).toBeGreaterThan(10_000);
        expect(last.of).toBeGreaterThan(10_000);
      }
  });

  test.each(REVIEW_ITEMS.map((item, i): [ReviewItem, string] => [item, monthOf(i, 2)]))(
    'with the trouble %s is `act` there, by a threshold that is named, and `ok` elsewhere',
    async (item, month) => {
      const answer = await review(month);
      expect(verdicts(answer)).toEqual({ ...ALL_OK, [item]: 'act' });
      expect(answer.verdict).toBe('act');
      const found = answer.items.find((each: any) => each.item === item);
      const [measure] = found.measures.filter(({ verdict }: any) => verdict === 'act');
      expect(measure.threshold).toMatch(/^at least \d/);
      expect(measure.this_month.share).toBeGreaterThan(3 * measure.last_month.share);
      expect(found.advice).not.toBe('');
    },
  );

  test('is compared with the month before it: after the trouble nothing is left of it', async () => {
    for (const i of [0, 1, 2, 3]) {
      const answer = await review(monthOf(i + 1, 1));
      expect(verdicts(answer)).toEqual(ALL_OK);
      const item = answer.items.find((each: any) => each.item === REVIEW_ITEMS[i]);
      expect(
        item.measures.some(
          ({ this_month: now, last_month: last }: any) => last.share > 3 * now.share,
        ),
      ).toBe(true);
    }
  });

  test('without any data is ok, and says since when there is some', async () => {
    const answer = await review('2023-12');
    expect(answer).toMatchObject({ verdict: 'ok', data_since: '2024-01-01T00:00:00.000Z' });
    expect(answer.items[0].measures[0].this_month).toEqual({ count: 0, of: 0, share: 0 });
  });
});

describe('real clients of a node', () => {
  test('are counted over its stop, and found under a hash', async () => {
    const other = await startNode(cluster.env);
    const month = new Date().toISOString().slice(0, 7);
    const ben = await world.user('ben');
    const client = await live(other.wsUrl, ben.token);
    const secret = await world.room(await world.user('ada'));
    for (let i = 0; i < 3; i += 1) await client.subscribe(secret);
    await call(node.url, '/v1/auth/logout', { token: ben.token, body: {} });
    await client.closed;
    for (let i = 0; i < 4; i += 1)
      await call(other.url, '/v1/me', { token: ben.token, expect: 401 });
    const stranger = await open(other.wsUrl);
    stranger.send({ type: 'auth', token: badToken() });
    await stranger.closed;
    await call(other.url, '/v1/auth/guest', { body: { tenant: world.tenant.slug } });
    await other.stop();

    const { items, whole } = await review(month);
    const of = (name: ReviewItem) => items.find(({ item }: any) => item === name);
    expect(whole).toBe(false);
    const [failing] = of('failed_tokens').worst;
    const [curious] = of('denied_subscribes').worst;
    expect(failing).toEqual({ client: expect.stringMatching(/^user:[0-9a-f]{16}$/), count: 4 });
    expect(curious).toEqual({ client: failing.client, count: 3 });
    expect(of('failed_tokens').worst).toContainEqual({
      client: expect.stringMatching(/^network:[0-9a-f]{16}$/),
      count: 1,
    });
    expect(of('anonymous').worst).toHaveLength(1);
    expect(of('denied_subscribes').measures[0].this_month).toMatchObject({ count: 3 });
    expect(JSON.stringify(items)).not.toContain(ben.id);

    const stats = await call(node.url, '/v1/admin/stats?range=1h&name=wardroom_denials_total', {
      token: world.operator(),
    });
    expect(stats.body).toMatchObject({ points: 60, bucket_seconds: 60, truncated: false });
    const [series] = stats.body.series.filter(({ labels }: any) => labels.action === 'subscribe');
    expect(series.values.reduce((sum: number, value: number) => sum + value, 0)).toBe(3);
  }, 60_000);
});

describe('signing off', () => {
  test('is a record in the audit with note and verdicts, and shows in the review', async () => {
    const month = monthOf(3, 2);
    const note = 'The mobile client 4.2 refreshed in a loop; 4.3 is out. Bearer abcdefghijkl';
    const { status, body } = await call(node.url, '/v1/admin/reviews', {
      token: world.operator(),
      body: { month, note },
    });
    expect(status).toBe(201);
    const kept = 'The mobile client 4.2 refreshed in a loop; 4.3 is out. Bearer [redacted]';
    expect(body).toEqual({
      month,
      at: expect.any(String),
      by: expect.any(String),
      note: kept,
      verdict: 'act',
    });
    const { signed } = await review(month);
    expect(signed).toEqual([{ at: expect.any(String), by: body.by, note: kept }]);
    const [record] = await query<{ actor_id: string; detail: object }>(
      cluster.databaseUrl,
      `SELECT actor_id, detail FROM audit_events WHERE event = 'review_signed'`,
    );
    expect(record).toEqual({
      actor_id: body.by,
      detail: { month, note: kept, verdict: 'act', verdicts: { ...ALL_OK, loops: 'act' } },
    });
  });

  test('is for operators only, as are the review and the stats', async () => {
    const admin = await world.user('admin', 'admin');
    for (const path of ['/v1/admin/review', '/v1/admin/stats?range=1h'])
      expectAnswer(
        await call(node.url, path, { token: admin.token, expect: 403 }),
        'role_required',
      );
    const body = { month: '2024-02', note: 'x' };
    expectAnswer(
      await call(node.url, '/v1/admin/reviews', { token: admin.token, body, expect: 403 }),
      'role_required',
    );
  });
});

describe('a bad question is 422 invalid_request', () => {
  const future = `${new Date().getUTCFullYear() + 1}-01`;

  test.each([
    `review?month=${future}`,
    'review?month=2025-13',
    'review?month=2025-1',
    'review?month=0000-01',
    'review?month=last',
    'review?month=2025-01&month=2025-02',
    'review?since=2025-01',
    'stats',
    'stats?range=2h',
    `stats?range=1h&name=${'x'.repeat(101)}`,
  ])('%s', async (question) => {
    expectAnswer(
      await call(node.url, `/v1/admin/${question}`, { token: world.operator(), expect: 422 }),
      'invalid_request',
    );
  });

  test.each([
    { month: future, note: 'x' },
    { month: '2025-13', note: 'x' },
    { month: '2025-01' },
    { month: '2025-01', note: '' },
    { month: '2025-01', note: 'x'.repeat(1_001) },
    { month: '2025-01', note: 'x', verdict: 'ok' },
  ])('reviews %j', async (body) => {
    const token = world.operator();
    expectAnswer(
      await call(node.url, '/v1/admin/reviews', { token, body, expect: 422 }),
      'invalid_request',
    );
  });

  test('without a month the last whole month is meant', async () => {
    const { body } = await call(node.url, '/v1/admin/review', { token: world.operator() });
    const now = new Date();
    const last = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 0));
    expect(body).toMatchObject({ month: last.toISOString().slice(0, 7), whole: true });
  });
});
