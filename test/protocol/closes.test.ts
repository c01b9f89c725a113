/**
 * Closes that an authority event or the life of a session brings: status, reason, `goodbye`, and
 * what the credential is worth after (contract section 6).
 */
import { connect } from 'node:net';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { decodeProtectedHeader } from 'jose';
import type { CloseCode, ErrorCode } from '@wardroom/protocol';
import { startCluster, startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { World, call, nodeA, nodeB, operator, wsUrl } from '../support/world.js';
import type { CallOptions, SignedIn } from '../support/world.js';
import { expectClosed, expectRefused, live, open } from './harness.js';

let world: World;

beforeAll(async () => {
  world = await World.create();
});

type Ending = (ben: SignedIn) => { path: string } & CallOptions;
const post = (token: string, path: string, body: unknown = {}): { path: string } & CallOptions => ({
  path,
  token,
  body,
});
const patch = (path: string, body: unknown): { path: string } & CallOptions => ({
  path,
  body,
  token: world.operator(),
  method: 'PATCH',
});

describe('the end of a session ends its connections on every node, and its token', () => {
  test.each<[string, CloseCode & ErrorCode, Ending]>([
    ['logout', 'session_revoked', (ben) => post(ben.token, '/v1/auth/logout')],
    [
      'logout everywhere',
      'session_revoked',
      (ben) => post(ben.token, '/v1/auth/logout', { scope: 'all' }),
    ],
    [
      'the end of a device',
      'session_revoked',
      (ben) => ({ path: `/v1/auth/sessions/${ben.session}`, method: 'DELETE', token: ben.token }),
    ],
    [
      'revocation of the session',
      'session_revoked',
      (ben) =>
        post(world.operator(), '/v1/admin/revocations', { session: ben.session, reason: 'test' }),
    ],
    [
      'revocation of the user',
      'session_revoked',
      (ben) => post(world.operator(), '/v1/admin/revocations', { user: ben.id, reason: 'test' }),
    ],
    [
      'suspension',
      'user_suspended',
      (ben) => patch(`/v1/admin/users/${ben.id}`, { state: 'suspended' }),
    ],
  ])('%s: %s', async (_, code, ending) => {
    const ben = await world.user('ben');
    const clients = [await live(wsUrl(nodeA()), ben.token), await live(wsUrl(nodeB()), ben.token)];
    const { path, ...request } = ending(ben);
    const { body } = await call(nodeA(), path, request);
    expect(body.receipt ?? body).toMatchObject({ effective: true, connections_closed: 2 });
    for (const client of clients)
      expect(await expectClosed(client, code)).not.toHaveProperty('retry_after_ms');
    for (const url of [wsUrl(nodeA()), wsUrl(nodeB())]) {
      await expectRefused(open(url, { token: ben.token }), code);
      await expectClosed(
        await open(url, { protocols: ['wardroom.v1', `bearer.${ben.token}`] }),
        code,
      );
    }
  });

  test('a ticket that was issued before its session ended is worth nothing after', async () => {
    const ben = await world.user('ben');
    const { body } = await call(nodeA(), '/v1/auth/ticket', { method: 'POST', token: ben.token });
    await call(nodeA(), '/v1/auth/logout', { method: 'POST', token: ben.token });
    await expectClosed(await open(`${wsUrl(nodeB())}?ticket=${body.ticket}`), 'session_revoked');
  });

  test('reuse of an old refresh token: token_reuse', async () => {
    const ben = await world.user('ben');
    const client = await live(wsUrl(nodeB()), ben.token);
    const refresh = (token: string) =>
      call(nodeA(), '/v1/auth/refresh', { body: { refresh_token: token } });
    const next = (await refresh(ben.refresh)).body.refresh_token;
    await refresh(next);
    await expect(refresh(ben.refresh)).rejects.toThrow('token_reuse');
    await expectClosed(client, 'token_reuse');
    await expectRefused(open(wsUrl(nodeA()), { token: ben.token }), 'token_reuse');
  });

  test('a disabled tenant: tenant_disabled, and another tenant notices nothing', async () => {
    const closing = await World.create();
    const [ada, bystander] = [await closing.user('ada'), await world.user('ben')];
    const [client, other] = [
      await live(wsUrl(nodeB()), ada.token),
      await live(wsUrl(nodeB()), bystander.token),
    ];
    await call(nodeA(), `/v1/admin/tenants/${closing.tenant.id}`, patch('', { state: 'disabled' }));
    await expectClosed(client, 'tenant_disabled');
    await expectRefused(open(wsUrl(nodeA()), { token: ada.token }), 'tenant_disabled');
    await other.settled();
  });
});

describe('on a cluster of its own', () => {
  let usual: NodeProcess;
  let idle: NodeProcess;
  let own: World;
  let ada: SignedIn;

  beforeAll(async () => {
    const cluster = await startCluster(1);
    usual = cluster.nodes[0]!;
    idle = await startNode({ ...cluster.env, SESSION_IDLE_SECONDS: '2' });
    own = await World.create({ base: usual.url });
    ada = await own.user('ada');
  });

  test('a session without activity: session_expired; one that acts lives on', async () => {
    const [quiet, busy] = [await own.login(ada, idle.url), await own.login(ada, idle.url)];
    const [silent, active] = [
      await live(idle.wsUrl, quiet.token),
      await live(idle.wsUrl, busy.token),
    ];
    const room = await own.room(ada);
    let over = false;
    const closed = expectClosed(silent, 'session_expired').finally(() => (over = true));
    while (!over) {
      await active.ask({ type: 'read', room, seq: 0 });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await closed;
    expect(await active.ask({ type: 'read', room, seq: 0 })).toMatchObject({ type: 'ack' });
    await expectRefused(open(idle.wsUrl, { token: quiet.token }), 'session_expired');
  });

  test('a withdrawn key: 4001 token_revoked with a spread, and a refreshed token is accepted', async () => {
    const clients = [await live(usual.wsUrl, ada.token), await live(idle.wsUrl, ada.token)];
    const token = await operator(usual.url);
    const { kid } = decodeProtectedHeader(ada.token);
    await call(usual.url, '/v1/admin/revocations', { token, body: { key: kid, reason: 'test' } });
    for (const client of clients)
      expect((await expectClosed(client, 'token_revoked')).retry_after_ms).toBeGreaterThan(0);
    await expectRefused(open(usual.wsUrl, { token: ada.token }), 'token_revoked');
    const { body } = await call(usual.url, '/v1/auth/refresh', {
      body: { refresh_token: ada.refresh },
    });
    expect(decodeProtectedHeader(body.access_token).kid).not.toBe(kid);
    await live(idle.wsUrl, body.access_token);
  });

  test('a node that stops: 1012 restarting, and it takes nobody new meanwhile', async () => {
    const { token } = await own.login(ada, usual.url);
    const client = await live(idle.wsUrl, token);
    const unread = await live(idle.wsUrl, token);
    unread.ws.pause();
    idle.kill('SIGTERM');
    expect((await expectClosed(client, 'restarting')).retry_after_ms).toBeGreaterThan(0);
    await expectRefused(open(idle.wsUrl, { token }), 'unavailable');
    expect(await idle.ended).toEqual({ code: 0, signal: null });
  });

  test('a stop waits neither for a connection on which nothing was said nor for a call that never ends', async () => {
    const node = await startNode();
    const { port, hostname } = new URL(node.url);
    const [silent, half] = [connect(Number(port), hostname), connect(Number(port), hostname)];
    // The second is read when the answer of a third, which came after it, is here.
    await new Promise((resolve) =>
      half.write(
        'POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
        resolve,
      ),
    );
    await call(node.url, '/readyz');
    const cut = Promise.all(
      [silent, half].map(
        (socket) =>
          new Promise((resolve) => socket.on('error', () => undefined).once('close', resolve)),
      ),
    );
    node.kill('SIGTERM');
    expect(await node.ended).toEqual({ code: 0, signal: null });
    await cut;
  });
});
