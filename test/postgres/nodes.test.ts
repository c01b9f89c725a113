/**
 * Issue 15, T10 and T12: two nodes on a Postgres as it is found - foreign defaults, another schema,
 * a plain role, a pooler.
 */
import { expect, test } from '@jest/globals';
import { runKeys } from '../support/keys-cli.js';
import { describeWith } from '../support/needs.js';
import { startCluster, startNode } from '../support/node-process.js';
import { PGBOUNCER, throughPgbouncer } from '../support/pgbouncer.js';
import { RawClient } from '../support/raw-client.js';
import { World, call, wsUrl } from '../support/world.js';
import { query } from '../support/sql.js';
import { hostileDatabase, withParams } from './hostile.js';

const full = process.env['FAULTS'] === 'full';
/** Shorter than the offsets of the time zones. */
const ABSOLUTE_SECONDS = 3_600;
const IGNORED =
  'statement_timeout,lock_timeout,idle_in_transaction_session_timeout,extra_float_digits,options';

type Through = (url: string) => Promise<string>;
const itself: Through = async (url) => url;
const pooled = (settings: Record<string, string> = {}): Through => {
  return (url) => throughPgbouncer(url, { default_pool_size: '6', ...settings });
};

const cases: [name: string, timezone: string, through: Through][] = [
  ['Postgres itself in Los Angeles', 'America/Los_Angeles', itself],
  [
    'pgbouncer in transaction mode that drops startup parameters, in Tokyo',
    'Asia/Tokyo',
    pooled({ ignore_startup_parameters: IGNORED }),
  ],
  ...(full
    ? ([
        ['Postgres itself in Tokyo', 'Asia/Tokyo', itself],
        ["Postgres itself in St. John's", 'America/St_Johns', itself],
        ["pgbouncer in transaction mode, in St. John's", 'America/St_Johns', pooled()],
        [
          'pgbouncer in session mode',
          'America/Los_Angeles',
          pooled({ pool_mode: 'session', default_pool_size: '60' }),
        ],
      ] as typeof cases)
    : []),
];

/** Every time that an answer shows. */
const timesIn = (body: unknown): number[] =>
  [...JSON.stringify(body).matchAll(/"(\d{4}-\d\d-\d\dT[\d:.]+Z)"/g)].map(([, time]) =>
    Date.parse(time!),
  );
const isNow = (ms: number): boolean => Math.abs(ms - Date.now()) < 120_000;

for (const [name, timezone, through] of cases) {
  describeWith(through === itself ? { met: true, reason: '' } : PGBOUNCER, 'a pooler')(name, () => {
    test('login, publish, delivery, logout, keys and times are as everywhere', async () => {
      const { url, adminUrl } = await hostileDatabase(timezone);
      const databaseUrl = withParams(await through(url), { schema: 'wardroom' });
      const cluster = await startCluster(2, {
        DATABASE_URL: databaseUrl,
        SESSION_ABSOLUTE_SECONDS: String(ABSOLUTE_SECONDS),
        SESSION_IDLE_SECONDS: '1800',
        BOOTSTRAP_OPERATOR_EMAIL: process.env['TEST_OPERATOR_EMAIL']!,
        BOOTSTRAP_OPERATOR_PASSWORD: process.env['TEST_OPERATOR_PASSWORD']!,
      });
      const [a, b] = cluster.nodes.map((node) => node.url) as [string, string];
      const world = await World.create({ base: a });
      const [ada, ben] = [await world.user('ada', 'admin'), await world.user('ben')];
      const room = await world.room(ada, {}, [[ben, 'member']]);
      const [one, other] = [
        await RawClient.live(wsUrl(a), ada.token),
        await RawClient.live(wsUrl(b), ben.token),
      ];
      await one.subscribe(room);
      await other.subscribe(room);
      await Promise.all(Array.from({ length: 20 }, (_, i) => one.publish(room, `m${i} ü€😀`)));
      const last = await other.next((frame) => frame.type === 'message' && frame.seq === 20);
      expect(other.of('message').map((frame) => frame.seq)).toEqual(
        Array.from({ length: 20 }, (_, i) => i + 1),
      );
      expect(isNow(Date.parse(last.at))).toBe(true);

      // The answers of REST, over Prisma and past it.
      const operator = world.operator();
      const { body: sessions } = await call(b, '/v1/auth/sessions', { token: ada.token });
      expect(sessions.items).toHaveLength(1);
      const { created_at, last_active_at, expires_at } = sessions.items[0];
      expect([created_at, last_active_at].map((time) => isNow(Date.parse(time)))).toEqual([
        true,
        true,
      ]);
      expect(isNow(Date.parse(expires_at) - ABSOLUTE_SECONDS * 1_000)).toBe(true);
      const { body: keys } = await call(a, '/v1/admin/keys', { token: operator });
      expect(keys.items.map((key: { state: string }) => key.state)).toEqual(['signing']);
      for (const path of [
        `/v1/admin/tenants/${world.tenant.id}/users`,
        '/v1/admin/tenants',
        '/v1/admin/audit',
      ]) {
        const times = timesIn((await call(b, path, { token: operator })).body);
        expect(times.length).toBeGreaterThan(0);
        expect(times.filter((time) => !isNow(time))).toEqual([]);
      }
      const history = timesIn(
        (await call(a, `/v1/rooms/${room}/messages`, { token: ben.token })).body,
      );
      expect(history).toHaveLength(20);
      expect(history.filter((time) => !isNow(time))).toEqual([]);

      // A session lives on through a refresh, and ends on both nodes with the receipt.
      const { body: renewed } = await call(b, '/v1/auth/refresh', {
        body: { refresh_token: ben.refresh },
      });
      const { body: receipt } = await call(a, '/v1/auth/logout', {
        method: 'POST',
        token: renewed.access_token,
      });
      expect(receipt).toMatchObject({ effective: true, sessions: 1, connections_closed: 1 });
      expect(receipt.nodes.map((node: { state: string }) => node.state)).toEqual([
        'confirmed',
        'confirmed',
      ]);
      expect((await other.closed).reason).toMatchObject({ code: 'session_revoked' });
      await call(b, '/v1/me', { token: renewed.access_token, expect: 401 });

      expect((await runKeys(cluster.env, 'list')).stdout).toMatch(/\tsigning\t/);
      const where = await query<{ schema: string }>(
        adminUrl,
        `SELECT DISTINCT schemaname AS schema FROM pg_tables WHERE tablename IN ('room_events', 'sessions')`,
      );
      expect(where).toEqual([{ schema: 'wardroom' }]);
      // A pooler shows what it was asked for by name as an error of the statement.
      for (const node of cluster.nodes)
        expect(node.logs()).not.toMatch(/authority round failed|26000|42P05/);
      await cluster.stop();
    }, 60_000);
  });
}

describeWith(PGBOUNCER, 'a pooler')('a pooler in statement mode', () => {
  test('ends the start with a sentence before anything is made', async () => {
    const { url, adminUrl } = await hostileDatabase('UTC');
    const statement = await throughPgbouncer(url, { pool_mode: 'statement' });
    await expect(
      startNode({
        DATABASE_URL: withParams(statement, { schema: 'wardroom' }),
        REDIS_URL: 'redis://127.0.0.1:1',
      }),
    ).rejects.toThrow(/set pool_mode of the pooler to transaction or session\./);
    expect(
      await query(adminUrl, `SELECT nspname FROM pg_namespace WHERE nspname = 'wardroom'`),
    ).toEqual([]);
  });
});
