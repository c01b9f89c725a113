/**
 * Every refused authentication event leaves exactly one record, whichever way somebody wanted in;
 * whoever was let in has none of these.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { RawClient } from '../support/raw-client.js';
import { World, nodeA, unique, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

const ORIGIN = 'https://app.example.com';
const PASSWORD = 'correct horse battery';
let world: World;
let user: SignedIn;
let ended: SignedIn;
beforeAll(async () => {
  world = await World.create({ tenant: { allow_guests: false, allow_registration: false } });
  [user, ended] = (await world.users('u', 'ended')) as [SignedIn, SignedIn];
  await send('/v1/auth/logout', { token: ended.token, body: {} });
});

interface Sent {
  status: number;
  request: string;
}

async function send(
  path: string,
  {
    token,
    body,
    headers = {},
  }: { token?: string; body: unknown; headers?: Record<string, string> },
): Promise<Sent> {
  const form = typeof body === 'string';
  const response = await fetch(nodeA() + path, {
    method: 'POST',
    headers: {
      'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: form ? body : JSON.stringify(body),
  });
  await response.arrayBuffer();
  return { status: response.status, request: response.headers.get('x-request-id')! };
}

/**
 * Everything that was recorded of one request: asked until something is there, and once more after
 * the next batch.
 */
async function recordsOf(
  request: string,
): Promise<{ event: string; detail: any; tenant_id: string | null; user_id: string | null }[]> {
  const client = new pg.Client({ connectionString: process.env['TEST_CLUSTER_DATABASE_URL'] });
  await client.connect();
  const read = async () =>
    (
      await client.query(
        'SELECT event, detail, tenant_id, user_id FROM audit_events WHERE request_id = $1 ORDER BY id',
        [request],
      )
    ).rows;
  try {
    const deadline = performance.now() + 5_000;
    while ((await read()).length === 0 && performance.now() < deadline) await sleep(50);
    await sleep(600);
    return await read();
  } finally {
    await client.end();
  }
}

