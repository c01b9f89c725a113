/**
 * Live connections of all nodes: listed, described and closed from any node (contract section 10).
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, expectAnswer, live, open } from '../protocol/harness.js';
import { startCluster } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { World, call } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

let here: NodeProcess;
let there: NodeProcess;
let world: World;

async function start(env: Record<string, string> = {}): Promise<void> {
  const cluster = await startCluster(2, { CALL_RATE: '0', AUTH_DEADLINE_MS: '30000', ...env });
  [here, there] = cluster.nodes as [NodeProcess, NodeProcess];
  world = await World.create({ base: here.url });
}
const list = async (query: Record<string, string>, base = here.url): Promise<any> => {
  const path = `/v1/admin/connections?${new URLSearchParams(query).toString()}`;
  return (await call(base, path, { token: world.operator() })).body;
};
const idsOf = (page: any): string[] => page.items.map(({ id }: { id: string }) => id);
const idOf = (client: { frames: any[] }): string => client.frames[0].connection_id;
const show = (id: string, base = here.url, expected = 200) =>
  call(base, `/v1/admin/connections/${id}`, { token: world.operator(), expect: expected });
const close = (id: string, base: string, query = '', expected = 200) =>
  call(base, `/v1/admin/connections/${id}${query}`, {
    token: world.operator(),
    method: 'DELETE',
    expect: expected,
  });

describe('two nodes with Redis', () => {
  beforeAll(() => start());

  test('list the same connections with every field, whichever is asked', async () => {
    const ben = await world.user('ben');
    const room = await world.room(ben);
    const client = await live(there.wsUrl, ben.token, {
      headers: { 'user-agent': 'wardroom-test/1' },
    });
    await client.subscribe(room);
    const [ours, theirs] = [
      await list({ user: ben.id }, here.url),
      await list({ user: ben.id }, there.url),
    ];
    expect(ours.partial).toEqual([]);
    expect(ours.next_cursor).toBeNull();
    const [row] = ours.items;
    expect(ours.items).toEqual([
      {
        id: idOf(client),
        close_id: idOf(client).slice(-12),
        session: ben.session,
        user: { id: ben.id, name: 'ben', email: ben.email },
        tenant: world.tenant.id,
        node: expect.any(String),
        ip: '127.0.0.1',
        user_agent: 'wardroom-test/1',
        carrier: 'header',
        opened_at: expect.any(String),
        token_expires_in_ms: expect.any(Number),
        renewals: 0,
        rooms: 1,
        queue_bytes: 0,
      },
    ]);
    expect(Math.abs(Date.parse(row.opened_at) - Date.now())).toBeLessThan(10_000);
    expect(row.token_expires_in_ms).toBeGreaterThan(200_000);
    const { opened_at: _o, token_expires_in_ms: _t, ...same } = row;
    expect(theirs.items).toMatchObject([same]);
  });

  test('find by user, session, room, node, address and state', async () => {
    const [ben, eve] = (await world.users('ben', 'eve')) as [SignedIn, SignedIn];
    const again = await world.login(ben);
    const room = await world.room(ben, {}, [[eve, 'member']]);
    const [first, second, other] = [
      await live(here.wsUrl, ben.token),
      await live(there.wsUrl, again.token),
      await live(there.wsUrl, eve.token),
    ];
    await second.subscribe(room);
    await other.subscribe(room);
    const [one, two, three] = [first, second, other].map(idOf) as [string, string, string];
    expect(idsOf(await list({ user: ben.id })).sort()).toEqual([one, two].sort());
    expect(idsOf(await list({ session: again.session }))).toEqual([two]);
    expect(idsOf(await list({ room })).sort()).toEqual([two, three].sort());
    expect(idsOf(await list({ room, user: eve.id }))).toEqual([three]);
    const [{ node }] = (await list({ session: ben.session })).items;
    expect(idsOf(await list({ user: ben.id, node }))).toEqual([one]);
    expect(idsOf(await list({ user: ben.id, node }, there.url))).toEqual([one]);
    expect(idsOf(await list({ user: ben.id, ip: '127.0.0.1' }))).toHaveLength(2);
    expect(idsOf(await list({ user: ben.id, ip: '::ffff:127.0.0.1' }))).toHaveLength(2);
    expect(idsOf(await list({ user: ben.id, ip: '192.0.2.1' }))).toEqual([]);
    expect(idsOf(await list({ user: ben.id, state: 'live' }))).toHaveLength(2);
    expect(idsOf(await list({ user: ben.id, state: 'expired' }))).toEqual([]);
  });

  test('list one that has shown no credential, without a user', async () => {
    const stranger = await open(there.wsUrl);
    await stranger.next('hello');
    const page = await list({ state: 'greeting' });
    expect(page.items).toMatchObject([
      { id: idOf(stranger), session: null, user: null, tenant: null, carrier: 'message' },
    ]);
  });

  test('page over both nodes, newest first, each connection once', async () => {
    const ben = await world.user('ben');
    const ids: string[] = [];
    for (let i = 0; i < 7; i += 1)
      ids.push(idOf(await live((i % 3 === 0 ? here : there).wsUrl, ben.token)));
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await list({
        user: ben.id,
        limit: '2',
        ...(cursor === '' ? {} : { cursor }),
      });
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...idsOf(page));
      cursor = page.next_cursor;
    }
    expect(seen).toEqual([...ids].sort().reverse());
  });

  test('page over a node that has far more than the other, and leave none out', async () => {
    const ben = await world.user('ben');
    const expected: string[] = [];
    for (let i = 0; i < 450; i += 1)
      expected.push(idOf(await live((i % 150 === 0 ? here : there).wsUrl, ben.token)));
    const seen: string[] = [];
    let query: Record<string, string> | null = { user: ben.id, limit: '300' };
    while (query !== null) {
      const page = await list(query);
      seen.push(...idsOf(page));
      query =
        page.next_cursor === null ? null : { user: ben.id, limit: '300', cursor: page.next_cursor };
    }
    expect(seen).toEqual(expected.sort().reverse());
  });

  test.each<[string, string]>([
    ['limit', '501'],
    ['user', 'ben'],
    ['ip', 'localhost'],
    ['state', 'closed'],
    ['tenant', 'acme'],
  ])('refuse a bad filter: %s=%s', async (name, value) => {
    const token = world.operator();
    const path = `/v1/admin/connections?${name}=${value}`;
    expectAnswer(await call(here.url, path, { token, expect: 422 }), 'invalid_request');
  });

  test('close one from the other node: the client may come back, and does not have to sign in', async () => {
    const ben = await world.user('ben');
    const client = await live(there.wsUrl, ben.token);
    const { body } = await close(idOf(client), here.url);
    const closed = await client.closed;
    expect([closed.code, closed.reason]).toEqual([
      1001,
      { code: 'draining', action: 'reconnect', close_id: body.close_id },
    ]);
    expect(body).toMatchObject({ id: idOf(client), code: 'draining', action: 'reconnect' });
    await live(there.wsUrl, ben.token);
  });

  test('close one for good', async () => {
    const ben = await world.user('ben');
    const client = await live(here.wsUrl, ben.token);
    await close(idOf(client), there.url, '?action=stop');
    const { code, reason } = await client.closed;
    expect([code, reason.code, reason.action]).toEqual([4003, 'forbidden', 'stop']);
    expectAnswer(await close(idOf(client), here.url, '', 404), 'not_found');
  });

  test('say who closed it: audit, explanation and timeline', async () => {
    const ben = await world.user('ben');
    const me = (await call(here.url, '/v1/me', { token: world.operator() })).body.user_id;
    const client = await live(there.wsUrl, ben.token);
    const id = idOf(client);
    await close(id, here.url);
    await client.closed;
    const records = await eventually(
      async () =>
        (
          await call(here.url, `/v1/admin/audit?event=connection_ended&user=${ben.id}`, {
            token: world.operator(),
          })
        ).body.items,
      (found) => found.length > 0,
      'the audit record',
    );
    expect(records).toMatchObject([
      { actor_id: me, user_id: ben.id, detail: { connection: id, code: 'draining' } },
    ]);
    const { body } = await eventually(
      () => show(id).catch(() => ({ body: null })),
      ({ body: found }) => found?.state === 'ended',
      'the end',
    );
    expect(body.timeline.slice(-2)).toMatchObject([
      { event: 'closed_by', by: me },
      { event: 'closed', side: 'server', code: 'draining' },
    ]);
    const why = await call(here.url, `/v1/admin/closes/${id}`, { token: world.operator() });
    expect(why.body).toMatchObject({ ended_by: me, code: 'draining' });
    expect(why.body.sentence).toContain('an operator closed it');
  });

  test('show an admin those of the own tenant, and nothing of the others', async () => {
    const other = await World.create({ base: here.url });
    const [ben, admin, eve] = [
      await world.user('ben'),
      await world.user('admin', 'admin'),
      await other.user('eve'),
    ];
    const [near, far, foreign, stranger] = [
      await live(here.wsUrl, ben.token),
      await live(there.wsUrl, ben.token),
      await live(there.wsUrl, eve.token),
      await open(there.wsUrl),
    ];
    await stranger.next('hello');
    const as = (path: string, base: string, status = 200) =>
      call(base, path, { token: admin.token, expect: status });
    const seen = (base: string, filter = '') =>
      as(`/v1/admin/connections?limit=500${filter}`, base);
    for (const base of [here.url, there.url]) {
      const { items, next_cursor, partial } = (await seen(base)).body;
      const ids = items.map(({ id }: { id: string }) => id);
      expect(ids).toEqual(expect.arrayContaining([near, far].map(idOf)));
      expect(new Set(items.map(({ tenant }: any) => tenant))).toEqual(new Set([world.tenant.id]));
      expect([next_cursor, partial]).toEqual([null, []]);
      expect(idsOf((await seen(base, `&user=${ben.id}`)).body)).toHaveLength(2);
      for (const filter of [`user=${eve.id}`, `session=${eve.session}`, 'state=greeting'])
        expect((await seen(base, `&${filter}`)).body.items).toEqual([]);
      for (const client of [near, far]) {
        const path = `/v1/admin/connections/${idOf(client)}`;
        expect((await as(path, base)).body).toMatchObject({ user: { id: ben.id }, state: 'live' });
      }
      for (const client of [foreign, stranger])
        expectAnswer(await as(`/v1/admin/connections/${idOf(client)}`, base, 404), 'not_found');
    }
    const looks = await eventually(
      async () => (await as(`/v1/admin/audit?event=data_read&user=${ben.id}`, here.url)).body.items,
      (found) => found.length >= 2,
      'the records of the looks',
    );
    expect(looks).toMatchObject(looks.map(() => ({ actor_id: admin.id })));
  });

  test('show an admin the end of one of the own tenant, and why it closed', async () => {
    const other = await World.create({ base: here.url });
    const [admin, foreigner] = [
      await world.user('admin', 'admin'),
      await other.user('admin', 'admin'),
    ];
    const client = await live(there.wsUrl, (await world.user('ben')).token);
    await close(idOf(client), here.url);
    await client.closed;
    const [detail, why] = ['connections', 'closes'].map((of) => `/v1/admin/${of}/${idOf(client)}`);
    const { body } = await eventually(
      () => call(here.url, detail!, { token: admin.token }).catch(() => ({ body: null })),
      ({ body: found }) => found?.state === 'ended',
      'the end',
    );
    expect(body.timeline.at(-1)).toMatchObject({ event: 'closed', code: 'draining' });
    expect((await call(there.url, why!, { token: admin.token })).body.code).toBe('draining');
    for (const path of [detail!, why!])
      expectAnswer(
        await call(there.url, path, { token: foreigner.token, expect: 404 }),
        'not_found',
      );
  });

  test('are closed by operators only, and shown to no member; a look is in the audit', async () => {
    const [ben, admin] = [await world.user('ben'), await world.user('admin', 'admin')];
    const client = await live(here.wsUrl, ben.token);
    const path = `/v1/admin/connections/${idOf(client)}`;
    for (const [token, method, where] of [
      [ben.token, 'GET', '/v1/admin/connections'],
      [ben.token, 'GET', path],
      [ben.token, 'DELETE', path],
      [admin.token, 'DELETE', path],
    ] as const)
      expectAnswer(await call(there.url, where, { token, method, expect: 403 }), 'role_required');
    await list({ user: ben.id });
    await show(idOf(client));
    for (const what of ['connections', 'connection'])
      await eventually(
        async () =>
          (
            await call(here.url, `/v1/admin/audit?event=data_read&user=${ben.id}`, {
              token: world.operator(),
            })
          ).body.items,
        (looks) => looks.some(({ detail }: any) => detail.what === what),
        `the record of the look: ${what}`,
      );
    expect(client.isClosed).toBeNull();
  });

  test('know nothing of a connection that never was', async () => {
    const id = '0190a0a0-0000-7000-8000-000000000000';
    expectAnswer(await show(id, here.url, 404), 'not_found');
    expectAnswer(await close(id, here.url, '', 404), 'not_found');
    expectAnswer(await close('x', here.url, '', 404), 'not_found');
  });

  test('name the one that stands still, and do not take its silence for an answer', async () => {
    const ben = await world.user('ben');
    const [near, far] = [await live(here.wsUrl, ben.token), await live(there.wsUrl, ben.token)];
    const { items } = await list({ user: ben.id });
    const node = items.find(({ id }: { id: string }) => id === idOf(far)).node;
    const admin = await world.user('admin', 'admin');
    there.kill('SIGSTOP');
    try {
      // Admins who ask much more than a node may ask at a time do not stand before an operator.
      const crowd = Array.from({ length: 60 }, (_, i) =>
        fetch(`${here.url}/v1/admin/connections${i % 2 === 0 ? '' : `/${idOf(far)}`}`, {
          headers: { authorization: `Bearer ${admin.token}` },
        }),
      );
      await Promise.race(crowd);
      const page = await list({ user: ben.id });
      expect(idsOf(page)).toEqual([idOf(near)]);
      expect(page.partial).toEqual([node]);
      expectAnswer(await show(idOf(far), here.url, 503), 'unavailable');
      expectAnswer(await close(idOf(far), here.url, '', 503), 'unavailable');
      await show(idOf(near));
      for (const { status } of await Promise.all(crowd)) expect([200, 503]).toContain(status);
    } finally {
      there.kill('SIGCONT');
    }
    await eventually(
      () => list({ user: ben.id }),
      ({ partial }) => partial.length === 0,
      'an answer of both',
    );
    expect(far.isClosed).toBeNull();
  });
});

test('without Redis a node lists its own, and names the others', async () => {
  await start({ REDIS_URL: 'redis://127.0.0.1:1' });
  const ben = await world.user('ben');
  const [near, far] = [await live(here.wsUrl, ben.token), await live(there.wsUrl, ben.token)];
  const page = await list({ user: ben.id });
  expect(idsOf(page)).toEqual([idOf(near)]);
  expect(page.partial).toHaveLength(1);
  await close(idOf(near), here.url);
  await near.closed;
  expectAnswer(await close(idOf(far), here.url, '', 503), 'unavailable');
  expectAnswer(await show(idOf(far), here.url, 503), 'unavailable');
});
