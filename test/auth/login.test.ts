/** Contract sections 2 and 6: signing in, and the words a refusal uses. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { startCluster } from '../support/node-process.js';
import { World, call, nodeA, nodeB, unique } from '../support/world.js';

const PASSWORD = 'correct horse battery';

const post = (base: string, path: string, body: object, headers: Record<string, string> = {}) =>
  fetch(base + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });

/** `ok`, or the code of the refusal. */
async function outcome(base: string, path: string, body: object, headers: Record<string, string> = {}): Promise<string> {
  const response = await post(base, path, body, headers);
  const { code } = (await response.json()) as { code?: string };
  return response.ok ? 'ok' : (code ?? String(response.status));
}

describe('login', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.create({ tenant: { allow_registration: true, allow_guests: true } });
  });

  const register = (fields: Record<string, unknown> = {}, expected = 201) =>
    call(nodeA(), '/v1/auth/register', {
      body: { tenant: world.tenant.slug, email: `${unique('u')}@example.com`, password: PASSWORD, ...fields },
      expect: expected,
    });

  test('answers tokens, their life and when to refresh, and is not stored by caches', async () => {
    const email = `${unique('Ada')}@Example.com`;
    await register({ email });
    const { body, headers } = await call(nodeB(), '/v1/auth/login', {
      body: { tenant: world.tenant.id, email: email.toUpperCase(), password: PASSWORD },
      expect: 200,
    });
    expect(Object.keys(body).sort()).toEqual(['access_token', 'expires_in', 'refresh_after_ms', 'refresh_token', 'session_id', 'token_type']);
    expect(body.token_type).toBe('Bearer');
    expect(body.expires_in).toBeGreaterThanOrEqual(269);
    expect(body.expires_in).toBeLessThanOrEqual(300);
    expect(body.refresh_after_ms).toBeLessThan(body.expires_in * 1000);
    expect(headers.get('cache-control')).toBe('no-store');
    const me = await call(nodeA(), '/v1/me', { token: body.access_token });
    expect(me.body).toMatchObject({
      tenant_id: world.tenant.id,
      session_id: body.session_id,
      role: 'member',
      email: email.toLowerCase(),
      tenant: { slug: world.tenant.slug },
    });
  });

  test.each([
    ['a wrong password', { password: 'wrong' }],
    ['an unknown user', { email: 'nobody@example.com' }],
    ['an unknown tenant', { tenant: 'no-such-tenant' }],
  ])('%s is invalid_credentials, in the same words', async (_name, wrong) => {
    const email = `${unique('u')}@example.com`;
    await register({ email });
    const { body, headers } = await call(nodeA(), '/v1/auth/login', { body: { tenant: world.tenant.slug, email, password: PASSWORD, ...wrong }, expect: 401 });
    expect(body).toMatchObject({ code: 'invalid_credentials', action: 'none', status: 401, detail: 'Tenant, e-mail or password is wrong.' });
    expect(headers.get('content-type')).toMatch('application/problem+json');
    expect(headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
  });

  test('what cannot be parsed is 400; invalid and unknown fields are 422 and named', async () => {
    const broken = await call(nodeA(), '/v1/auth/login', { body: '{"tenant":', expect: 400 });
    expect(broken.body.code).toBe('invalid_request');
    const secret = 'hunter2-hunter2';
    const { body } = await call(nodeA(), '/v1/auth/login', {
      body: { tenant: world.tenant.slug, email: secret, password: secret, remember: secret },
      expect: 422,
    });
    expect(body).toMatchObject({ code: 'invalid_request', errors: [{ path: 'email' }, { path: 'remember', message: 'unknown field' }] });
    expect(JSON.stringify(body)).not.toContain(secret);
  });

  test.each(['\0', '\ud800'])('text with %j is refused at the edge', async (character) => {
    const { body } = await register({ name: `a${character}b` }, 422);
    expect(body.errors).toEqual([expect.objectContaining({ path: 'name' })]);
  });

  test('an e-mail is taken once per tenant, whatever its case', async () => {
    const email = `${unique('twin')}@example.com`;
    await register({ email });
    expect((await register({ email: email.toUpperCase() }, 409)).body.code).toBe('email_taken');
  });

  test('registration and guests exist only where the tenant allows them', async () => {
    const closed = await World.create();
    const register = await call(nodeA(), '/v1/auth/register', {
      body: { tenant: closed.tenant.slug, email: 'a@example.com', password: PASSWORD },
      expect: 404,
    });
    expect(register.body.code).toBe('not_found');
    expect((await call(nodeA(), '/v1/auth/guest', { body: { tenant: closed.tenant.slug }, expect: 404 })).body.code).toBe('not_found');
    const guest = await call(nodeA(), '/v1/auth/guest', { body: { tenant: world.tenant.slug }, expect: 201 });
    const me = await call(nodeB(), '/v1/me', { token: guest.body.access_token });
    expect(me.body).toMatchObject({ role: 'guest', email: null, name: null });
  });

  test('a suspended user learns so only with the right password', async () => {
    const user = await world.user('sus');
    await call(nodeA(), `/v1/admin/users/${user.id}`, { method: 'PATCH', token: world.operator(), body: { state: 'suspended' } });
    const login = (password: string) => call(nodeB(), '/v1/auth/login', { body: { tenant: world.tenant.slug, email: user.email, password }, expect: 401 });
    expect((await login('wrong')).body.code).toBe('invalid_credentials');
    expect((await login(user.password)).body).toMatchObject({ code: 'user_suspended', action: 'stop' });
    expect((await call(nodeB(), '/v1/auth/refresh', { body: { refresh_token: user.refresh }, expect: 401 })).body.code).toBe('user_suspended');
  });

  test('a disabled tenant lets nobody in', async () => {
    const other = await World.create();
    const user = await other.user('dis');
    await call(nodeA(), `/v1/admin/tenants/${other.tenant.id}`, { method: 'PATCH', token: other.operator(), body: { state: 'disabled' } });
    const { body } = await call(nodeB(), '/v1/auth/login', { body: { tenant: other.tenant.slug, email: user.email, password: user.password }, expect: 401 });
    expect(body).toMatchObject({ code: 'tenant_disabled', action: 'stop' });
    expect((await call(nodeB(), '/v1/me', { token: user.token, expect: 401 })).body.code).toBe('tenant_disabled');
    expect((await call(nodeB(), '/v1/auth/refresh', { body: { refresh_token: user.refresh }, expect: 401 })).body.code).toBe('tenant_disabled');
  });

  test('no credential is auth_missing, anything else than our token auth_invalid', async () => {
    expect((await call(nodeA(), '/v1/me', { expect: 401 })).body).toMatchObject({ code: 'auth_missing', action: 'login' });
    const user = await world.user('u');
    for (const token of ['x', 'a.b.c', user.refresh, `${user.token}x`]) {
      expect((await call(nodeA(), '/v1/me', { token, expect: 401 })).body.code).toBe('auth_invalid');
    }
    expect((await call(nodeA(), '/v1/me', { headers: { authorization: 'Basic eDp5' }, expect: 401 })).body.code).toBe('auth_invalid');
  });
});

