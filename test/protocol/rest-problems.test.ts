/**
 * REST: every refusal is RFC 9457 with a code of section 6, the right status and headers; answers
 * with tokens are not cached.
 */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { ErrorCode } from '@wardroom/protocol';
import { startNode } from '../support/node-process.js';
import { World, call, nodeA, nodeB, unique } from '../support/world.js';
import type { CallOptions, SignedIn } from '../support/world.js';
import { badToken, expectAnswer, expectProblem } from './harness.js';

const origin = process.env['TEST_ALLOWED_ORIGIN']!;
const PASSWORD = 'a password of a test';
let world: World;
let ada: SignedIn;
let ben: SignedIn;
let room: string;

beforeAll(async () => {
  world = await World.create({ tenant: { allow_registration: true, allow_guests: true } });
  [ada, ben] = (await world.users('ada', 'ben')) as [SignedIn, SignedIn];
  room = await world.room(ada, {}, [[ben, 'member']]);
});

/** The raw answer, whatever its status; `body` as text is sent as it is. */
async function raw(
  path: string,
  { body, token, method = body === undefined ? 'GET' : 'POST', headers = {} }: CallOptions = {},
) {
  const sent = {
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...headers,
  };
  const response = await fetch(nodeA() + path, {
    method,
    headers: sent,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text.startsWith('{') ? JSON.parse(text) : text,
  };
}
const login = (change: Record<string, unknown>) => ({
  body: { tenant: world.tenant.slug, email: ada.email, password: ada.password, ...change },
});

describe('an unreadable body is 400 or 413, an invalid one is 422, a missing thing is 404', () => {
  test.each<[string, ErrorCode, number, string, () => CallOptions]>([
    ['broken JSON', 'invalid_request', 400, '/v1/auth/login', () => ({ body: '{"tenant":' })],
    [
      'JSON that is no object',
      'invalid_request',
      400,
      '/v1/auth/login',
      () => ({ body: '"text"' }),
    ],
    [
      'a charset nobody knows',
      'invalid_request',
      415,
      '/v1/auth/login',
      () => ({ ...login({}), headers: { 'content-type': 'application/json; charset=x-unknown' } }),
    ],
    [
      'a broken percent sign in the path',
      'invalid_request',
      400,
      '/v1/rooms/%E0%A4%A',
      () => ({ token: ada.token }),
    ],
    [
      'a body too large',
      'too_big',
      413,
      '/v1/auth/login',
      () => login({ device: 'x'.repeat(300_000) }),
    ],
    [
      'a message body over 32 KiB',
      'too_big',
      413,
      '/v1/rooms/ROOM/messages',
      () => ({ token: ada.token, body: { body: 'x'.repeat(32_767) } }),
    ],
    ['an unknown field', 'invalid_request', 422, '/v1/auth/login', () => login({ remember: true })],
    [
      'a missing field',
      'invalid_request',
      422,
      '/v1/auth/login',
      () => login({ password: undefined }),
    ],
    [
      'a field of the wrong type',
      'invalid_request',
      422,
      '/v1/auth/login',
      () => login({ password: 7 }),
    ],
    ['NUL in a text', 'invalid_request', 422, '/v1/auth/login', () => login({ password: 'a\0b' })],
    ['an unknown query', 'invalid_request', 422, '/v1/rooms?page=2', () => ({ token: ada.token })],
    [
      'an Idempotency-Key too long',
      'invalid_request',
      422,
      '/v1/rooms/ROOM/messages',
      () => ({
        token: ada.token,
        body: { body: 1 },
        headers: { 'idempotency-key': 'x'.repeat(65) },
      }),
    ],
    ['a route that is none', 'not_found', 404, '/v1/nothing', () => ({ token: ada.token })],
    ['a path outside /v1', 'not_found', 404, '/index.php', () => ({})],
    ['an id that is none', 'not_found', 404, '/v1/receipts/1', () => ({ token: ada.token })],
    ['a room of nobody', 'not_found', 404, '/v1/rooms/no-such-room', () => ({ token: ada.token })],
    [
      'the WebSocket path without an upgrade',
      'not_found',
      404,
      '/v1/ws',
      () => ({ token: ada.token }),
    ],
  ])('%s: %s %s', async (_, code, status, path, how) => {
    const answer = await raw(path.replace('ROOM', room), how());
    expectAnswer(answer, code, status);
    if (status === 422)
      expect(answer.body.errors[0]).toEqual({
        path: expect.any(String),
        message: expect.any(String),
      });
  });

  test('a refusal names the fields and repeats no value', async () => {
    const answer = await raw(
      '/v1/auth/login',
      login({ password: 7, email: 'canary', canary: 'canary-value' }),
    );
    expectAnswer(answer, 'invalid_request');
    expect(answer.body.errors.map(({ path }: { path: string }) => path).sort()).toEqual([
      'canary',
      'email',
      'password',
    ]);
    expect(JSON.stringify(answer.body)).not.toContain('canary-value');
  });

  test('the request id of a problem is the one in the header', async () => {
    const answer = await raw('/v1/nothing');
    expect(answer.headers.get('x-request-id')).toBe(answer.body.request_id);
  });
});

describe('401: who calls is not known', () => {
  test.each<[string, ErrorCode, () => CallOptions]>([
    ['no credential', 'auth_missing', () => ({})],
    ['a token that is none', 'auth_invalid', () => ({ token: unique('x') })],
    ['a token of nobody', 'auth_invalid', () => ({ token: badToken() })],
    [
      'another scheme',
      'auth_invalid',
      () => ({ headers: { authorization: `Basic ${unique('x')}` } }),
    ],
    [
      'a good token without a scheme',
      'auth_invalid',
      () => ({ headers: { authorization: ada.token } }),
    ],
    [
      'a good token under another scheme',
      'auth_invalid',
      () => ({ headers: { authorization: `Token ${ada.token}` } }),
    ],
    ['a refresh token as access token', 'auth_invalid', () => ({ token: ada.refresh })],
  ])('%s: %s', async (_, code, how) => {
    expectAnswer(await raw('/v1/me', how()), code);
  });

  test('invalid_credentials, and an unknown refresh token', async () => {
    expectAnswer(await raw('/v1/auth/login', login({ password: 'wrong' })), 'invalid_credentials');
    expectAnswer(
      await raw('/v1/auth/refresh', {
        body: { refresh_token: `wr_rt_${randomBytes(32).toString('base64url')}` },
      }),
      'auth_invalid',
    );
    expectAnswer(await raw('/v1/auth/refresh', { body: {} }), 'auth_missing');
  });

  test('session_revoked, token_reuse, user_suspended and tenant_disabled are told apart', async () => {
    const [cleo, dora] = (await world.users('cleo', 'dora')) as [SignedIn, SignedIn];
    await call(nodeA(), '/v1/auth/logout', { method: 'POST', token: cleo.token });
    expectAnswer(await raw('/v1/me', { token: cleo.token }), 'session_revoked');
    expectAnswer(
      await raw('/v1/auth/refresh', { body: { refresh_token: cleo.refresh } }),
      'session_revoked',
    );
    await call(nodeA(), `/v1/admin/users/${dora.id}`, {
      method: 'PATCH',
      token: world.operator(),
      body: { state: 'suspended' },
    });
    expectAnswer(await raw('/v1/me', { token: dora.token }), 'user_suspended');
    expectAnswer(
      await raw('/v1/auth/login', login({ email: dora.email, password: dora.password })),
      'user_suspended',
    );
    const again = await world.login(cleo);
    const { body } = await call(nodeA(), '/v1/auth/refresh', {
      body: { refresh_token: again.refresh },
    });
    await call(nodeA(), '/v1/auth/refresh', { body: { refresh_token: body.refresh_token } });
    expectAnswer(
      await raw('/v1/auth/refresh', { body: { refresh_token: again.refresh } }),
      'token_reuse',
    );
    const closing = await World.create();
    const eve = await closing.user('eve');
    await call(nodeA(), `/v1/admin/tenants/${closing.tenant.id}`, {
      method: 'PATCH',
      token: world.operator(),
      body: { state: 'disabled' },
    });
    expectAnswer(await raw('/v1/me', { token: eve.token }), 'tenant_disabled');
  });
});

describe('403 and 409', () => {
  const post = (user: SignedIn, path: string, body: unknown, headers = {}) =>
    raw(path, { token: user.token, body, headers });

  test('role_required and not_a_member carry a decision_id', async () => {
    const answer = await raw(`/v1/rooms/${room}`, {
      token: ben.token,
      method: 'PATCH',
      body: { name: 'x' },
    });
    expectAnswer(answer, 'role_required');
    const hall = await world.room(ada, { visibility: 'public' });
    const stranger = await post(ben, `/v1/rooms/${hall}/messages`, { body: 1 });
    expectAnswer(stranger, 'not_a_member');
    expect([answer.body.decision_id, stranger.body.decision_id]).toEqual([
      expect.any(String),
      expect.any(String),
    ]);
  });

  test('op_conflict, slug_taken, email_taken, last_owner', async () => {
    const key = { 'idempotency-key': unique('op') };
    expect((await post(ada, `/v1/rooms/${room}/messages`, { body: 1 }, key)).status).toBe(201);
    expect((await post(ada, `/v1/rooms/${room}/messages`, { body: 1 }, key)).status).toBe(200);
    expectAnswer(await post(ada, `/v1/rooms/${room}/messages`, { body: 2 }, key), 'op_conflict');
    const slug = unique('slug');
    await world.room(ada, { slug });
    expectAnswer(
      await post(ada, '/v1/rooms', { name: 'x', visibility: 'public', slug }),
      'slug_taken',
    );
    expectAnswer(
      await raw('/v1/auth/register', {
        body: { tenant: world.tenant.slug, email: ada.email, password: PASSWORD },
      }),
      'email_taken',
    );
    expectAnswer(await post(ada, `/v1/rooms/${room}/leave`, {}), 'last_owner');
  });

  test('guest_read_only', async () => {
    const { body } = await call(nodeA(), '/v1/auth/guest', { body: { tenant: world.tenant.slug } });
    const hall = await world.room(ada, { visibility: 'public' });
    expectAnswer(
      await raw(`/v1/rooms/${hall}/messages`, { token: body.access_token, body: { body: 1 } }),
      'guest_read_only',
    );
  });

  test('csrf_failed: a cookie without proof, with a proof of another session, from a foreign page; with it all, accepted', async () => {
    const cookies = async (user: SignedIn) => {
      const { headers } = await call(nodeB(), '/v1/auth/login', {
        ...login({ email: user.email, password: user.password, transport: 'cookie' }),
        headers: { origin },
      });
      return new Map(
        headers.getSetCookie().map((line) => line.split(';')[0]!.split('=') as [string, string]),
      );
    };
    const [mine, other] = [await cookies(ada), await cookies(ben)];
    const ask = (csrf: string | undefined, from: string | undefined, cookieCsrf = csrf) =>
      raw('/v1/auth/ticket', {
        method: 'POST',
        headers: {
          cookie: `wr_at=${mine.get('wr_at')}; wr_csrf=${cookieCsrf}`,
          ...(csrf === undefined ? {} : { 'x-csrf-token': csrf }),
          ...(from === undefined ? {} : { origin: from }),
        },
      });
    const proof = mine.get('wr_csrf')!;
    expectAnswer(await ask(undefined, origin, proof), 'csrf_failed');
    expectAnswer(await ask(proof, undefined), 'csrf_failed');
    expectAnswer(await ask(proof, 'https://evil.example.com'), 'csrf_failed');
    expectAnswer(await ask(other.get('wr_csrf')!, origin), 'csrf_failed');
    expect((await ask(proof, origin)).status).toBe(200);
  });
});

describe('answers with tokens', () => {
  test('are Cache-Control: no-store', async () => {
    const email = `${unique('new')}@example.com`;
    const answers = [
      await raw('/v1/auth/login', login({})),
      await raw('/v1/auth/login', {
        body: login({ transport: 'cookie' }).body,
        headers: { origin },
      }),
      await raw('/v1/auth/register', {
        body: { tenant: world.tenant.slug, email, password: PASSWORD },
      }),
      await raw('/v1/auth/guest', { body: { tenant: world.tenant.slug } }),
      await raw('/v1/auth/refresh', { body: { refresh_token: (await world.login(ben)).refresh } }),
      await raw('/v1/auth/ticket', { method: 'POST', token: ada.token }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 201, 201, 200, 200]);
    for (const { headers } of answers) expect(headers.get('cache-control')).toBe('no-store');
  });
});

describe('429 and 503 say when to come again', () => {
  test('too many failed logins are rate_limited; the right password too, another user not', async () => {
    const node = await startNode({ LOGIN_FAILURES_PER_MINUTE: '3' });
    const own = await World.create({ base: node.url });
    const [victim, other] = (await own.users('victim', 'other')) as [SignedIn, SignedIn];
    const attempt = (user: SignedIn, password: string) =>
      fetch(`${node.url}/v1/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ tenant: own.tenant.slug, email: user.email, password }),
      });
    const codes: string[] = [];
    for (let i = 0; i < 5; i += 1)
      codes.push(((await (await attempt(victim, 'wrong')).json()) as { code: string }).code);
    expect(codes.slice(0, 3)).toEqual([
      'invalid_credentials',
      'invalid_credentials',
      'invalid_credentials',
    ]);
    const refused = await attempt(victim, victim.password);
    expectProblem(
      refused.status,
      (name) => refused.headers.get(name),
      await refused.json(),
      'rate_limited',
    );
    expect((await attempt(other, other.password)).status).toBe(200);
  });
});
