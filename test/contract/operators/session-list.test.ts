/** `GET /v1/admin/sessions`: which sessions there are and were, and why they ended. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, expectAnswer, live } from '../../protocol/harness.js';
import { World, call, nodeA, nodeB, unique, wsUrl } from '../../support/world.js';
import type { SignedIn } from '../../support/world.js';

const AGENT = 'Reader/1.0 (of a test)';
let world: World;
let ben: SignedIn;
let admin: SignedIn;
let laptop: string;
const device = unique('laptop');

const list = async (query: string, token = world.operator(), expectStatus?: number) =>
  (
    await call(nodeB(), `/v1/admin/sessions?${query}`, {
      token,
      ...(expectStatus === undefined ? {} : { expect: expectStatus }),
    })
  ).body;
const ids = async (query: string, token?: string): Promise<string[]> =>
  (await list(query, token)).items.map(({ id }: { id: string }) => id);
const end = (session: string) =>
  call(nodeA(), '/v1/admin/revocations', {
    token: world.operator(),
    body: { session, reason: 'stolen' },
  });

beforeAll(async () => {
  world = await World.create();
  [ben, admin] = [await world.user('ben'), await world.user('admin', 'admin')];
  const { body } = await call(nodeA(), '/v1/auth/login', {
    headers: { 'user-agent': AGENT },
    body: { tenant: world.tenant.slug, email: ben.email, password: ben.password, device },
  });
  laptop = body.session_id;
});

test('a live session has its user, device, address, agent, last activity and idle end', async () => {
  const [session] = (await list(`user=${ben.id}&device=${device}`)).items;
  expect(session).toEqual({
    id: laptop,
    tenant_id: world.tenant.id,
    user_id: ben.id,
    guest: false,
    device,
    transport: 'body',
    created_at: expect.any(String),
    last_active_at: expect.any(String),
    expires_at: expect.any(String),
    current: false,
    state: 'live',
    user: { id: ben.id, name: 'ben', email: ben.email },
    ip: '127.0.0.1',
    user_agent: AGENT,
    connections: 0,
    idle_ends_at: expect.any(String),
    ended_at: null,
    reason: null,
    ended_by: null,
    receipt: null,
  });
  expect(Date.parse(session.idle_ends_at)).toBeGreaterThan(Date.parse(session.last_active_at));
});

test('connections of all nodes are counted', async () => {
  const mine = await world.login(ben);
  const clients = [
    await live(wsUrl(nodeA()), mine.token),
    await live(wsUrl(nodeA()), mine.token),
    await live(wsUrl(nodeB()), mine.token),
  ];
  const counted = await eventually(
    () => list(`q=${mine.session}`),
    ({ items, partial }) => partial.length === 0 && items[0].connections === clients.length,
    'three connections',
  );
  expect(counted.items[0].id).toBe(mine.session);
});

test.each<[string, () => string]>([
  ['user', () => `user=${ben.id}`],
  ['tenant, by slug', () => `tenant=${world.tenant.slug}`],
  ['device', () => `device=${device}`],
  ['address', () => `tenant=${world.tenant.id}&ip=127.0.0.1`],
  ['the beginning of an e-mail address', () => `q=${ben.email.slice(0, -4).toUpperCase()}`],
  ['the id of a session', () => `q=${laptop}`],
  ['the id of a user', () => `q=${ben.id}`],
  ['time', () => `tenant=${world.tenant.id}&after=${agoISO(60_000)}&before=${agoISO(-60_000)}`],
])('is found by %s', async (_name, query) => {
  expect(await ids(query())).toContain(laptop);
});

test.each<[string, () => string]>([
  ['another user', () => `user=${admin.id}`],
  ['another device', () => `tenant=${world.tenant.id}&device=${device}x`],
  ['another address', () => `user=${ben.id}&ip=10.1.2.3`],
  ['another beginning', () => `tenant=${world.tenant.id}&q=zz`],
  ['a pattern, which is text here', () => `tenant=${world.tenant.id}&q=%25`],
  ['a time before', () => `user=${ben.id}&before=${agoISO(3_600_000)}`],
  ['a time to come', () => `user=${ben.id}&after=${agoISO(-3_600_000)}`],
  ['ended ones', () => `user=${ben.id}&state=ended`],
])('is not found by %s', async (_name, query) => {
  expect(await ids(query())).not.toContain(laptop);
});

describe('an ended session', () => {
  test('has the reason, who ended it and the receipt', async () => {
    const session = (await world.login(ben)).session;
    const { body: receipt } = await end(session);
    const me = (await call(nodeA(), '/v1/me', { token: world.operator() })).body;
    const [found] = (await list(`q=${session}&state=ended`)).items;
    expect(found).toMatchObject({
      state: 'ended',
      reason: 'revoked',
      ended_by: me.user_id,
      receipt: receipt.id,
      ended_at: expect.any(String),
    });
    expect(await ids(`user=${ben.id}`)).not.toContain(session);
    expect(await ids(`user=${ben.id}&state=all`)).toEqual(
      expect.arrayContaining([session, laptop]),
    );
    await call(nodeA(), `/v1/receipts/${receipt.id}`, { token: world.operator() });
  });

  test('names the user where they signed out themselves, and nobody where a token was reused', async () => {
    const out = await world.login(ben);
    await call(nodeA(), '/v1/auth/logout', { token: out.token, body: {} });
    const reused = await world.login(ben);
    const refresh = (token: string) =>
      call(nodeA(), '/v1/auth/refresh', { body: { refresh_token: token } });
    const next = (await refresh(reused.refresh)).body.refresh_token;
    await refresh(next);
    await refresh(reused.refresh).catch(() => undefined);
    const of = async (id: string) => (await list(`q=${id}&state=ended`)).items[0];
    expect(await of(out.session)).toMatchObject({ reason: 'logout', ended_by: ben.id });
    expect(await of(reused.session)).toMatchObject({ reason: 'token_reuse', ended_by: null });
  });
});

test('a cursor goes on where the page ended, and every session comes once', async () => {
  const all = await ids(`tenant=${world.tenant.id}&state=all&limit=200`);
  const read: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const from: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const page = await list(`tenant=${world.tenant.id}&state=all&limit=1${from}`);
    read.push(...page.items.map(({ id }: { id: string }) => id));
    cursor = page.next_cursor;
  }
  expect(read).toEqual(all);
});

test('an admin sees the own tenant only, a member nothing', async () => {
  const other = await World.create();
  const stranger = await other.user('eve');
  expect(await ids('state=all&limit=200', admin.token)).not.toContain(stranger.session);
  expect(await ids(`q=${stranger.session}`, admin.token)).toEqual([]);
  expectAnswer(
    await call(nodeA(), `/v1/admin/sessions?tenant=${other.tenant.id}`, {
      token: admin.token,
      expect: 404,
    }),
    'not_found',
  );
  expectAnswer(
    await call(nodeA(), '/v1/admin/sessions', { token: ben.token, expect: 403 }),
    'role_required',
  );
});

test.each(['state=dead', 'ip=nowhere', 'before=yesterday', 'q=', 'user=x', 'colour=red'])(
  '%s is refused',
  async (query) => {
    expect((await list(query, world.operator(), 422)).code).toBe('invalid_request');
  },
);

/** Reading the audit is a look, too. */
const isOfSessions = ({ detail }: { detail: { what: string } }) => detail.what === 'sessions';

test('a look is in the audit, with the names of the filters and not their values', async () => {
  const mine = await World.create();
  await list(`tenant=${mine.tenant.id}&q=secret-of-mine`);
  const look = await eventually(
    () =>
      call(nodeA(), `/v1/admin/audit?tenant=${mine.tenant.id}&event=data_read`, {
        token: world.operator(),
      }),
    ({ body }) => body.items.some(isOfSessions),
    'the record of the look',
  );
  expect(look.body.items.filter(isOfSessions)).toMatchObject([
    { detail: { id: mine.tenant.id, filters: ['tenant', 'q', 'state'].sort() } },
  ]);
  expect(JSON.stringify(look.body)).not.toContain('secret-of-mine');
});

function agoISO(ms: number): string {
  return new Date(Date.now() - ms).toISOString();
}
