/** REVOKE: what is taken away is gone everywhere when the receipt says so, and nothing more is. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { RawClient } from '../support/raw-client.js';
import { World, call, nodeA, nodeB, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

describe('revoke', () => {
  let world: World;
  let ada: SignedIn;

  beforeAll(async () => {
    world = await World.create();
    ada = await world.user('ada');
  });

  test('logout in one tab closes the other socket of that session on the other node and leaves the second session open', async () => {
    const ben = await world.user('ben');
    const phone = await world.login(ben);
    const [tab, otherTab] = [
      await RawClient.live(wsUrl(nodeA()), ben.token),
      await RawClient.live(wsUrl(nodeB()), ben.token),
    ];
    const other = await RawClient.live(wsUrl(nodeB()), phone.token);
    const { body: receipt } = await call(nodeA(), '/v1/auth/logout', {
      method: 'POST',
      token: ben.token,
    });
    expect(receipt).toMatchObject({
      effective: true,
      state: 'effective',
      sessions: 1,
      connections_closed: 2,
    });
    expect(receipt.nodes.length).toBeGreaterThanOrEqual(2);
    for (const client of [tab, otherTab]) {
      const closed = await client.closed;
      expect(closed.code).toBe(1008);
      expect(closed.reason).toMatchObject({ code: 'session_revoked', action: 'login' });
      expect(client.of('goodbye')).toHaveLength(1);
    }
    await other.settled();
    expect(other.isClosed).toBeNull();
    other.close();
  });

  test('a removed member receives nothing that is published after the receipt, on any node', async () => {
    const cleo = await world.user('cleo');
    const room = await world.room(ada, {}, [[cleo, 'member']]);
    const clients = [
      await RawClient.live(wsUrl(nodeA()), cleo.token),
      await RawClient.live(wsUrl(nodeB()), cleo.token),
    ];
    const writer = await RawClient.live(wsUrl(nodeA()), ada.token);
    await writer.subscribe(room);
    for (const client of clients) await client.subscribe(room);
    await writer.publish(room, 'before');
    for (const client of clients) await client.next('message');
    const { body: receipt } = await call(nodeA(), `/v1/rooms/${room}/members/${cleo.id}`, {
      method: 'DELETE',
      token: ada.token,
    });
    expect(receipt).toMatchObject({ effective: true });
    await writer.publish(room, 'after');
    await writer.ask({ type: 'signal', room, kind: 'k', body: 'after' });
    for (const client of clients) {
      expect(await client.next('unsubscribed')).toMatchObject({ room, code: 'removed' });
      await client.settled();
      expect(client.of('message').map((frame) => frame.body)).toEqual(['before']);
      expect(client.of('signal')).toEqual([]);
      expect(await client.subscribe(room)).toMatchObject({ type: 'error', code: 'not_found' });
      client.close();
    }
    writer.close();
  });

  test('a suspended user is closed with 4003 everywhere, cannot log in, and after restoring has to', async () => {
    const dora = await world.user('dora');
    const clients = [
      await RawClient.live(wsUrl(nodeA()), dora.token),
      await RawClient.live(wsUrl(nodeB()), dora.token),
    ];
    const { body } = await call(nodeB(), `/v1/admin/users/${dora.id}`, {
      method: 'PATCH',
      token: world.operator(),
      body: { state: 'suspended' },
    });
    expect(body.receipt).toMatchObject({ effective: true, connections_closed: 2 });
    for (const client of clients) {
      const closed = await client.closed;
      expect([closed.code, closed.reason.code, closed.reason.action]).toEqual([
        4003,
        'user_suspended',
        'stop',
      ]);
    }
    await call(nodeA(), '/v1/me', { token: dora.token, expect: 401 });
    await call(nodeA(), '/v1/auth/refresh', { body: { refresh_token: dora.refresh }, expect: 401 });
    await call(nodeA(), '/v1/auth/login', {
      body: { tenant: world.tenant.slug, email: dora.email, password: dora.password },
      expect: 401,
    });
    await call(nodeB(), `/v1/admin/users/${dora.id}`, {
      method: 'PATCH',
      token: world.operator(),
      body: { state: 'active' },
    });
    await call(nodeA(), '/v1/me', { token: dora.token, expect: 401 });
    await world.login(dora);
  });

  test('a disabled tenant is closed with 4003; restored, it needs new logins', async () => {
    const own = await World.create();
    const user = await own.user('emil');
    const client = await RawClient.live(wsUrl(nodeB()), user.token);
    const patch = (state: string) =>
      call(nodeA(), `/v1/admin/tenants/${own.tenant.id}`, {
        method: 'PATCH',
        token: own.operator(),
        body: { state },
      });
    expect((await patch('disabled')).body.receipt).toMatchObject({
      effective: true,
      sessions: 1,
      connections_closed: 1,
    });
    expect(await client.closed).toMatchObject({
      code: 4003,
      reason: { code: 'tenant_disabled', action: 'stop' },
    });
    await patch('active');
    const old = await call(nodeB(), '/v1/me', { token: user.token, expect: 401 });
    expect(old.body.action).toBe('login');
    await own.login(user);
  });

  test('a demoted member learns of it and is judged by the new role at once', async () => {
    const finn = await world.user('finn');
    const room = await world.room(ada, {}, [[finn, 'moderator']]);
    const client = await RawClient.live(wsUrl(nodeB()), finn.token);
    expect(await client.subscribe(room)).toMatchObject({ role: 'moderator' });
    const { body } = await call(nodeA(), `/v1/rooms/${room}/members/${finn.id}`, {
      method: 'PATCH',
      token: ada.token,
      body: { role: 'viewer' },
    });
    expect(body.receipt).toMatchObject({ effective: true });
    expect(await client.publish(room, 'x')).toMatchObject({ type: 'error', code: 'read_only' });
    expect(client.of('access').at(-1)).toMatchObject({ room, role: 'viewer' });
    client.close();
  });
});
