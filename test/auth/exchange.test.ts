/**
 * Sign-in with an external issuer: its ID token opens a session of ours where the configuration
 * says so, and nothing else.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { UnsecuredJWT } from 'jose';
import { CLIENT_ID, FakeIssuer, issuersFile, now } from '../support/issuer.js';
import { startCluster } from '../support/node-process.js';
import type { Cluster } from '../support/node-process.js';
import { cookieOf } from '../support/sign-in.js';
import { query } from '../support/sql.js';
import { RawClient } from '../support/raw-client.js';
import { World, call, unique, wsUrl } from '../support/world.js';
import type { Answer } from '../support/world.js';

let cluster: Cluster;
let base: string;
let issuer: FakeIssuer;
let strict: FakeIssuer;
let stranger: FakeIssuer;
/** Trusted by the tenant, too. */
let second: FakeIssuer;
let world: World;
/** Trusted by `strict` only. */
let other: World;

beforeAll(async () => {
  issuer = await FakeIssuer.start();
  strict = await FakeIssuer.start('ES256');
  stranger = await FakeIssuer.start();
  second = await FakeIssuer.start();
  const [slug, otherSlug] = [unique('t'), unique('t')];
  const entries = [
    issuer.entry([slug, 'system'], {
      users: 'create',
      claims: { role: 'groups' },
      jwks_cooldown_seconds: 1,
    }),
    second.entry([slug]),
    strict.entry([otherSlug], {
      audience: ['another-client'],
      jwks_uri: `${strict.url}/keys`,
      algorithms: ['ES256'],
      claims: { email: 'mail' },
      email_verified: 'assumed',
    }),
  ];
  cluster = await startCluster(2, {
    ISSUERS_FILE: issuersFile(entries),
    LOGIN_FAILURES_PER_MINUTE: '0',
  });
  base = cluster.nodes[0]!.url;
  world = await World.create({ base, tenant: { slug, allow_registration: true } });
  other = await World.create({ base, tenant: { slug: otherSlug } });
}, 60_000);

const exchange = (
  idToken: string,
  options: {
    tenant?: string;
    expect?: number;
    transport?: string;
    headers?: Record<string, string>;
  } = {},
): Promise<Answer> => {
  const { tenant = world.tenant.id, expect: status, transport, headers } = options;
  const body = {
    tenant,
    id_token: idToken,
    device: 'phone',
    ...(transport === undefined ? {} : { transport }),
  };
  return call(base, '/v1/auth/exchange', {
    body,
    ...(status === undefined ? {} : { expect: status }),
    ...(headers === undefined ? {} : { headers }),
  });
};
const codeOf = async (idToken: string, status: number, tenant?: string): Promise<string> =>
  (await exchange(idToken, { expect: status, ...(tenant === undefined ? {} : { tenant }) })).body
    .code;
const email = () => `${unique('user')}@example.com`;

