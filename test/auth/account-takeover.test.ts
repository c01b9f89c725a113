/** An account whose address nobody has proven, and the person an external issuer vouches for. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { FakeIssuer } from '../support/issuer.js';
import type { Cluster } from '../support/node-process.js';
import { query } from '../support/sql.js';
import { RawClient } from '../support/raw-client.js';
import { call, wsUrl } from '../support/world.js';
import type { World } from '../support/world.js';
import { ExchangeWorld, email } from './exchange-world.js';

let cluster: Cluster;
let base: string;
let issuer: FakeIssuer;
let second: FakeIssuer;
let strict: FakeIssuer;
let world: World;
let other: World;
let exchange: ExchangeWorld['exchange'];
let codeOf: ExchangeWorld['codeOf'];

beforeAll(async () => {
  ({ cluster, base, issuer, second, strict, world, other, exchange, codeOf } =
    await ExchangeWorld.start());
}, 60_000);

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
