/** `GET /v1/admin/nodes`: every node of the last day, as it is now (contract section 10). */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, expectAnswer, live } from '../protocol/harness.js';
import { startCluster, startNode } from '../support/node-process.js';
import type { Cluster, NodeProcess } from '../support/node-process.js';
import { World, call, operator } from '../support/world.js';

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

let cluster: Cluster;
let here: NodeProcess;
let there: NodeProcess;
let world: World;

async function start(env: Record<string, string> = {}): Promise<void> {
  cluster = await startCluster(2, env);
  [here, there] = cluster.nodes as [NodeProcess, NodeProcess];
  world = await World.create({ base: here.url });
}
const nodes = async (base = here.url): Promise<any[]> =>
  (await call(base, '/v1/admin/nodes', { token: world.operator() })).body.items;
/** By its name in the process table: each has its own number of connections. */
const withConnections = (count: number) => (list: any[]) =>
  list.find(({ connections }) => connections === count);

describe('two nodes', () => {
  beforeAll(() => start());

  test('are listed with what each of them says, whichever is asked', async () => {
    const ben = await world.user('ben');
    const [one, two] = [await live(there.wsUrl, ben.token), await live(there.wsUrl, ben.token)];
    const room = await world.room(ben);
    for (const client of [one, two]) await client.subscribe(room);
    for (const base of [here.url, there.url]) {
      const list = await nodes(base);
      expect(list).toHaveLength(2);
      for (const node of list) {
        expect(node).toMatchObject({
          name: expect.any(String),
          version,
          node_version: process.version,
          lease_ms: 2_000,
          state: 'serving',
        });
        expect(Math.abs(node.clock_offset_ms)).toBeLessThan(1_000);
        expect(node.lease_left_ms).toBeGreaterThan(0);
        expect(node.lease_left_ms).toBeLessThanOrEqual(2_000);
        expect(node.position).toBeLessThanOrEqual(node.head);
      }
      expect(withConnections(2)(list)).toMatchObject({ rooms: 1 });
      expect(withConnections(0)(list)).toMatchObject({ rooms: 0 });
    }
  });

  test('the head moves with a revocation, and the positions follow', async () => {
    const before = (await nodes())[0].head;
    const ben = await world.user('ben');
    await call(here.url, '/v1/auth/logout', { token: ben.token, body: {} });
    for (const node of await nodes()) {
      expect(node.head).toBeGreaterThan(before);
      expect(node.position).toBe(node.head);
    }
  });

  test('one that stands still does not hold up the answer, and is fenced when its lease is over', async () => {
    there.kill('SIGSTOP');
    try {
      const list = await eventually(
        () => nodes(),
        (found) => found.some(({ state }) => state === 'fenced'),
        'a fenced node',
      );
      const silent = list.find(({ state }) => state === 'fenced');
      expect(silent).toMatchObject({ connections: null, rooms: null, lease_left_ms: null });
      const asked = performance.now();
      await nodes();
      // 500 ms for the silent one; the rest is the call.
      expect(performance.now() - asked).toBeLessThan(1_500);
    } finally {
      there.kill('SIGCONT');
    }
  });

  test('are no business of an admin or a member', async () => {
    for (const role of ['admin', 'member'] as const) {
      const { token } = await world.user(role, role);
      expectAnswer(
        await call(here.url, '/v1/admin/nodes', { token, expect: 403 }),
        'role_required',
      );
    }
  });

  test('one that stops is gone, and a page names the next', async () => {
    await there.stop();
    const list = await nodes();
    expect(list.map(({ state }) => state).sort()).toEqual(['gone', 'serving']);
    const token = world.operator();
    const first = (await call(here.url, '/v1/admin/nodes?limit=1', { token })).body;
    const next = `/v1/admin/nodes?limit=1&cursor=${first.next_cursor}`;
    const second = (await call(here.url, next, { token })).body;
    expect(second.next_cursor).toBeNull();
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(list.map(({ id }) => id));
  });
});

test('without Redis the asked node knows itself, and of others what Postgres knows', async () => {
  await start({ REDIS_URL: 'redis://127.0.0.1:1' });
  const list = await nodes();
  expect(list.map(({ state }) => state)).toEqual(['serving', 'serving']);
  expect(withConnections(0)(list)).toMatchObject({ version, rooms: 0 });
  expect(list.find(({ connections }) => connections === null)).toMatchObject({
    version,
    node_version: process.version,
    lease_left_ms: null,
  });
});

test('another installation on the same Redis is not asked and not heard', async () => {
  await start();
  const { redisUrl } = cluster;
  const stranger = await startNode({ REDIS_URL: redisUrl, SECRET_KEY: cluster.env['SECRET_KEY']! });
  const token = await operator(stranger.url);
  const { body } = await call(stranger.url, '/v1/admin/nodes', { token });
  expect(body.items).toHaveLength(1);
  expect(await nodes()).toHaveLength(2);
});