describe('exchange', () => {
  test('answers like a login: tokens of ours, whose session is listed, refreshes, and connects', async () => {
    const address = email();
    const { body, headers } = await exchange(
      await issuer.idToken({ email: address, name: 'Ada Lovelace', groups: ['staff'] }),
    );
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toMatchObject({
      token_type: 'Bearer',
      access_token: expect.any(String),
      refresh_token: expect.any(String),
      session_id: expect.any(String),
    });
    const me = await call(base, '/v1/me', { token: body.access_token });
    expect(me.body).toMatchObject({
      email: address,
      name: 'Ada Lovelace',
      role: 'member',
      session_id: body.session_id,
      tenant_id: world.tenant.id,
    });
    const sessions = await call(base, '/v1/auth/sessions', { token: body.access_token });
    expect(sessions.body.items).toEqual([
      expect.objectContaining({ id: body.session_id, device: 'phone', current: true }),
    ]);
    const refreshed = await call(base, '/v1/auth/refresh', {
      body: { refresh_token: body.refresh_token },
    });
    (await RawClient.live(wsUrl(base), refreshed.body.access_token)).close();
  });

  test('the subject is the user from then on, whatever becomes of the e-mail address', async () => {
    const [sub, address] = [randomUUID(), email()];
    const first = await exchange(await issuer.idToken({ sub, email: address }));
    const again = await exchange(
      await issuer.idToken({ sub, email: email(), email_verified: false }),
    );
    const meOf = async ({ body }: Answer) =>
      (await call(base, '/v1/me', { token: body.access_token })).body;
    expect((await meOf(again)).user_id).toBe((await meOf(first)).user_id);
    // The address was given to somebody else at the issuer: that is not the person who has the
    // account.
    expect(await codeOf(await issuer.idToken({ email: address }), 409)).toBe('email_taken');
  });

  test('twenty first logins at once make one user', async () => {
    const [sub, address] = [randomUUID(), email()];
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () =>
        exchange(await issuer.idToken({ sub, email: address })),
      ),
    );
    const users = await Promise.all(
      answers.map(
        async ({ body }) => (await call(base, '/v1/me', { token: body.access_token })).body.user_id,
      ),
    );
    expect(new Set(users).size).toBe(1);
  });

  test('a verified address finds the user that exists, however it is written; an unverified one finds nobody and changes nothing', async () => {
    const user = await world.user('u');
    for (const email_verified of [false, undefined, 'false', 1, null]) {
      expect(await codeOf(await issuer.idToken({ email: user.email, email_verified }), 404)).toBe(
        'not_found',
      );
    }
    await world.login(user);
    const { body } = await exchange(await issuer.idToken({ email: user.email.toUpperCase() }));
    expect((await call(base, '/v1/me', { token: body.access_token })).body).toMatchObject({
      user_id: user.id,
      email: user.email,
    });
  });

  test('a domain in letters and the same domain as DNS has it are one address', async () => {
    const name = unique('u');
    const { body } = await exchange(
      await issuer.idToken({ email: `${name}@xn--bcher-kva.example` }),
    );
    expect(
      await codeOf(await issuer.idToken({ email: `${name.toUpperCase()}@BÜCHER.example` }), 409),
    ).toBe('email_taken');
    expect((await call(base, '/v1/me', { token: body.access_token })).body.email).toBe(
      `${name}@xn--bcher-kva.example`,
    );
  });

  test('a mailbox that only compatibility makes equal is another, and finds nobody', async () => {
    const user = await world.user('fin');
    expect(await codeOf(await issuer.idToken({ email: user.email.replace('fi', 'ﬁ') }), 404)).toBe(
      'not_found',
    );
    await world.login(user);
  });

  test('users are made only where the entry allows it, from its own claims; admins where it names a role claim', async () => {
    const user = await other.user('u');
    const aud = 'another-client';
    const { body } = await exchange(
      await strict.idToken({ aud, mail: user.email, email: email(), email_verified: undefined }),
      { tenant: other.tenant.slug },
    );
    expect((await call(base, '/v1/me', { token: body.access_token })).body.user_id).toBe(user.id);
    expect(await codeOf(await strict.idToken({ aud, mail: email() }), 404, other.tenant.id)).toBe(
      'not_found',
    );
    const admin = await exchange(await issuer.idToken({ email: email(), groups: ['x', 'admin'] }));
    expect((await call(base, '/v1/me', { token: admin.body.access_token })).body.role).toBe(
      'admin',
    );
  });

  test('operators are not linked, although their tenant trusts the issuer', async () => {
    expect(
      await codeOf(
        await issuer.idToken({ email: process.env['TEST_OPERATOR_EMAIL'] }),
        404,
        'system',
      ),
    ).toBe('not_found');
    expect(
      await codeOf(
        await issuer.idToken({ email: process.env['TEST_OPERATOR_EMAIL'], groups: 'operator' }),
        404,
        'system',
      ),
    ).toBe('not_found');
  });

  test('a suspended user stays suspended, a disabled tenant disabled', async () => {
    const sub = randomUUID();
    const { body } = await exchange(await issuer.idToken({ sub, email: email() }));
    const { user_id: id } = (await call(base, '/v1/me', { token: body.access_token })).body;
    await call(base, `/v1/admin/users/${id}`, {
      method: 'PATCH',
      token: world.operator(),
      body: { state: 'suspended' },
    });
    expect(await codeOf(await issuer.idToken({ sub }), 401)).toBe('user_suspended');
    await call(base, `/v1/admin/users/${id}`, {
      method: 'PATCH',
      token: world.operator(),
      body: { state: 'active' },
    });
    await exchange(await issuer.idToken({ sub }));
    const path = `/v1/admin/tenants/${world.tenant.id}`;
    await call(base, path, {
      method: 'PATCH',
      token: world.operator(),
      body: { state: 'disabled' },
    });
    expect(await codeOf(await issuer.idToken({ sub }), 401)).toBe('tenant_disabled');
    await call(base, path, { method: 'PATCH', token: world.operator(), body: { state: 'active' } });
  });

  test('with cookies it needs one of our pages, as a login does', async () => {
    const token = await issuer.idToken({ email: email() });
    expect((await exchange(token, { transport: 'cookie', expect: 403 })).body.code).toBe(
      'csrf_failed',
    );
    const { headers, body } = await exchange(token, {
      transport: 'cookie',
      headers: { 'sec-fetch-site': 'same-origin' },
    });
    expect(headers.get('set-cookie')).toContain('wr_at=');
    expect(body.access_token).toBeUndefined();
  });

  test('the token of an issuer opens no socket and no call', async () => {
    const token = await issuer.idToken({ email: email() });
    expect((await call(base, '/v1/me', { token, expect: 401 })).body.code).toBe('auth_invalid');
    await expect(RawClient.open(wsUrl(base), { token })).rejects.toMatchObject({ status: 401 });
  });
});

