/**
 * A node whom nobody else can hear keeps what is said to itself, also beside the row of a node that
 * died before it came.
 */
import { afterAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import pg from 'pg';
import { startCluster, startNode } from '../support/node-process.js';
import { insight } from '../support/redis-insight.js';
import { World } from '../support/world.js';
import { live } from './harness.js';

const ends: (() => unknown)[] = [];
afterAll(async () => void (await Promise.all(ends.map((end) => end()))));

test('a node tells Redis what is said in a room as long as another one may serve: not one that has left, or that has not written its row for 31 s', async () => {
  const cluster = await startCluster(1);
  await cluster.stop();
  const database = new pg.Client({ connectionString: cluster.databaseUrl });
  await database.connect();
  ends.push(() => database.end());
  const { id: other } = (await database.query<{ id: string }>('SELECT id FROM nodes')).rows[0]!;
  const node = await startNode(cluster.env);
  const world = await World.create({ base: node.url });
  const user = await world.user('u');
  const room = await world.room(user);
  const { prefix, open } = await insight(cluster);
  const subscriber = new Redis(cluster.redisUrl);
  ends.push(() => subscriber.disconnect());
  const told: string[] = [];
  const spoken = new Promise<void>((resolve) => {
    subscriber.on('smessageBuffer', (_channel: Buffer, box: Buffer) => {
      const text = open(`room\n${room}`, box)!;
      if (text.includes('"transient"') && told.push(text) === 2) resolve();
    });
  });
  await subscriber.ssubscribe(`${prefix}room:{${room}}`);
  const client = await live(node.wsUrl, user.token);
  await client.subscribe(room);
  const say = async (body: string) => {
    client.send({ type: 'signal', room, kind: 'text', body });
    await client.next((frame) => frame.type === 'signal' && frame.body === body);
  };
  /** The node learns of the others with its rounds. */
  const rounds = async (n: number) => {
    const read = async () =>
      (
        await database.query<{ at: Date }>('SELECT max(at) AS at FROM nodes WHERE id <> $1', [
          other,
        ])
      ).rows[0]!.at.getTime();
    for (let last = await read(), left = n; left > 0;) {
      const next = await read();
      if (next > last) left -= 1;
      last = next;
    }
  };

  /** As if the other one had not left, and had written its row so many seconds ago. */
  const wrote = async (secondsAgo: number) => {
    await database.query(
      `UPDATE nodes SET at = clock_timestamp() - make_interval(secs => $2), left_at = NULL WHERE id = $1`,
      [other, secondsAgo],
    );
    await rounds(2);
  };

  await rounds(2);
  await say('it has left');
  await wrote(40);
  await say('it died');
  await wrote(-60);
  await say('it serves');
  await wrote(40);
  await say('it fell silent');
  await wrote(-60);
  await say('it is back');
  await spoken;
  expect(told).toEqual([
    expect.stringContaining('it serves'),
    expect.stringContaining('it is back'),
  ]);
});
