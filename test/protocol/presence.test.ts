/**
 * Presence where a node has been alone: it said nothing to anybody, and who comes later has the
 * whole picture nevertheless.
 */
import { expect, test } from '@jest/globals';
import { startCluster, startNode } from '../support/node-process.js';
import { World } from '../support/world.js';
import { live } from './harness.js';

test('a node that joins later knows at once who is in a room of the first, and the first hears of its users', async () => {
  const cluster = await startCluster(1);
  const [first] = cluster.nodes;
  const world = await World.create({ base: first!.url });
  const [ada, ben, cleo] = await world.users('ada', 'ben', 'cleo');
  const room = await world.room(ada!, {}, [
    [ben!, 'member'],
    [cleo!, 'member'],
  ]);
  const a = await live(first!.wsUrl, ada!.token);
  await a.subscribe(room);
  expect(await a.next('presence')).toMatchObject({ joined: [ada!.id], count: 1 });

  const second = await startNode(cluster.env);
  const b = await live(second.wsUrl, ben!.token);
  await b.subscribe(room);
  expect(await b.ask({ type: 'presence', room })).toMatchObject({
    count: 2,
    users: expect.arrayContaining([ada!.id, ben!.id]),
  });
  expect(await a.next('presence')).toMatchObject({ joined: [ben!.id], left: [], count: 2 });

  // The first does not believe to be alone any more.
  const c = await live(first!.wsUrl, cleo!.token);
  await c.subscribe(room);
  expect(
    await b.next((frame) => frame.type === 'presence' && frame.joined?.includes(cleo!.id) === true),
  ).toMatchObject({ count: 3 });
});
