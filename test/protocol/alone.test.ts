/** A node whom nobody else can hear keeps what is said to itself, also beside the row of a node that died before it came. */
import { afterAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import pg from 'pg';
import { startCluster, startNode } from '../support/node-process.js';
import { World } from '../support/world.js';
import { live } from './harness.js';

const ends: (() => unknown)[] = [];
afterAll(async () => void (await Promise.all(ends.map((end) => end()))));

test('a node tells Redis what is said in a room as long as another one may serve, and a row that nobody has written for 31 s is of none', async () => {
  const cluster = await startCluster(1);
  await cluster.stop();
  const database = new pg.Client({ connectionString: cluster.databaseUrl });
  await database.connect();
  ends.push(() => database.end());
  // As if it had been killed then.
  await database.query(`UPDATE nodes SET at = clock_timestamp() - interval '40 s', left_at = NULL`);

  const node = await startNode(cluster.env);
  const world = await World.create({ base: node.url });
  const user = await world.user('u');
  const room = await world.room(user);
  const subscriber = new Redis(cluster.redisUrl);
  ends.push(() => subscriber.disconnect());
  const told: string[] = [];
  const spoken = new Promise<void>((resolve) => {
    subscriber.on('smessage', (_channel: string, text: string) => {
      if (text.includes('"transient"') && told.push(text) === 1) resolve();
    });
  });
  await subscriber.ssubscribe(`wardroom:room:{${room}}`);
  const client = await live(node.wsUrl, user.token);
  await client.subscribe(room);
  const say = async (body: string) => {
    client.send({ type: 'signal', room, kind: 'text', body });
    await client.next((frame) => frame.type === 'signal' && frame.body === body);
  };
  /** What the node sees of the others it learns with its rounds. */
  const rounds = async (n: number) => {
    const read = async () => (await database.query<{ at: Date }>('SELECT max(at) AS at FROM nodes WHERE at <= clock_timestamp()')).rows[0]!.at.getTime();
    for (let last = await read(), left = n; left > 0;) {
      const next = await read();
      if (next > last) left -= 1;
      last = next;
    }
  };

  await rounds(2);
  await say('nobody is there');
  await database.query(`UPDATE nodes SET at = clock_timestamp() + interval '1 minute' WHERE at < clock_timestamp() - interval '31 s'`);
  await rounds(2);
  await say('somebody may be');
  await spoken;
  expect(told).toEqual([expect.stringContaining('somebody may be')]);
});