describe('guessing', () => {
  test('failed logins are counted for the cluster; another user of the same address is not locked out', async () => {
    const { nodes } = await startCluster(2, { LOGIN_FAILURES_PER_MINUTE: '3' });
    const [a, b] = nodes.map((node) => node.url) as [string, string];
    const world = await World.create({ base: a });
    const [victim, other] = await Promise.all([world.user('victim'), world.user('other')]);
    const login = (base: string, email: string, password: string) =>
      call(base, '/v1/auth/login', { body: { tenant: world.tenant.slug, email, password }, expect: 401 }).catch((error: Error) => ({
        body: JSON.parse(error.message.slice(error.message.indexOf('{'))),
      }));
    for (const base of [a, b, a]) expect((await login(base, victim.email, 'wrong')).body.code).toBe('invalid_credentials');
    const limited = (await login(b, victim.email, victim.password)).body;
    expect(limited).toMatchObject({ code: 'rate_limited', action: 'retry', status: 429 });
    expect(limited.retry_after_ms).toBeGreaterThan(0);
    expect(limited.retry_after_ms).toBeLessThanOrEqual(60_000);
    await world.login(other);
  });
});

describe('well-known documents', () => {
  test('JWKS holds public halves only and may be kept for five minutes', async () => {
    const { body, headers } = await call(nodeA(), '/.well-known/jwks.json');
    expect(headers.get('cache-control')).toBe('public, max-age=300');
    for (const key of body.keys) expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    const user = await (await World.create()).user('u');
    const { kid } = JSON.parse(Buffer.from(user.token.split('.')[0]!, 'base64url').toString());
    expect(body.keys.map((key: { kid: string }) => key.kid)).toContain(kid);
  });

  test('metadata names the issuer of our tokens on every node', async () => {
    const user = await (await World.create()).user('u');
    const { iss, aud } = JSON.parse(Buffer.from(user.token.split('.')[1]!, 'base64url').toString());
    for (const base of [nodeA(), nodeB()]) {
      const { body } = await call(base, '/.well-known/oauth-authorization-server');
      expect([body.issuer, body.issuer, body.jwks_uri]).toEqual([iss, aud, `${iss}/.well-known/jwks.json`]);
    }
  });
});
