/**
 * Contract sections 2 and 4: a ticket is single use, short-lived and bound to its session and
 * Origin.
 */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { startCluster } from '../support/node-process.js';
import type { Cluster } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { insight } from '../support/redis-insight.js';
import { World, call, nodeA, nodeB, wsUrl } from '../support/world.js';

const ORIGIN = 'https://app.example.com';
let world: World;
beforeAll(async () => {
  world = await World.create();
});

async function ticketOf(token: string, headers: Record<string, string> = {}): Promise<string> {
  const { body, headers: answered } = await call(nodeA(), '/v1/auth/ticket', {
    method: 'POST',
    token,
    headers,
    expect: 200,
  });
  expect(body.ticket).toMatch(/^wr_tk_/);
  expect(body.expires_in).toBeGreaterThan(0);
  expect(body.expires_in).toBeLessThanOrEqual(30);
  expect(answered.get('cache-control')).toBe('no-store');
  return body.ticket;
}

async function ready(base: string): Promise<RawClient> {
  const client = await RawClient.open(wsUrl(base));
  await client.next('hello');
  return client;
}

const connect = (ticket: string, origin?: string) =>
  RawClient.open(`${wsUrl(nodeB())}?ticket=${ticket}`, origin === undefined ? {} : { origin });

test('a ticket opens one connection, on any node, as its session', async () => {
  const user = await world.user('u');
  const ticket = await ticketOf(user.token);
  const first = await connect(ticket);
  expect(await first.next('auth_ok')).toMatchObject({ session_id: user.session, user_id: user.id });
  first.close();
  const second = await connect(ticket);
  expect((await second.closed).reason.code).toBe('auth_invalid');
});

describe('on two nodes of their own', () => {
  let cluster: Cluster;
  let own: World;
  beforeAll(async () => {
    cluster = await startCluster(2, { MAX_UNAUTHENTICATED_PER_IP: '0' });
    own = await World.create({ base: cluster.nodes[0]!.url });
  });

  test('of 100 that present a ticket at once, exactly one is let in', async () => {
    const user = await own.user('u');
    const { body } = await call(own.base, '/v1/auth/ticket', { method: 'POST', token: user.token });
    // First messages, so that all hundred stand ready and present it in the same moment.
    const clients = await Promise.all(
      Array.from({ length: 100 }, (_, i) => ready(cluster.nodes[i % 2]!.url)),
    );
    for (const client of clients) client.send({ type: 'auth', ticket: body.ticket });
    const answers = await Promise.all(
      clients.map((client) =>
        client.next((frame) => frame.type === 'auth_ok' || frame.type === 'goodbye'),
      ),
    );
    expect(answers.filter(({ type }) => type === 'auth_ok')).toHaveLength(1);
    const refused = answers.filter(({ type }) => type === 'goodbye').map(({ code }) => code);
    expect(refused).toHaveLength(99);
    // The loop breaker holds the crowd, too: either way the ticket is worth nothing to them.
    expect(refused.filter((code) => code !== 'auth_invalid' && code !== 'auth_loop')).toEqual([]);
    for (const client of clients) client.close();
  });

  test('in Redis stands its hash, for 30 s at the most, and nothing that is a ticket or token', async () => {
    const user = await own.user('u');
    const { body } = await call(own.base, '/v1/auth/ticket', { method: 'POST', token: user.token });
    const redis = new Redis(cluster.redisUrl);
    try {
      const keys = await redis.keys('wardroom:*:ticket:*');
      const { prefix } = await insight(cluster);
      expect(keys).toEqual([
        `${prefix}ticket:{${createHash('sha256').update(body.ticket).digest('hex')}}`,
      ]);
      expect(await redis.ttl(keys[0]!)).toBeLessThanOrEqual(30);
      expect(await redis.ttl(keys[0]!)).toBeGreaterThan(0);
      expect(JSON.stringify([await redis.keys('*'), await redis.get(keys[0]!)])).not.toMatch(
        /wr_tk_|eyJ/,
      );
    } finally {
      redis.disconnect();
    }
  });
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
