/**
 * F10: what can be caused again and again fills no audit, and a flood from one address hides no
 * other.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { startCluster } from '../support/node-process.js';
import type { Cluster, NodeProcess } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { query } from '../support/sql.js';
import { World, call } from '../support/world.js';

const PER_MINUTE = 5;
const TIMES = 40;
let cluster: Cluster;
let node: NodeProcess;
let world: World;

interface Row {
  event: string;
  user_id: string | null;
  ip: string | null;
  detail: any;
}

/**
 * A node of its own for each test: what was counted is told when its minute is over, or the node
 * ends.
 */
beforeAll(async () => {
  cluster = await startCluster(1, {
    AUDIT_ROWS_PER_MINUTE: String(PER_MINUTE),
    TRUSTED_PROXIES: '127.0.0.1',
    CALL_RATE: '0',
    SIGNAL_RATE: '0',
  });
  [node] = cluster.nodes as [NodeProcess];
  world = await World.create({ base: node.url });
});

const rows = (where: string, values: unknown[]): Promise<Row[]> =>
  query<Row>(
    cluster.databaseUrl,
    `SELECT event, user_id, ip, detail FROM audit_events WHERE ${where} ORDER BY node, n`,
    values,
  );

/** Each another one: no breaker of loops sees it twice. */
async function garbage(address: string, times: number): Promise<void> {
  const sent = Array.from({ length: times }, (_, i) =>
    call(node.url, '/v1/me', {
      token: `garbage-${address}-${i}`,
      headers: { 'x-forwarded-for': address },
      expect: 401,
    }),
  );
  await Promise.all(sent);
}

const COUNTED = `event = 'excess_rate_limit_exceeded' AND detail->>'limit' = 'audit'`;

describe('after a flood', () => {
  test('each address has its first refusals, each user their first acts, and the rest is counted', async () => {
    const user = await world.user('u');
    const viewer = await world.user('viewer');
    const room = await world.room(user, {}, [[viewer, 'viewer']]);
    await Promise.all([
      garbage('203.0.113.7', TIMES),
      garbage('203.0.113.8', 1),
      ...['1', '2', '3', '4'].map((i) => garbage(`2001:db8::${i}`, 10)),
      garbage('2001:db8:1:1::1', 1),
    ]);
    const client = await RawClient.live(node.wsUrl, viewer.token);
    for (let i = 0; i < TIMES; i += 1)
      expect(await client.ask({ type: 'signal', room, kind: 'k', body: 1 })).toMatchObject({
        type: 'error',
        code: 'read_only',
      });
    for (let i = 0; i < TIMES; i += 1)
      await call(node.url, '/v1/auth/ticket', { token: user.token, body: {} });
    for (let i = 0; i < 2 * PER_MINUTE; i += 1) {
      const short = await RawClient.live(node.wsUrl, user.token);
      short.close();
      await short.closed;
    }
    client.close();
    await client.closed;
    await cluster.stop();

    const refusals = await rows(`event = 'authn_token_fail'`, []);
    const of = (fits: (ip: string) => boolean) => refusals.filter(({ ip }) => fits(ip!)).length;
    expect(of((ip) => ip === '203.0.113.7')).toBe(PER_MINUTE);
    expect(of((ip) => ip === '203.0.113.8')).toBe(1);
    expect(of((ip) => ip.startsWith('2001:db8::'))).toBe(PER_MINUTE);
    expect(of((ip) => ip === '2001:db8:1:1::1')).toBe(1);

    const ofUser = async (id: string) =>
      (await rows(`user_id = $1 AND event <> 'excess_rate_limit_exceeded'`, [id])).map(
        ({ event }) => event,
      );
    const count = (events: string[], event: string) => events.filter((one) => one === event).length;
    const [acts, denials] = [await ofUser(user.id), await ofUser(viewer.id)];
    expect(count(denials, 'authz_fail')).toBe(PER_MINUTE);
    for (const event of ['authn_token_created', 'connection_opened', 'connection_closed'])
      expect([event, count(acts, event)]).toEqual([event, PER_MINUTE]);

    const counted = await rows(COUNTED, []);
    const told = counted.map(({ user_id, ip, detail: { event, count: times, codes } }) => ({
      who: user_id ?? ip,
      event,
      times,
      codes,
    }));
    const expected = [
      {
        who: '203.0.113.7',
        event: 'authn_token_fail',
        times: TIMES - PER_MINUTE,
        codes: { auth_invalid: TIMES - PER_MINUTE },
      },
      {
        who: '2001:db8:0:0::/64',
        event: 'authn_token_fail',
        times: TIMES - PER_MINUTE,
        codes: { auth_invalid: TIMES - PER_MINUTE },
      },
      {
        who: viewer.id,
        event: 'authz_fail',
        times: TIMES - PER_MINUTE,
        codes: { read_only: TIMES - PER_MINUTE },
      },
      {
        who: user.id,
        event: 'authn_token_created',
        times: TIMES - PER_MINUTE,
        codes: { none: TIMES - PER_MINUTE },
      },
      { who: user.id, event: 'connection_opened', times: PER_MINUTE, codes: { none: PER_MINUTE } },
      {
        who: user.id,
        event: 'connection_closed',
        times: PER_MINUTE,
        codes: { client: PER_MINUTE },
      },
    ];
    for (const one of expected) expect(told).toContainEqual(one);
    expect(told).toHaveLength(expected.length);
    for (const { detail } of counted)
      expect(Date.parse(detail.to)).toBeGreaterThan(Date.parse(detail.from));
  }, 60_000);
});

describe('a refresh', () => {
  test('is a row each time, so a user has so many of them a second, on all sessions together', async () => {
    const own = await startCluster(1, { CALL_RATE: '5' });
    const base = own.nodes[0]!.url;
    const user = await (await World.create({ base })).user('u');
    const refresh = () =>
      fetch(`${base}/v1/auth/refresh`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ refresh_token: user.refresh }),
      });
    const answers = await Promise.all(Array.from({ length: 60 }, refresh));
    const codes = await Promise.all(
      answers.map(
        async (answer) => ((await answer.json()) as { code?: string }).code ?? 'refreshed',
      ),
    );
    expect(new Set(codes)).toEqual(new Set(['refreshed', 'rate_limited']));
    expect(answers.find(({ status }) => status === 429)?.headers.get('retry-after')).toEqual(
      expect.stringMatching(/^\d+$/),
    );
    // As many as are in the bucket, and what a busy machine takes time to refill.
    expect(codes.filter((code) => code === 'refreshed').length).toBeLessThan(50);
    expect(codes.filter((code) => code === 'refreshed').length).toBeGreaterThanOrEqual(10);
  }, 60_000);
});
