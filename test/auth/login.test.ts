/** Contract sections 2 and 6: signing in, and the words a refusal uses. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { startCluster } from '../support/node-process.js';
import { PASSWORD, outcome, post } from '../support/sign-in.js';
import { World, call, nodeA, nodeB, unique } from '../support/world.js';

describe('login', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.create({ tenant: { allow_registration: true, allow_guests: true } });
  });

  const register = (fields: Record<string, unknown> = {}, expected = 201) =>
    call(nodeA(), '/v1/auth/register', {
      body: {
        tenant: world.tenant.slug,
        email: `${unique('u')}@example.com`,
        password: PASSWORD,
        ...fields,
      },
      expect: expected,
    });

  test('answers tokens, their life and when to refresh, and is not stored by caches', async () => {
    const email = `${unique('Ada')}@Example.com`;
    await register({ email });
    const { body, headers } = await call(nodeB(), '/v1/auth/login', {
      body: { tenant: world.tenant.id, email: email.toUpperCase(), password: PASSWORD },
      expect: 200,
    });
    expect(Object.keys(body).sort()).toEqual([
      'access_token',
      'expires_in',
      'refresh_after_ms',
      'refresh_token',
      'session_id',
      'token_type',
    ]);
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
    const { body, headers } = await call(nodeA(), '/v1/auth/login', {
      body: { tenant: world.tenant.slug, email, password: PASSWORD, ...wrong },
      expect: 401,
    });
    expect(body).toMatchObject({
      code: 'invalid_credentials',
      action: 'none',
      status: 401,
      detail: 'Tenant, e-mail or password is wrong.',
    });
    expect(headers.get('content-type')).toMatch('application/problem+json');
    expect(headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
  });

  test('a body that cannot be parsed is 400; invalid and unknown fields are 422 and named', async () => {
    const broken = await call(nodeA(), '/v1/auth/login', { body: '{"tenant":', expect: 400 });
    expect(broken.body.code).toBe('invalid_request');
    const secret = 'hunter2-hunter2';
    const { body } = await call(nodeA(), '/v1/auth/login', {
      body: { tenant: world.tenant.slug, email: secret, password: secret, remember: secret },
      expect: 422,
    });
    expect(body).toMatchObject({
      code: 'invalid_request',
      errors: [{ path: 'email' }, { path: 'remember', message: 'unknown field' }],
    });
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
    expect(
      (await call(nodeA(), '/v1/auth/guest', { body: { tenant: closed.tenant.slug }, expect: 404 }))
        .body.code,
    ).toBe('not_found');
    const guest = await call(nodeA(), '/v1/auth/guest', {
      body: { tenant: world.tenant.slug },
      expect: 201,
    });
    const me = await call(nodeB(), '/v1/me', { token: guest.body.access_token });
    expect(me.body).toMatchObject({ role: 'guest', email: null, name: null });
  });

  test('a suspended user learns so only with the right password', async () => {
    const user = await world.user('sus');
    await call(nodeA(), `/v1/admin/users/${user.id}`, {
      method: 'PATCH',
      token: world.operator(),
      body: { state: 'suspended' },
    });
    const login = (password: string) =>
      call(nodeB(), '/v1/auth/login', {
        body: { tenant: world.tenant.slug, email: user.email, password },
        expect: 401,
      });
    expect((await login('wrong')).body.code).toBe('invalid_credentials');
    expect((await login(user.password)).body).toMatchObject({
      code: 'user_suspended',
      action: 'stop',
    });
    expect(
      (
        await call(nodeB(), '/v1/auth/refresh', {
          body: { refresh_token: user.refresh },
          expect: 401,
        })
      ).body.code,
    ).toBe('user_suspended');
  });

  test('a disabled tenant lets nobody in', async () => {
    const other = await World.create();
    const user = await other.user('dis');
    await call(nodeA(), `/v1/admin/tenants/${other.tenant.id}`, {
      method: 'PATCH',
      token: other.operator(),
      body: { state: 'disabled' },
    });
    const { body } = await call(nodeB(), '/v1/auth/login', {
      body: { tenant: other.tenant.slug, email: user.email, password: user.password },
      expect: 401,
    });
    expect(body).toMatchObject({ code: 'tenant_disabled', action: 'stop' });
    expect((await call(nodeB(), '/v1/me', { token: user.token, expect: 401 })).body.code).toBe(
      'tenant_disabled',
    );
    expect(
      (
        await call(nodeB(), '/v1/auth/refresh', {
          body: { refresh_token: user.refresh },
          expect: 401,
        })
      ).body.code,
    ).toBe('tenant_disabled');
  });

  test('no credential is auth_missing, anything else than our token auth_invalid', async () => {
    expect((await call(nodeA(), '/v1/me', { expect: 401 })).body).toMatchObject({
      code: 'auth_missing',
      action: 'login',
    });
    const user = await world.user('u');
    for (const token of ['x', 'a.b.c', user.refresh, `${user.token}x`]) {
      expect((await call(nodeA(), '/v1/me', { token, expect: 401 })).body.code).toBe(
        'auth_invalid',
      );
    }
    expect(
      (await call(nodeA(), '/v1/me', { headers: { authorization: 'Basic eDp5' }, expect: 401 }))
        .body.code,
    ).toBe('auth_invalid');
  });
});

describe('guessing', () => {
  test('failed logins are counted for the cluster; another user of the same address is not locked out', async () => {
    const { nodes } = await startCluster(2, { LOGIN_FAILURES_PER_MINUTE: '3' });
    const [a, b] = nodes.map((node) => node.url) as [string, string];
    const world = await World.create({ base: a });
    const [victim, other] = await Promise.all([world.user('victim'), world.user('other')]);
    const login = (base: string, email: string, password: string) =>
      call(base, '/v1/auth/login', {
        body: { tenant: world.tenant.slug, email, password },
        expect: 401,
      }).catch((error: Error) => ({
        body: JSON.parse(error.message.slice(error.message.indexOf('{'))),
      }));
    for (const base of [a, b, a])
      expect((await login(base, victim.email, 'wrong')).body.code).toBe('invalid_credentials');
    const limited = (await login(b, victim.email, victim.password)).body;
    expect(limited).toMatchObject({ code: 'rate_limited', action: 'retry', status: 429 });
    expect(limited.retry_after_ms).toBeGreaterThan(0);
    expect(limited.retry_after_ms).toBeLessThanOrEqual(60_000);
    await world.login(other);
  });
});

describe('no such user', () => {
  test('is refused with the same words and as late as a wrong password', async () => {
    const base = (await startCluster(1, { LOGIN_FAILURES_PER_MINUTE: '0' })).nodes[0]!.url;
    const own = await World.create({ base });
    const user = await own.user('u');
    const asks = {
      wrong: { tenant: own.tenant.slug, email: user.email },
      unknown: { tenant: own.tenant.slug, email: 'nobody@example.com' },
      elsewhere: { tenant: unique('no'), email: user.email },
    };
    const took: Record<string, number[]> = { wrong: [], unknown: [], elsewhere: [] };
    const said = new Set<string>();
    // Beside each other in turn, so that whatever else the machine does falls on all of them.
    for (let round = 0; round < 25; round += 1) {
      for (const [name, ask] of Object.entries(asks)) {
        const beganMs = performance.now();
        const response = await post(base, '/v1/auth/login', { ...ask, password: 'wrong' });
        took[name]!.push(performance.now() - beganMs);
        const { request_id, ...body } = (await response.json()) as { request_id: string };
        expect(request_id).toMatch(/^[0-9a-f-]{36}$/);
        said.add(
          JSON.stringify([
            response.status,
            body,
            response.headers.get('www-authenticate'),
            response.headers.get('cache-control'),
          ]),
        );
      }
    }
    expect(said.size).toBe(1);
    const median = (name: string) => took[name]!.toSorted((x, y) => x - y)[12]!;
    // Without the dummy hash there would be no argon2 in it at all.
    for (const name of ['unknown', 'elsewhere']) {
      expect(median(name) / median('wrong')).toBeGreaterThan(0.4);
      expect(median(name) / median('wrong')).toBeLessThan(2.5);
    }
  });
});

describe('a password', () => {
  test.each([
    ['of 64 letters', 'x'.repeat(64)],
    [
      'of 1,000 characters with spaces at its ends',
      ` ${'correct horse battery '.repeat(45).slice(0, 998)} `,
    ],
    [
      'in other scripts',
      '\u5bc6\u7801\u306f\u3072\u307f\u3064 \u043f\u0430\u0440\u043e\u043b\u044c \u{1F40E}\u200d\u{1F525}',
    ],
    ['of punctuation alone', `"'\\<>&;--/*\u2028%00\t`],
  ])('%s signs in, and cut or changed by a character it does not', async (_name, password) => {
    const world = await World.create({ tenant: { allow_registration: true } });
    const email = `${unique('p')}@example.com`;
    const tenant = world.tenant.slug;
    expect(await outcome(nodeA(), '/v1/auth/register', { tenant, email, password })).toBe('ok');
    expect(await outcome(nodeB(), '/v1/auth/login', { tenant, email, password })).toBe('ok');
    for (const other of [
      Array.from(password).slice(0, -1).join(''),
      password.trim() === password ? `${password} ` : password.trim(),
      password.toUpperCase() === password ? `${password}x` : password.toUpperCase(),
    ])
      expect(await outcome(nodeB(), '/v1/auth/login', { tenant, email, password: other })).toBe(
        'invalid_credentials',
      );
  });

  test('typed on another keyboard, composed or not, is the same; a compatibility form is another', async () => {
    const world = await World.create({ tenant: { allow_registration: true } });
    const email = `${unique('p')}@example.com`;
    const tenant = world.tenant.slug;
    expect(
      await outcome(nodeA(), '/v1/auth/register', {
        tenant,
        email,
        password: 'Zo\u00eb and the \ufb01sh',
      }),
    ).toBe('ok');
    expect(
      await outcome(nodeB(), '/v1/auth/login', {
        tenant,
        email,
        password: 'Zoe\u0308 and the \ufb01sh',
      }),
    ).toBe('ok');
    expect(
      await outcome(nodeB(), '/v1/auth/login', {
        tenant,
        email,
        password: 'Zo\u00eb and the fish',
      }),
    ).toBe('invalid_credentials');
  });
});

describe('well-known documents', () => {
  test('JWKS holds public halves only and may be kept for five minutes', async () => {
    const { body, headers } = await call(nodeA(), '/.well-known/jwks.json');
    expect(headers.get('cache-control')).toBe('public, max-age=300');
    for (const key of body.keys)
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    const user = await (await World.create()).user('u');
    const { kid } = JSON.parse(Buffer.from(user.token.split('.')[0]!, 'base64url').toString());
    expect(body.keys.map((key: { kid: string }) => key.kid)).toContain(kid);
  });

  test('metadata names the issuer of our tokens on every node', async () => {
    const user = await (await World.create()).user('u');
    const { iss, aud } = JSON.parse(Buffer.from(user.token.split('.')[1]!, 'base64url').toString());
    for (const base of [nodeA(), nodeB()]) {
      const { body } = await call(base, '/.well-known/oauth-authorization-server');
      expect([body.issuer, body.issuer, body.jwks_uri]).toEqual([
        iss,
        aud,
        `${iss}/.well-known/jwks.json`,
      ]);
    }
  });
});