describe('a session of a browser, by an issuer', () => {
  const MINUTE = 60;
  test.each<[string, () => unknown, number, number]>([
    ['a minute ago', () => now() - MINUTE, 500, 545],
    ['in an hour, by a wrong clock', () => now() + 60 * MINUTE, 590, 600],
    ['an hour ago, in a single sign-on', () => now() - 60 * MINUTE, 0, 0],
    ['at no time that is one', () => '1764528000', 0, 0],
    ['at a time it does not say', () => undefined, 0, 0],
  ])('has the proof that its issuer names: %s', async (_, authTime, least, most) => {
    const { headers } = await exchange(
      await issuer.idToken({ email: email(), auth_time: authTime() }),
      { transport: 'cookie', headers: { origin: cluster.env['PUBLIC_URL']! } },
    );
    const token = cookieOf(headers, 'wr_at');
    const { body: proof } = await call(base, '/v1/auth/step-up', { token });
    expect(proof.expires_in).toBeGreaterThanOrEqual(least);
    expect(proof.expires_in).toBeLessThanOrEqual(most);
  });
});

describe('an account whose address nobody has proven is taken over by who proves it, and nothing of the stranger survives', () => {
  const register = async (address: string) => {
    const body = { tenant: world.tenant.slug, email: address, password: 'password of a stranger' };
    const { body: tokens } = await call(base, '/v1/auth/register', { body });
    return {
      body,
      tokens,
      id: (await call(base, '/v1/me', { token: tokens.access_token })).body.user_id as string,
    };
  };
  const nodeTwo = () => cluster.nodes[1]!.url;
  const codeAt = async (at: string, path: string, options: { token?: string; body?: unknown }) =>
    (await call(at, path, { ...options, expect: 401 })).body.code;
  const records = async (user: string, event: string) =>
    (await call(base, `/v1/admin/audit?user=${user}&event=${event}`, { token: world.operator() }))
      .body.items;

  test('neither the password, nor a session, nor a socket, when the tokens are answered', async () => {
    const address = email();
    const squatter = await register(address);
    const socket = await RawClient.live(wsUrl(nodeTwo()), squatter.tokens.access_token);
    const { body } = await exchange(await issuer.idToken({ email: address.toUpperCase() }));
    for (const at of [base, nodeTwo()]) {
      expect(await codeAt(at, '/v1/me', { token: squatter.tokens.access_token })).toBe(
        'session_revoked',
      );
      expect(
        await codeAt(at, '/v1/auth/refresh', {
          body: { refresh_token: squatter.tokens.refresh_token },
        }),
      ).toBe('session_revoked');
      expect(await codeAt(at, '/v1/auth/login', { body: squatter.body })).toBe(
        'invalid_credentials',
      );
      expect((await call(at, '/v1/me', { token: body.access_token })).body).toMatchObject({
        user_id: squatter.id,
        email: address,
      });
    }
    expect(await socket.closed).toMatchObject({ code: 1008, reason: { code: 'session_revoked' } });
    expect(await records(squatter.id, 'user_taken_over')).toEqual([
      expect.objectContaining({ detail: { issuer: issuer.url, sessions: 1, password: true } }),
    ]);
    expect(await records(squatter.id, 'session_expired')).toEqual([
      expect.objectContaining({ detail: { reason: 'taken_over', code: 'session_revoked' } }),
    ]);
  });

  test('once: a second sign-in, or one by another issuer, ends nothing', async () => {
    const [address, sub] = [email(), randomUUID()];
    const { id } = await register(address);
    const first = await exchange(await issuer.idToken({ sub, email: address }));
    const again = await exchange(await issuer.idToken({ sub }));
    const elsewhere = await exchange(await second.idToken({ email: address }));
    for (const { body } of [first, again, elsewhere])
      expect((await call(base, '/v1/me', { token: body.access_token })).body.user_id).toBe(id);
    expect(await records(id, 'user_taken_over')).toHaveLength(1);
    expect(
      (await call(base, '/v1/auth/sessions', { token: first.body.access_token })).body.items,
    ).toHaveLength(3);
  });

  test('one of many first sign-ins at once takes over and ends none of the others', async () => {
    const [address, sub] = [email(), randomUUID()];
    const { id } = await register(address);
    const answers = await Promise.all(
      Array.from({ length: 10 }, async () =>
        exchange(await issuer.idToken({ sub, email: address })),
      ),
    );
    for (const { body } of answers)
      expect((await call(base, '/v1/me', { token: body.access_token })).body.user_id).toBe(id);
    expect(await records(id, 'user_taken_over')).toHaveLength(1);
  });

  test('a stranger who signs in at the same moment is out, too', async () => {
    const address = email();
    const squatter = await register(address);
    const logins = Array.from({ length: 12 }, async (_, i) => {
      const answer = await fetch(`${cluster.nodes[i % 2]!.url}/v1/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(squatter.body),
      });
      return ((await answer.json()) as { access_token?: string }).access_token;
    });
    await exchange(await issuer.idToken({ email: address }));
    const tokens = (await Promise.all(logins)).filter((token) => token !== undefined);
    for (const token of [squatter.tokens.access_token, ...tokens])
      expect(await codeAt(base, '/v1/me', { token })).toBe('session_revoked');
  });

  test('an account an administrator made with a password is no exception: whoever typed it did not prove the address', async () => {
    const user = await world.user('u');
    await exchange(await issuer.idToken({ email: user.email }));
    expect(
      await codeAt(base, '/v1/auth/login', {
        body: { tenant: world.tenant.slug, email: user.email, password: user.password },
      }),
    ).toBe('invalid_credentials');
    expect(await codeAt(base, '/v1/me', { token: user.token })).toBe('session_revoked');
  });

  test('an account that was linked before addresses were proven is taken over at the next sign-in', async () => {
    const [address, sub] = [email(), randomUUID()];
    const squatter = await register(address);
    const link = `INSERT INTO user_links (issuer, subject, tenant_id, user_id) VALUES ($1, $2, $3, $4)`;
    await query(cluster.databaseUrl, link, [issuer.url, sub, world.tenant.id, squatter.id]);
    await exchange(await issuer.idToken({ sub }));
    expect(await codeAt(base, '/v1/me', { token: squatter.tokens.access_token })).toBe(
      'session_revoked',
    );
    expect(await codeAt(base, '/v1/auth/login', { body: squatter.body })).toBe(
      'invalid_credentials',
    );
  });

  test('all or nothing: a suspended account is not taken over', async () => {
    const user = await world.user('u');
    const suspend = (state: string) =>
      call(base, `/v1/admin/users/${user.id}`, {
        method: 'PATCH',
        token: world.operator(),
        body: { state },
      });
    await suspend('suspended');
    expect(await codeOf(await issuer.idToken({ email: user.email }), 401)).toBe('user_suspended');
    await suspend('active');
    await world.login(user);
  });

  test('an issuer that is taken at its word does not prove an address it says is not verified', async () => {
    const user = await other.user('u');
    const token = await strict.idToken({
      aud: 'another-client',
      mail: user.email,
      email_verified: false,
    });
    expect(await codeOf(token, 404, other.tenant.id)).toBe('not_found');
    await other.login(user);
  });
});

describe('an ID token is refused', () => {
  const MUST_REJECT: [string, () => Promise<string>][] = [
    ['of an issuer that is not configured', () => stranger.idToken({ email: email() })],
    [
      'signed by another issuer under the name of ours',
      () => stranger.idToken({ iss: issuer.url, email: email() }),
    ],
    [
      'of an issuer that this tenant does not trust',
      () => strict.idToken({ aud: 'another-client', mail: email() }),
    ],
    [
      'whose issuer differs by a slash',
      () => issuer.idToken({ iss: `${issuer.url}/`, email: email() }),
    ],
    ['for another audience', () => issuer.idToken({ aud: 'another-client', email: email() })],
    ['without audience', () => issuer.idToken({ aud: undefined, email: email() })],
    [
      'for several audiences without an authorized party',
      () => issuer.idToken({ aud: [CLIENT_ID, 'x'], email: email() }),
    ],
    ['whose authorized party is another', () => issuer.idToken({ azp: 'x', email: email() })],
    ['that has expired', () => issuer.idToken({ exp: now() - 11, email: email() })],
    ['without exp', () => issuer.idToken({ exp: undefined, email: email() })],
    ['without iat', () => issuer.idToken({ iat: undefined, email: email() })],
    [
      'issued in the future',
      () => issuer.idToken({ iat: now() + 60, exp: now() + 300, email: email() }),
    ],
    ['issued two days ago', () => issuer.idToken({ iat: now() - 172_800, email: email() })],
    ['not valid yet', () => issuer.idToken({ nbf: now() + 60, email: email() })],
    ['without subject', () => issuer.idToken({ sub: undefined, email: email() })],
    ['with an endless subject', () => issuer.idToken({ sub: 'x'.repeat(256), email: email() })],
    ['with a NUL in its subject', () => issuer.idToken({ sub: 'a\0b', email: email() })],
    ['that is an access token', () => issuer.idToken({ email: email() }, { typ: 'at+jwt' })],
    [
      'that is a logout token',
      () => issuer.logoutToken(randomUUID(), { email: email(), email_verified: true }),
    ],
    [
      'that is a logout token of an old issuer, without a type',
      () =>
        issuer.logoutToken(randomUUID(), { email: email(), email_verified: true }, { typ: 'JWT' }),
    ],
    [
      'that is not signed',
      async () =>
        new UnsecuredJWT({
          sub: 'x',
          email: email(),
          email_verified: true,
          iss: issuer.url,
          aud: CLIENT_ID,
        })
          .setIssuedAt()
          .setExpirationTime('5m')
          .encode(),
    ],
    ['with a key nobody has', () => issuer.idToken({ email: email() }, { kid: 'nobody' })],
    ['whose claims were changed', async () => altered(await issuer.idToken({ email: email() }))],
    ['that is no token', async () => 'no token'],
    ['that is encrypted', async () => 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AAAA.BBBB.CCCC'],
  ];

  test.each(MUST_REJECT)('%s', async (_name, make) => {
    expect(await codeOf(await make(), 401)).toBe('auth_invalid');
  });

  test('in an algorithm the entry does not allow', async () => {
    const wide = await FakeIssuer.start('RS256');
    const entry = wide.entry([world.tenant.slug], { users: 'create', algorithms: ['ES256'] });
    const { nodes } = await startCluster(1, {
      ISSUERS_FILE: issuersFile([entry]),
      DATABASE_URL: cluster.databaseUrl,
      PUBLIC_URL: cluster.env['PUBLIC_URL']!,
      SECRET_KEY: cluster.env['SECRET_KEY']!,
    });
    const body = { tenant: world.tenant.id, id_token: await wide.idToken({ email: email() }) };
    expect((await call(nodes[0]!.url, '/v1/auth/exchange', { body, expect: 401 })).body.code).toBe(
      'auth_invalid',
    );
  });

  test('larger than 16 KiB, before it is looked at', async () => {
    expect(
      await codeOf(await issuer.idToken({ email: email(), groups: 'x'.repeat(17_000) }), 422),
    ).toBe('invalid_request');
  });

  test('for a tenant that is not there, and by what is not an exchange', async () => {
    const token = await issuer.idToken({ email: email() });
    expect(await codeOf(token, 401, unique('none'))).toBe('auth_invalid');
    expect(
      (
        await call(base, '/v1/auth/exchange', {
          body: { tenant: world.tenant.id, id_token: token, nonce: 'x' },
          expect: 422,
        })
      ).body.code,
    ).toBe('invalid_request');
  });
});

function altered(token: string): string {
  const [header, payload, signature] = token.split('.');
  const claims = { ...JSON.parse(Buffer.from(payload!, 'base64url').toString()), email: email() };
  return `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
}
