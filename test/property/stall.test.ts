/**
 * A process that stood still for less than a lease proves its authority again; it has no reason to
 * send anybody away.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { startCluster } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { World } from '../support/world.js';

const FENCE_CLOSE_MS = 1_500;
const STALL_MS = 800;

test('a stall of less than a lease closes no connection, however long ago the node was last fenced', async () => {
  const { nodes } = await startCluster(1, { FENCE_CLOSE_MS: String(FENCE_CLOSE_MS) });
  const node = nodes[0]!;
  const world = await World.create({ base: node.url });
  const user = await world.user('user');
  const room = await world.room(user);
  const client = await RawClient.live(node.wsUrl, user.token);
  await sleep(FENCE_CLOSE_MS + 200);
  node.kill('SIGSTOP');
  try {
    await sleep(STALL_MS);
  } finally {
    node.kill('SIGCONT');
  }
  expect(await client.subscribe(room)).toMatchObject({ type: 'subscribed' });
  await sleep(700); // longer than the period in which long fenced nodes are noticed
  await client.settled();
  expect(client.isClosed).toBeNull();
  client.close();
});
