/**
 * `POST /v1/admin/tokens/inspect`: why a token would be refused, without using it up. The code is
 * the one that the door answers with.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { eventually, expectAnswer, open } from '../../protocol/harness.js';
import { startCluster } from '../../support/node-process.js';
import type { NodeProcess } from '../../support/node-process.js';
import { World, call } from '../../support/world.js';
import type { SignedIn } from '../../support/world.js';

let here: NodeProcess;
let there: NodeProcess;
let world: World;
let ben: SignedIn;

beforeAll(async () => {
  const env = { CALL_RATE: '0', LOGINS_PER_MINUTE: '0' };
  [here, there] = (await startCluster(2, env)).nodes as [NodeProcess, NodeProcess];
  world = await World.create({ base: here.url });
  ben = await world.user('ben');
});

async function inspect(token: string): Promise<any> {
  const { body, headers } = await call(there.url, '/v1/admin/tokens/inspect', {
    token: world.operator(),
    body: { token },
  });
  expect(headers.get('cache-control')).toBe('no-store');
  expect(JSON.stringify(body)).not.toContain(token === '' ? '\0' : token);
  return body;
}

const b64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const parts = (token: string): [any, any, string] => {
  const [head, body, signature] = token.split('.') as [string, string, string];
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
  return [read(head), read(body), signature];
};
/** The same token with something else in it, and the signature of before. */
const changed = (token: string, head: object, body: object): string => {
  const [header, claims, signature] = parts(token);
  return `${b64({ ...header, ...head })}.${b64({ ...claims, ...body })}.${signature}`;
};
/** Of a key that this server has not. */
function foreign(token: string, head: object = {}): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [header, claims] = parts(token);
  const text = `${b64({ ...header, ...head })}.${b64(claims)}`;
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' as const };
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}
/** The code of REST; null: accepted. */
async function door(token: string): Promise<string | null> {
  const response = await fetch(`${there.url}/v1/me`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const body = (await response.json()) as { code?: string };
  return response.ok ? null : body.code!;
}

describe('an access token', () => {
  test('that is good: its claims, times, key, session, user and tenant', async () => {
    const { token, session, id } = await world.login(ben);
    const [header, claims] = parts(token);
    const answer = await inspect(token);
    expect(answer).toMatchObject({
      kind: 'access_token',
      verdict: 'accepted',
      code: null,
      action: null,
      verified: true,
      header,
      claims,
      key: { kid: header.kid, state: 'signing' },
      session: { id: session, state: 'live', ended_at: null },
      user: { id, email: ben.email, state: 'active' },
      tenant: { id: world.tenant.id, state: 'active' },
    });
    expect(answer.expires_in_ms).toBeGreaterThan(0);
    const ageMs = Date.now() - Date.parse(answer.server_time);
    expect(Math.abs(ageMs)).toBeLessThan(5_000);
  });

  test.each<[string, string, (token: string) => string]>([
    ['no token at all', 'malformed', () => 'hello'],
    ['nothing', 'malformed', () => ''],
    ['three parts of noise', 'malformed', () => 'a.b.c'],
    ['a changed claim', 'bad_signature', (token) => changed(token, {}, { sub: world.tenant.id })],
    ['another key under our kid', 'bad_signature', (token) => foreign(token)],
    ['an unknown kid', 'unknown_key', (token) => foreign(token, { kid: 'x'.repeat(43) })],
    ['the algorithm none', 'wrong_algorithm', (token) => changed(token, { alg: 'none' }, {})],
    [
      'another algorithm of ours',
      'wrong_algorithm',
      (token) => changed(token, { alg: 'RS256' }, {}),
    ],
    ['an ID token', 'wrong_kind', (token) => changed(token, { typ: 'JWT' }, {})],
    ['an unknown header member', 'malformed', (token) => changed(token, { crit: ['x'] }, {})],
  ])('%s is %s, and the door refuses it, too', async (_name, verdict, make) => {
    const text = make((await world.login(ben)).token);
    expect(await inspect(text)).toMatchObject({
      verdict,
      code: 'auth_invalid',
      verified: false,
      session: null,
      sentence: expect.stringMatching(/^[A-Z].*\.$/),
    });
    if (text !== '') expect(await door(text)).toBe('auth_invalid');
  });

  test('claims that hold a token are shown without it', async () => {
    const { token, refresh } = await world.login(ben);
    const text = changed(token, { typ: 'JWT' }, { nested: { token }, refresh });
    const answer = await inspect(text);
    expect(JSON.stringify(answer)).not.toContain(refresh);
    expect(JSON.stringify(answer)).not.toContain(token);
    expect(answer.claims.refresh).toBe('[redacted]');
  });

  test('past its time is expired', async () => {
    const short = await World.create({ base: here.url });
    await call(here.url, `/v1/admin/tenants/${short.tenant.id}`, {
      method: 'PATCH',
      token: world.operator(),
      body: { access_ttl_seconds: 5 },
    });
    const { token } = await short.user('eve');
    const [, { exp }] = parts(token);
    await eventually(
      () => door(token),
      (code) => code === 'token_expired',
      'the end of the token',
    );
    const answer = await inspect(token);
    expect(answer).toMatchObject({ verdict: 'expired', code: 'token_expired', verified: true });
    expect(answer.action).toBe('refresh');
    expect(Date.parse(answer.expires_at)).toBe(exp * 1000);
    expect(answer.expires_in_ms).toBeLessThanOrEqual(0);
  });

  test('of an ended session: when, why and by whom', async () => {
    const mine = await world.login(ben);
    const token = world.operator();
    await call(here.url, '/v1/admin/revocations', {
      token,
      body: { session: mine.session, reason: 'stolen' },
    });
    const me = (await call(here.url, '/v1/me', { token })).body;
    const answer = await inspect(mine.token);
    expect(answer).toMatchObject({
      verdict: 'session_ended',
      code: 'session_revoked',
      session: { state: 'ended', reason: 'revoked', ended_by: me.user_id },
    });
    expect(answer.sentence).toContain(answer.session.ended_at);
    expect(await door(mine.token)).toBe('session_revoked');
  });

  test('of a suspended user, and of a disabled tenant', async () => {
    const carl = await world.user('carl');
    const other = await World.create({ base: here.url });
    const dora = await other.user('dora');
    const stop = async (path: string, state: string) =>
      call(here.url, path, { method: 'PATCH', token: world.operator(), body: { state } });
    await stop(`/v1/admin/users/${carl.id}`, 'suspended');
    await stop(`/v1/admin/tenants/${other.tenant.id}`, 'disabled');
    for (const [user, verdict] of [
      [carl, 'user_suspended'],
      [dora, 'tenant_disabled'],
    ] as const) {
      expect(await inspect(user.token)).toMatchObject({ verdict, code: verdict });
      expect(await door(user.token)).toBe(verdict);
      expect(await inspect(user.refresh)).toMatchObject({ verdict, code: verdict });
    }
  });
});

describe('a refresh token', () => {
  const refresh = (token: string, expectStatus?: number) =>
    call(here.url, '/v1/auth/refresh', {
      body: { refresh_token: token },
      ...(expectStatus === undefined ? {} : { expect: expectStatus }),
    });

  test('is told apart by its place in the family, and is not used up by looking', async () => {
    const mine = await world.login(ben);
    const look = async (token: string) => (await inspect(token)).refresh;
    for (let i = 0; i < 2; i += 1)
      expect(await look(mine.refresh)).toEqual({
        generation: 1,
        current_generation: 1,
        place: 'current',
      });
    const second = (await refresh(mine.refresh)).body.refresh_token;
    expect(await inspect(mine.refresh)).toMatchObject({
      verdict: 'accepted',
      refresh: { place: 'previous', current_generation: 2 },
    });
    const third = (await refresh(second)).body.refresh_token;
    const old = await inspect(mine.refresh);
    expect(old).toMatchObject({
      kind: 'refresh_token',
      verdict: 'token_reuse',
      code: 'token_reuse',
      refresh: { place: 'older' },
      session: { state: 'live' },
    });
    await refresh(third);
    await refresh(mine.refresh, 401);
    expect(await inspect(third)).toMatchObject({
      verdict: 'session_ended',
      code: 'token_reuse',
      session: { reason: 'token_reuse' },
    });
  });

  test('that somebody made up is no token of ours', async () => {
    const { refresh: mine } = await world.login(ben);
    const swapped = mine.slice(0, -1) + (mine.endsWith('A') ? 'B' : 'A');
    for (const text of [`wr_rt_${'x'.repeat(92)}`, 'wr_rt_x', swapped])
      expect(await inspect(text)).toMatchObject({
        kind: 'refresh_token',
        code: 'auth_invalid',
        verified: false,
        session: null,
      });
  });
});

describe('a ticket', () => {
  test('says whose it is and for which Origin, and is still good afterwards', async () => {
    const mine = await world.login(ben);
    const { ticket } = (await call(here.url, '/v1/auth/ticket', { token: mine.token, body: {} }))
      .body;
    for (let i = 0; i < 2; i += 1)
      expect(await inspect(ticket)).toMatchObject({
        kind: 'ticket',
        verdict: 'accepted',
        code: null,
        ticket: { origin: null },
        session: { id: mine.session },
      });
    const client = await open(`${here.wsUrl}?ticket=${ticket}`);
    const opened = await client.next('auth_ok');
    expect(opened).toMatchObject({ type: 'auth_ok', session_id: mine.session });
    expect(await inspect(ticket)).toMatchObject({ verdict: 'spent', code: 'auth_invalid' });
  });

  test('that was never given is unknown', async () => {
    expect(await inspect(`wr_tk_${randomBytes(32).toString('base64url')}`)).toMatchObject({
      verdict: 'ticket_unknown',
    });
    expect(await inspect('wr_tk_x')).toMatchObject({ kind: 'ticket', verdict: 'malformed' });
  });
});

describe('the key of a service account', () => {
  const accounts = () => `/v1/admin/tenants/${world.tenant.id}/service-accounts`;
  const token = () => world.operator();
  async function newKey(): Promise<{ account: string; key: string; id: string }> {
    const body = { name: 'shop', scopes: ['rooms', 'messages'] };
    const account = (await call(here.url, accounts(), { token: token(), body })).body.id;
    const path = `${accounts()}/${account}/keys`;
    const { body: made } = await call(here.url, path, { token: token(), body: {} });
    return { account, key: made.key, id: made.key_id };
  }
  /** The code of a call with it; null: accepted. */
  async function keyDoor(key: string): Promise<string | null> {
    const headers = { authorization: `Bearer ${key}` };
    const response = await fetch(`${there.url}/v1/rooms`, { headers });
    return response.ok ? null : ((await response.json()) as { code: string }).code;
  }

  test('that is good, withdrawn, of a suspended account, changed, and of no shape', async () => {
    const { account, key, id } = await newKey();
    expect(await inspect(key)).toMatchObject({
      kind: 'service_key',
      verdict: 'accepted',
      code: null,
      verified: true,
      session: { id, state: 'live' },
      user: { id: account, name: 'shop' },
      expires_in_ms: expect.any(Number),
    });
    const wrong = `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`;
    const unknown = { verdict: 'service_key_unknown', verified: false, session: null };
    expect(await inspect(wrong)).toMatchObject({ ...unknown, code: await keyDoor(wrong) });
    expect(await inspect('wr_sk_x')).toMatchObject({ kind: 'service_key', verdict: 'malformed' });

    const path = `${accounts()}/${account}`;
    await call(here.url, `${path}/keys/${id}`, { method: 'DELETE', token: token() });
    const code = await keyDoor(key);
    expect(code).toBe('session_revoked');
    expect(await inspect(key)).toMatchObject({ verdict: 'session_ended', code, verified: true });

    const other = await newKey();
    const suspension = { method: 'PATCH', token: token(), body: { state: 'suspended' } };
    await call(here.url, `${accounts()}/${other.account}`, suspension);
    expect(await inspect(other.key)).toMatchObject({
      verdict: 'user_suspended',
      code: await keyDoor(other.key),
    });
  });

  test('is known to introspection, with its scopes, until it is withdrawn', async () => {
    const { account, key, id } = await newKey();
    const introspect = async () => {
      const response = await fetch(`${there.url}/v1/oauth/introspect`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token()}` },
        body: new URLSearchParams({ token: key }),
      });
      return response.json();
    };
    expect(await introspect()).toMatchObject({
      active: true,
      token_type: 'Bearer',
      sub: account,
      sid: id,
      scope: 'messages rooms',
    });
    const path = `${accounts()}/${account}/keys/${id}`;
    await call(here.url, path, { method: 'DELETE', token: token() });
    expect(await introspect()).toEqual({ active: false });
  });
});

test('looking at a token does not count as its use: the refresh token before it stays good', async () => {
  const mine = await world.login(ben);
  const { body } = await call(here.url, '/v1/auth/refresh', {
    body: { refresh_token: mine.refresh },
  });
  expect(await inspect(body.access_token)).toMatchObject({ verdict: 'accepted' });
  const again = await call(here.url, '/v1/auth/refresh', {
    body: { refresh_token: mine.refresh },
  });
  expect(again.body.refresh_token).toBe(body.refresh_token);
});

test('is for operators; the look is in the audit, without the token', async () => {
  const admin = await world.user('admin', 'admin');
  expectAnswer(
    await call(here.url, '/v1/admin/tokens/inspect', {
      token: admin.token,
      body: { token: ben.token },
      expect: 403,
    }),
    'role_required',
  );
  const mine = await world.login(ben);
  await inspect(mine.token);
  const path = `/v1/admin/audit?event=data_read&user=${ben.id}`;
  const looks = await eventually(
    async () => (await call(here.url, path, { token: world.operator() })).body.items,
    (items) => items.some(({ detail }: any) => detail.what === 'token'),
    'the record of the look',
  );
  expect(JSON.stringify(looks)).not.toContain(mine.token.split('.')[2]!);
});
