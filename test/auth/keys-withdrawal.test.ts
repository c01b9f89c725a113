/**
 * Contract sections 3 and 6: withdrawing a key ends what it signed, everywhere, and sends nobody
 * back to a login.
 */
import { expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { connected } from '../support/sdk-client.js';
import { kidOf, listKeys, runKeys } from '../support/keys-cli.js';
import { startCluster } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { World, call, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

async function refreshed(user: SignedIn, base: string): Promise<SignedIn> {
  const { body } = await call(base, '/v1/auth/refresh', { body: { refresh_token: user.refresh } });
  return { ...user, token: body.access_token, refresh: body.refresh_token };
}

test('a withdrawn key closes its sockets with 4001 token_revoked on every node, refuses its tokens, and clients that refresh live on', async () => {
  const cluster = await startCluster(2);
  const [a, b] = cluster.nodes.map((node) => node.url) as [string, string];
  const world = await World.create({ base: a });
  const [ada, ben] = (await world.users('ada', 'ben')) as [SignedIn, SignedIn];
  const room = await world.room(ada, {}, [[ben, 'member']]);
  const sockets = await Promise.all([a, b].map((base) => RawClient.live(wsUrl(base), ada.token)));
  // The client that knows the protocol: refreshes when told so, and comes back into its room.
  let held = ben;
  const codes: string[] = [];
  const client = await connected(b, ben, {
    getToken: async (reason) => {
      if (reason !== 'connect') held = await refreshed(held, b);
      return held.token;
    },
    backoffBaseMs: 50,
  });
  client.on('waiting', ({ why }) => codes.push(why.code));
  client.on('signed_out', (why) => codes.push(`signed_out ${why.code}`));
  const heard: unknown[] = [];
  client.room(room).on('message', ({ body }) => heard.push(body));
  await client.room(room).subscribe();

  const kid = kidOf(ada.token);
  const { body: receipt } = await call(a, '/v1/admin/revocations', {
    token: world.operator(),
    body: { key: kid, reason: 'leaked' },
  });
  expect(receipt).toMatchObject({
    effective: true,
    connections_closed: 3,
    nodes: [{ state: 'confirmed' }, { state: 'confirmed' }],
  });
  for (const socket of sockets) {
    const closed = await socket.closed;
    expect(closed).toMatchObject({
      code: 4001,
      reason: { code: 'token_revoked', action: 'refresh', retry_after_ms: expect.any(Number) },
    });
    expect(socket.of('goodbye')).toHaveLength(1);
  }
  for (const base of [a, b]) {
    expect((await call(base, '/v1/me', { token: ada.token, expect: 401 })).body).toMatchObject({
      code: 'token_revoked',
      action: 'refresh',
    });
    expect(
      (await call(base, '/.well-known/jwks.json')).body.keys.map((key: { kid: string }) => key.kid),
    ).not.toContain(kid);
  }
  // At once, on either node: nothing new is signed with it.
  let again = ada;
  for (const base of [b, a]) {
    again = await refreshed(again, base);
    expect(kidOf(again.token)).not.toBe(kid);
    const socket = await RawClient.live(wsUrl(base), again.token);
    await socket.subscribe(room);
    await socket.publish(room, `from ${base}`);
    socket.close();
  }
  while (heard.length < 2) await sleep(20);
  expect(heard).toEqual([`from ${b}`, `from ${a}`]);
  expect(codes).toEqual(['token_revoked']);
  expect(kidOf(held.token)).not.toBe(kid);
}, 60_000);

test('withdrawn right after a rotation, the announced key takes over at once; the command line does the same as REST', async () => {
  // The command line asks nothing of Redis: nodes hear of it with their lease rounds.
  const cluster = await startCluster(2, { AUTHORITY_LEASE_MS: '1000' });
  const [a, b] = cluster.nodes.map((node) => node.url) as [string, string];
  const world = await World.create({ base: a });
  const user = await world.user('u');
  const socket = await RawClient.live(wsUrl(b), user.token);
  expect((await runKeys(cluster.env, 'rotate')).code).toBe(0);
  const [first, second] = await listKeys(cluster.databaseUrl);
  expect([first!.state, second!.state]).toEqual(['signing', 'announced']);
  const withdrawn = await runKeys(cluster.env, 'withdraw', first!.kid);
  expect(withdrawn).toMatchObject({ code: 0, stderr: '' });
  expect(withdrawn.stdout).toContain(
    `Withdrew ${first!.kid}; ${second!.kid} signs. Closed 1 connections. Every node (2) knows.`,
  );
  expect(await socket.closed).toMatchObject({ code: 4001, reason: { code: 'token_revoked' } });
  expect(kidOf((await refreshed(user, b)).token)).toBe(second!.kid);
  expect((await listKeys(cluster.databaseUrl)).map(({ state }) => state)).toEqual([
    'withdrawn',
    'signing',
  ]);

  expect((await runKeys(cluster.env, 'rotate')).code).toBe(0);
  const announced = (await listKeys(cluster.databaseUrl)).at(-1)!;
  expect((await listKeys(cluster.databaseUrl))[1]!.retiredAt).toEqual(announced.signsFrom);
  expect((await runKeys(cluster.env, 'withdraw', announced.kid)).code).toBe(0);
  const [, signs] = await listKeys(cluster.databaseUrl);
  expect(signs).toMatchObject({ kid: second!.kid, state: 'signing', retiredAt: null });
}, 60_000);

test('withdrawing is for operators; an unknown key is not found', async () => {
  const world = await World.create();
  const admin = await world.user('admin', 'admin');
  const body = { key: 'A'.repeat(43), reason: 'r' };
  const base = process.env['TEST_NODE_A']!;
  expect(
    (await call(base, '/v1/admin/revocations', { token: admin.token, body, expect: 403 })).body
      .code,
  ).toBe('role_required');
  expect(
    (await call(base, '/v1/admin/revocations', { token: world.operator(), body, expect: 404 })).body
      .code,
  ).toBe('not_found');
});
