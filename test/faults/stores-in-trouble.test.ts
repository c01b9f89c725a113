/**
 * Work that a frozen store or node leaves half done: nothing is accepted late, and nobody is kept
 * from revoking.
 */
import { afterEach, expect, test } from '@jest/globals';
import { describeWith } from '../support/needs.js';
import { RawClient } from '../support/raw-client.js';
import { World, call } from '../support/world.js';
import { FaultCluster } from './cluster.js';
import type { FaultNode } from './cluster.js';
import { nowMs } from './history.js';
import { readLedger } from './ledger.js';
import { REDIS } from './stores.js';

const full = process.env['FAULTS'] === 'full';
const withRedis = describeWith(REDIS, 'what frozen stores leave half done');

withRedis('half done', () => {
  let cluster: FaultCluster;

  afterEach(() => cluster?.stop(), 60_000);

  test('a publish that waited in Postgres past the end of its token is not stored (P3)', async () => {
    cluster = await FaultCluster.start({
      nodes: 1,
      leaseMs: 5_000,
      env: { ACCESS_TTL_SECONDS: '4', AUTH_GRACE_SECONDS: '1' },
    });
    const node = cluster.nodes[0]!;
    const world = await World.create({ base: node.url });
    const ben = await world.user('ben');
    const room = await world.room(ben);
    const own = await world.login(ben);
    const expMs = nowMs() + expOf(own.token) * 1000 - Date.now();
    const client = await RawClient.live(node.wsUrl, own.token);
    await client.publish(room, 'in time', 'in-time');
    // Time is the subject: what is asked shortly before exp is answered after it.
    await until(expMs - 300);
    cluster.postgres.freeze();
    for (const id of ['late-1', 'late-2', 'late-3']) {
      client.send({ type: 'publish', id, op_id: id, room, body: id });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await until(expMs + 300);
    cluster.postgres.thaw();
    await client.closed;
    const { events } = await readLedger(cluster.databaseUrl(), [room], 0);
    expect(
      events
        .filter(({ committedMs }) => committedMs > expMs + 100)
        .map(({ op, committedMs }) => `${op} ${Math.round(committedMs - expMs)} ms after exp`),
    ).toEqual([]);
  }, 60_000);

  if (!full) return;

  test('a node that is stopped in the middle of revoking keeps nobody else from revoking', async () => {
    cluster = await FaultCluster.start({ nodes: 2, leaseMs: 1_000 });
    const [a, b] = cluster.nodes as [FaultNode, FaultNode];
    const world = await World.create({ base: a.url });
    const users = await Promise.all(Array.from({ length: 40 }, (_, i) => world.user(`user${i}`)));
    const [first, ...others] = users;
    const socket = await RawClient.live(a.wsUrl, first!.token);
    const revoking = Promise.allSettled(
      others.map((user) =>
        call(b.url, '/v1/auth/logout?wait=false', { method: 'POST', token: user.token }),
      ),
    );
    while ((await endedSessions(cluster)) < 5)
      await new Promise((resolve) => setImmediate(resolve));
    b.freeze();
    const beganMs = nowMs();
    const { body: receipt } = await call(a.url, '/v1/auth/logout', {
      method: 'POST',
      token: first!.token,
    });
    expect(receipt).toMatchObject({ effective: true });
    expect(nowMs() - beganMs).toBeLessThan(6_000);
    expect((await socket.closed).reason).toMatchObject({ code: 'session_revoked' });
    b.thaw();
    await revoking;
    await cluster.ready();
  }, 60_000);

  test('a node that starts on a Redis that evicts says so, and serves', async () => {
    cluster = await FaultCluster.start({ nodes: 1, leaseMs: 1_000 });
    const node = cluster.nodes[0]!;
    expect(node.process.logs()).not.toContain('Redis may evict keys');
    await cluster.redis.run('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    await node.kill();
    await node.start();
    expect(node.process.logs()).toContain('Redis may evict keys');
    await World.create({ base: node.url });
  }, 60_000);
});

async function endedSessions({ databaseUrl }: FaultCluster): Promise<number> {
  return (await readLedger(databaseUrl(), [], 0)).changes.filter(
    ({ event }) => event.kind === 'session.ended',
  ).length;
}

async function until(atMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, atMs - nowMs())));
}

const expOf = (token: string): number =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).exp as number;
