/** Contract sections 2 and 4: a ticket is single use, short-lived and bound to its session and Origin. */
import { beforeAll, expect, test } from '@jest/globals';
import { RawClient } from '../support/raw-client.js';
import { World, call, nodeA, nodeB, wsUrl } from '../support/world.js';

const ORIGIN = 'https://app.example.com';
let world: World;
beforeAll(async () => {
  world = await World.create();
});

async function ticketOf(token: string, headers: Record<string, string> = {}): Promise<string> {
  const { body, headers: answered } = await call(nodeA(), '/v1/auth/ticket', { method: 'POST', token, headers, expect: 200 });
  expect(body.ticket).toMatch(/^wr_tk_/);
  expect(body.expires_in).toBeGreaterThan(0);
  expect(body.expires_in).toBeLessThanOrEqual(30);
  expect(answered.get('cache-control')).toBe('no-store');
  return body.ticket;
}

const connect = (ticket: string, origin?: string) => RawClient.open(`${wsUrl(nodeB())}?ticket=${ticket}`, origin === undefined ? {} : { origin });

test('a ticket opens one connection, on any node, as its session', async () => {
  const user = await world.user('u');
  const ticket = await ticketOf(user.token);
  const first = await connect(ticket);
  expect(await first.next('auth_ok')).toMatchObject({ session_id: user.session, user_id: user.id });
  first.close();
  const second = await connect(ticket);
  expect((await second.closed).reason.code).toBe('auth_invalid');
});

test('of 20 that present it at once, one is let in', async () => {
  const user = await world.user('u');
  const ticket = await ticketOf(user.token);
  const clients = await Promise.all(Array.from({ length: 20 }, () => connect(ticket)));
  const let_in = await Promise.all(
    clients.map((client) =>
      Promise.race([
        client.next('auth_ok').then(
          () => true,
          () => false,
        ),
        client.closed.then(() => false),
      ]),
    ),
  );
  expect(let_in.filter(Boolean)).toHaveLength(1);
  for (const client of clients) client.close();
});

test('a ticket is worth nothing at another Origin, nor without the one it was asked from', async () => {
  const user = await world.user('u');
  const bound = await ticketOf(user.token, { origin: ORIGIN });
  expect((await (await connect(bound)).closed).reason.code).toBe('auth_invalid');
  const right = await connect(await ticketOf(user.token, { origin: ORIGIN }), ORIGIN);
  await right.next('auth_ok');
  right.close();
  const unbound = await ticketOf(user.token);
  expect((await (await connect(unbound, ORIGIN)).closed).reason.code).toBe('auth_invalid');
});

test('a ticket dies with its session', async () => {
  const user = await world.user('u');
  const ticket = await ticketOf(user.token);
  await call(nodeA(), '/v1/auth/logout', { token: user.token, body: {} });
  expect((await (await connect(ticket)).closed).reason.code).toBe('session_revoked');
});