const cookieSignIn = async () => {
  const { tenant } = world;
  const response = await fetch(`${nodeA()}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: ORIGIN },
    body: JSON.stringify({
      tenant: tenant.slug,
      email: user.email,
      password: user.password,
      transport: 'cookie',
    }),
  });
  return response.headers
    .getSetCookie()
    .map((line) => line.split(';')[0]!)
    .join('; ');
};

type Case = [
  name: string,
  status: number,
  expected: Record<string, unknown>,
  act: () => Promise<Sent>,
];
const signIn = (path: string, body: object, headers?: Record<string, string>) =>
  send(path, {
    body: { tenant: world.tenant.slug, ...body },
    ...(headers === undefined ? {} : { headers }),
  });
const failed = (code: string, method: string) => ({
  event: 'authn_login_fail',
  detail: { code, method },
});

const CASES: Case[] = [
  [
    'a wrong password',
    401,
    failed('invalid_credentials', 'password'),
    () => signIn('/v1/auth/login', { email: user.email, password: 'wrong' }),
  ],
  [
    'an unknown user',
    401,
    failed('invalid_credentials', 'password'),
    () => signIn('/v1/auth/login', { email: 'nobody@example.com', password: 'wrong' }),
  ],
  [
    'an unknown tenant',
    401,
    failed('invalid_credentials', 'password'),
    () => signIn('/v1/auth/login', { tenant: unique('no'), email: user.email, password: 'wrong' }),
  ],
  [
    'a login for cookies from a foreign page',
    403,
    failed('csrf_failed', 'password'),
    () =>
      signIn(
        '/v1/auth/login',
        { email: user.email, password: user.password, transport: 'cookie' },
        { origin: 'https://evil.example.com' },
      ),
  ],
  [
    'a registration where there is none',
    404,
    failed('not_found', 'registration'),
    () => signIn('/v1/auth/register', { email: `${unique('r')}@example.com`, password: PASSWORD }),
  ],
  [
    'a guest where there are none',
    404,
    failed('not_found', 'guest'),
    () => signIn('/v1/auth/guest', {}),
  ],
  [
    'an ID token that is none',
    401,
    failed('auth_invalid', 'exchange'),
    () => signIn('/v1/auth/exchange', { id_token: 'a.b.c' }),
  ],
  [
    'a refresh token that is none',
    401,
    { event: 'authn_token_fail', detail: { code: 'auth_invalid', kind: 'refresh' } },
    () => send('/v1/auth/refresh', { body: { refresh_token: unique('wr_rt_') } }),
  ],
  [
    'a refresh by cookie without its proof',
    403,
    { event: 'authn_token_fail', detail: { code: 'csrf_failed', kind: 'refresh' } },
    async () => send('/v1/auth/refresh', { body: {}, headers: { cookie: await cookieSignIn() } }),
  ],
  [
    'a refresh of an ended session',
    401,
    { event: 'session_use_after_expire', detail: { code: 'session_revoked', kind: 'refresh' } },
    () => send('/v1/auth/refresh', { body: { refresh_token: ended.refresh } }),
  ],
  [
    'an access token that is none',
    401,
    { event: 'authn_token_fail', detail: { code: 'auth_invalid' } },
    () => send('/v1/auth/ticket', { token: unique('x'), body: {} }),
  ],
  [
    'a ticket asked for by an ended session',
    401,
    { event: 'session_use_after_expire', detail: { code: 'session_revoked' } },
    () => send('/v1/auth/ticket', { token: ended.token, body: {} }),
  ],
  [
    'a call by cookie without its proof',
    403,
    { event: 'authn_token_fail', detail: { code: 'csrf_failed' } },
    async () => send('/v1/auth/ticket', { body: {}, headers: { cookie: await cookieSignIn() } }),
  ],
  [
    'a password change with the wrong password',
    401,
    { event: 'authn_password_change_fail', detail: { code: 'invalid_credentials' } },
    () =>
      send('/v1/auth/password', { token: user.token, body: { current: 'wrong', new: PASSWORD } }),
  ],
  [
    'a logout token that is none',
    400,
    { event: 'authn_token_fail', detail: { kind: 'logout_token' } },
    () => send('/v1/oauth/backchannel-logout', { body: 'logout_token=a.b.c' }),
  ],
  [
    'a security event that is none',
    400,
    { event: 'authn_token_fail', detail: { kind: 'security_event' } },
    () =>
      send('/v1/oauth/events', {
        body: 'a.b.c',
        headers: { 'content-type': 'application/secevent+jwt' },
      }),
  ],
];

describe('refused, and recorded once:', () => {
  test.each(CASES)('%s', async (_name, status, expected, act) => {
    const { status: answered, request } = await act();
    expect(answered).toBe(status);
    const records = await recordsOf(request);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject(expected);
  });

  test('an e-mail that is taken, with the tenant it was tried in', async () => {
    const open = await World.create({ tenant: { allow_registration: true } });
    const body = {
      tenant: open.tenant.slug,
      email: (await open.user('u')).email,
      password: PASSWORD,
    };
    const { status, request } = await send('/v1/auth/register', { body });
    expect(status).toBe(409);
    expect(await recordsOf(request)).toEqual([
      { ...failed('email_taken', 'registration'), tenant_id: open.tenant.id, user_id: null },
    ]);
  });

  test('a ticket that is spent; its connection is the request', async () => {
    const socket = await RawClient.open(`${wsUrl(nodeA())}?ticket=wr_tk_${'A'.repeat(43)}`);
    const { connection_id } = await socket.next('hello');
    await socket.closed;
    expect(await recordsOf(connection_id)).toMatchObject([
      { event: 'connection_refused', detail: { code: 'auth_invalid', renewal: false } },
    ]);
  });

  test('a reused refresh token: the reuse and the end of its session, one record each', async () => {
    const victim = await world.user('victim');
    let current = victim.refresh;
    for (let i = 0; i < 2; i += 1) {
      const response = await fetch(`${nodeA()}/v1/auth/refresh`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ refresh_token: current }),
      });
      current = ((await response.json()) as { refresh_token: string }).refresh_token;
    }
    const { status, request } = await send('/v1/auth/refresh', {
      body: { refresh_token: victim.refresh },
    });
    expect(status).toBe(401);
    expect((await recordsOf(request)).map(({ event }) => event).sort()).toEqual([
      'authn_token_reuse',
      'session_expired',
    ]);
  });
});
