/** Contract section 2: my devices, and signing out of them. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { startNode } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { World, call, nodeA, nodeB, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await World.create();
});

const logout = (token: string, body: unknown = {}, query = '') =>
  call(nodeA(), `/v1/auth/logout${query}`, { token, body, expect: 200 });
const codeOf = async (token: string, base = nodeB()) =>
  (await call(base, '/v1/me', { token, expect: 401 })).body.code;
const again = (user: SignedIn, base = nodeA()) => world.login(user, base);

describe('logout', () => {
  test('ends this session everywhere; its receipt counts session, connections and nodes', async () => {
    const user = await world.user('u');
    const socket = await RawClient.live(wsUrl(nodeB()), user.token);
    const { body } = await logout(user.token);
    expect(body).toMatchObject({
      effective: true,
      state: 'effective',
      sessions: 1,
      connections_closed: 1,
    });
    expect(body.nodes).toHaveLength(2);
    expect(await codeOf(user.token, nodeA())).toBe('session_revoked');
    expect(await codeOf(user.token, nodeB())).toBe('session_revoked');
    expect((await socket.closed).reason).toMatchObject({
      code: 'session_revoked',
      action: 'login',
    });
    expect(
      (
        await call(nodeB(), '/v1/auth/refresh', {
          body: { refresh_token: user.refresh },
          expect: 401,
        })
      ).body.code,
    ).toBe('session_revoked');
  });

  test('needs no body', async () => {
    const user = await world.user('u');
    const { status } = await call(nodeA(), '/v1/auth/logout', {
      method: 'POST',
      token: user.token,
    });
    expect(status).toBe(200);
  });

  test('`others` spares this session, `all` does not', async () => {
    const first = await world.user('u');
    const [second, third] = await Promise.all([again(first, nodeB()), again(first)]);
    expect((await logout(first.token, { scope: 'others' })).body.sessions).toBe(2);
    expect(await codeOf(second.token)).toBe('session_revoked');
    expect(await codeOf(third.token)).toBe('session_revoked');
    const fourth = await again(first);
    expect((await logout(first.token, { scope: 'all' })).body.sessions).toBe(2);
    expect(await codeOf(first.token)).toBe('session_revoked');
    expect(await codeOf(fourth.token)).toBe('session_revoked');
  });

  test('of others when there are none is a true receipt of nothing', async () => {
    const user = await world.user('u');
    expect((await logout(user.token, { scope: 'others' })).body).toMatchObject({
      effective: true,
      sessions: 0,
      connections_closed: 0,
    });
  });

  test('`?wait=false` answers at once with a receipt that can be followed', async () => {
    const user = await world.user('u');
    const other = await again(user);
    const { body } = await logout(user.token, { scope: 'others' }, '?wait=false');
    expect(body.sessions).toBe(1);
    const { body: followed } = await call(nodeB(), `/v1/receipts/${body.id}`, {
      token: user.token,
    });
    expect(followed).toMatchObject({ id: body.id, sessions: 1 });
    expect(await codeOf(other.token, nodeA())).toBe('session_revoked');
  });

  test('sessions that end each other at the same time end in order: one is left', async () => {
    const user = await world.user('u');
    const sessions = [
      user,
      ...(await Promise.all(
        Array.from({ length: 5 }, (_, i) => again(user, i % 2 === 0 ? nodeA() : nodeB())),
      )),
    ];
    const statuses = await Promise.all(
      sessions.map(async ({ token }, i) => {
        const response = await fetch(`${i % 2 === 0 ? nodeA() : nodeB()}/v1/auth/logout`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: '{"scope":"others"}',
        });
        return [response.status, ((await response.json()) as { code?: string }).code];
      }),
    );
    for (const [status, code] of statuses)
      expect(status === 200 || code === 'session_revoked').toBe(true);
    const alive = await Promise.all(
      sessions.map(
        async ({ token }) =>
          (await fetch(`${nodeB()}/v1/me`, { headers: { authorization: `Bearer ${token}` } })).ok,
      ),
    );
    expect(alive.filter(Boolean)).toHaveLength(1);
  });
});

describe('my sessions', () => {
  test('are listed newest first, in pages, without those that ended', async () => {
    const first = await world.user('u');
    const named = await call(nodeA(), '/v1/auth/login', {
      body: {
        tenant: world.tenant.slug,
        email: first.email,
        password: first.password,
        device: 'telephone',
      },
    });
    const third = await again(first, nodeB());
    await call(nodeA(), `/v1/auth/sessions/${first.session}`, {
      method: 'DELETE',
      token: third.token,
    });
    const { body } = await call(nodeB(), '/v1/auth/sessions?limit=1', { token: third.token });
    expect(body.items).toEqual([
      expect.objectContaining({
        id: third.session,
        current: true,
        device: null,
        transport: 'body',
        guest: false,
      }),
    ]);
    const next = await call(nodeB(), `/v1/auth/sessions?limit=1&cursor=${body.next_cursor}`, {
      token: third.token,
    });
    expect(next.body).toMatchObject({
      items: [{ id: named.body.session_id, current: false, device: 'telephone' }],
      next_cursor: null,
    });
    expect(JSON.stringify([body, next.body])).not.toMatch(/refresh|hash/);
  });

  test('one can be ended; another`s, an ended or an invented one is not_found', async () => {
    const user = await world.user('u');
    const [second, stranger] = await Promise.all([again(user), world.user('s')]);
    const end = (id: string, expected: number) =>
      call(nodeA(), `/v1/auth/sessions/${id}`, {
        method: 'DELETE',
        token: user.token,
        expect: expected,
      });
    expect((await end(second.session, 200)).body).toMatchObject({ effective: true, sessions: 1 });
    for (const id of [second.session, stranger.session, 'nonsense'])
      expect((await end(id, 404)).body.code).toBe('not_found');
    await call(nodeA(), '/v1/me', { token: stranger.token });
  });
});

describe('a new password', () => {
  test('ends the other sessions and replaces the old one', async () => {
    const user = await world.user('u');
    const other = await again(user, nodeB());
    const change = (current: string, expected: number) =>
      call(nodeA(), '/v1/auth/password', {
        token: user.token,
        body: { current, new: 'a brand new one' },
        expect: expected,
      });
    expect((await change('wrong', 401)).body.code).toBe('invalid_credentials');
    expect((await change(user.password, 200)).body).toMatchObject({ effective: true, sessions: 1 });
    expect(await codeOf(other.token)).toBe('session_revoked');
    await call(nodeB(), '/v1/me', { token: user.token });
    await call(nodeB(), '/v1/auth/login', {
      body: { tenant: world.tenant.slug, email: user.email, password: user.password },
      expect: 401,
    });
    await again({ ...user, password: 'a brand new one' });
  });
});

describe('a session that nobody uses', () => {
  test('ends with session_expired; one that is used does not', async () => {
    const node = await startNode({ SESSION_IDLE_SECONDS: '2' });
    const own = await World.create({ base: node.url });
    const [idle, busy] = await Promise.all([own.user('idle'), own.user('busy')]);
    const [sleeper, worker] = await Promise.all([
      RawClient.live(node.wsUrl, idle.token),
      RawClient.live(node.wsUrl, busy.token),
    ]);
    const work = setInterval(() => worker.send({ type: 'unsubscribe', room: 'any' }), 200);
    try {
      expect((await sleeper.closed).reason).toMatchObject({
        code: 'session_expired',
        action: 'login',
      });
      await worker.settled();
      await call(node.url, '/v1/auth/refresh', {
        body: { refresh_token: busy.refresh },
        expect: 200,
      });
      expect(
        (
          await call(node.url, '/v1/auth/refresh', {
            body: { refresh_token: idle.refresh },
            expect: 401,
          })
        ).body.code,
      ).toBe('session_expired');
    } finally {
      clearInterval(work);
      worker.close();
    }
  });

  test('and one that reached its absolute end too, however busy', async () => {
    const node = await startNode({ SESSION_IDLE_SECONDS: '20', SESSION_ABSOLUTE_SECONDS: '4' });
    const own = await World.create({ base: node.url });
    const user = await own.user('u');
    const socket = await RawClient.live(node.wsUrl, user.token);
    const work = setInterval(() => socket.send({ type: 'unsubscribe', room: 'any' }), 100);
    try {
      const { reason } = await socket.closed;
      // The token does not outlive its session, so either end may be told first.
      expect(['session_expired', 'token_expired']).toContain(reason.code);
    } finally {
      clearInterval(work);
    }
    expect(
      (
        await call(node.url, '/v1/auth/refresh', {
          body: { refresh_token: user.refresh },
          expect: 401,
        })
      ).body.code,
    ).toBe('session_expired');
  });

  test('and no refresh or re-authentication carries a connection beyond its absolute end', async () => {
    const node = await startNode({ SESSION_IDLE_SECONDS: '20', SESSION_ABSOLUTE_SECONDS: '5' });
    const own = await World.create({ base: node.url });
    const user = await own.user('u');
    const signedInMs = performance.now();
    const socket = await RawClient.live(node.wsUrl, user.token);
    const { body } = await call(node.url, '/v1/auth/refresh', {
      body: { refresh_token: user.refresh },
    });
    const { body: issued } = await call(node.url, '/v1/auth/ticket', {
      method: 'POST',
      token: body.access_token,
    });
    for (const credential of [{ token: body.access_token }, { ticket: issued.ticket }]) {
      const renewed = await socket.ask({ type: 'auth_refresh', ...credential });
      expect(renewed.type).toBe('auth_ok');
      expect(renewed.expires_in_ms).toBeLessThanOrEqual(5_000);
    }
    expect(issued.expires_in).toBeLessThanOrEqual(5);
    const { reason } = await socket.closed;
    expect(['session_expired', 'token_expired']).toContain(reason.code);
    expect(performance.now() - signedInMs).toBeLessThan(8_000);
  });
});
