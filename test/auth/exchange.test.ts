/**
 * Sign-in with an external issuer: its ID token opens a session of ours where the configuration
 * says so, and nothing else.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { now } from '../support/issuer.js';
import type { FakeIssuer } from '../support/issuer.js';
import type { Cluster } from '../support/node-process.js';
import { cookieOf } from '../support/sign-in.js';
import { RawClient } from '../support/raw-client.js';
import type { Answer } from '../support/world.js';
import { call, unique, wsUrl } from '../support/world.js';
import type { World } from '../support/world.js';
import { ExchangeWorld, email } from './exchange-world.js';

let cluster: Cluster;
let base: string;
let issuer: FakeIssuer;
let strict: FakeIssuer;
let world: World;
let other: World;
let exchange: ExchangeWorld['exchange'];
let codeOf: ExchangeWorld['codeOf'];

beforeAll(async () => {
  ({ cluster, base, issuer, strict, world, other, exchange, codeOf } = await ExchangeWorld.start());
}, 60_000);

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
