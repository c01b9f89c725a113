/**
 * `watch` while a token ends, a node stands still, Redis is away, and with more rooms than anybody
 * has: what was held comes once and is true, and a lost right is lost (contract section 8).
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { startRedis } from '../../../scripts/stores/redis.mjs';
import { eventually } from '../../support/eventually.js';
import { startCluster, startNode } from '../../support/node-process.js';
import type { Cluster, NodeProcess } from '../../support/node-process.js';
import type { RawClient } from '../../support/raw-client.js';
import { query } from '../../support/sql.js';
import { World, call } from '../../support/world.js';
import type { SignedIn } from '../../support/world.js';
import { counted } from '../../stats/read-metrics.js';
import { expectClosed, live } from '../../protocol/harness.js';
import { about, activityOf, changeOf, say, watching } from './watching.js';

let cluster: Cluster;
let here: NodeProcess;
let world: World;
let ada: SignedIn;
let ben: SignedIn;

beforeAll(async () => {
  cluster = await startCluster(1);
  here = cluster.nodes[0]!;
  world = await World.create({ base: here.url });
  [ada, ben] = (await world.users('ada', 'ben')) as [SignedIn, SignedIn];
});

const shared = () => world.room(ada, {}, [[ben, 'member']]);
const remove = (room: string) =>
  call(here.url, `/v1/rooms/${room}/members/${ben.id}`, { method: 'DELETE', token: ada.token });

describe('in grace', () => {
  let short: NodeProcess;

  beforeAll(async () => {
    short = await startNode({ ...cluster.env, ACCESS_TTL_SECONDS: '2', AUTH_GRACE_SECONDS: '5' });
  });

  /** Watching on the node of short tokens, and its token is over. */
  async function inGrace(): Promise<{ user: SignedIn; client: RawClient }> {
    const user = await world.login(ben, short.url);
    const client = await watching(short.url, user);
    await client.next('auth_expired');
    return { user, client };
  }
  const renew = async (client: RawClient, user: SignedIn) => {
    const { body } = await call(short.url, '/v1/auth/refresh', {
      body: { refresh_token: user.refresh },
    });
    await client.ask({ type: 'auth_refresh', token: body.access_token });
  };

  test('nothing of a room comes, and afterwards its last activity once', async () => {
    const [room, other] = [await shared(), await shared()];
    const { user, client } = await inGrace();
    for (let i = 0; i < 3; i += 1) await say(ada, room, {}, here.url);
    expect(await client.ask({ type: 'watch' })).toMatchObject({ code: 'token_expired' });
    expect(client.of('activity')).toEqual([]);
    await renew(client, user);
    expect(await client.next(activityOf(room, 3))).toMatchObject({ unread: 3 });
    await say(ada, other, {}, here.url);
    await client.next(activityOf(other, 1));
    expect(about(client, room)).toHaveLength(1);
  });

  test('a removal is told afterwards, and nothing else of the room', async () => {
    const [room, other] = [await shared(), await shared()];
    const { user, client } = await inGrace();
    await say(ada, room, {}, here.url);
    await remove(room);
    await say(ada, other, {}, here.url);
    await renew(client, user);
    await client.next(activityOf(other, 1));
    expect(about(client, room)).toEqual([{ type: 'rooms_changed', room, change: 'removed' }]);
  });

  test('that is not used the connection closes, and was told nothing', async () => {
    const room = await shared();
    const { client } = await inGrace();
    await say(ada, room, {}, here.url);
    await expectClosed(client, 'token_expired');
    expect(about(client, room)).toEqual([]);
  });
});

test('a node that stood still over a removal tells nothing of the room but its loss', async () => {
  const [room, other] = [await shared(), await shared()];
  const there = await startNode(cluster.env);
  const client = await watching(there.url, ben);
  await say(ada, other, {}, here.url);
  await client.next(activityOf(other, 1));
  process.kill(there.pid, 'SIGSTOP');
  await say(ada, room, { mentions: 'room' }, here.url);
  const { body: receipt } = await remove(room);
  process.kill(there.pid, 'SIGCONT');
  expect(receipt).toMatchObject({ effective: true });
  await client.next(changeOf(room, 'removed'));
  await say(ada, other, {}, here.url);
  await client.next(activityOf(other, 2));
  expect(about(client, room)).toEqual([{ type: 'rooms_changed', room, change: 'removed' }]);
});

test('without Redis the activity of another node is found in Postgres', async () => {
  const redis = await startRedis();
  const pair = await startCluster(2, { REDIS_URL: redis.url });
  const [a, b] = pair.nodes as [NodeProcess, NodeProcess];
  const apart = await World.create({ base: a.url });
  const [cleo, dan] = (await apart.users('cleo', 'dan')) as [SignedIn, SignedIn];
  const room = await apart.room(cleo, {}, [[dan, 'member']]);
  const client = await watching(b.url, dan);
  await redis.stop();
  await say(cleo, room, { mentions: [dan.id] }, a.url);
  expect(await client.next(activityOf(room, 1), 15_000)).toMatchObject({ unread: 1, mentions: 1 });
});

describe('of a user with more rooms than are watched', () => {
  const MANY = 1_200;

  test('those with the newest activity are, once for all connections, and given up with the last', async () => {
    const node = await startNode(cluster.env);
    const user = await world.user('eve');
    await query(
      cluster.databaseUrl,
      `WITH made AS (
         INSERT INTO rooms (id, tenant_id, name, visibility, created_by, created_at)
         SELECT gen_random_uuid(), $1, 'room ' || i, 'private', $2, now() - i * interval '1 minute' FROM generate_series(1, $3) i RETURNING id)
       INSERT INTO members (room_id, user_id, role) SELECT id, $2, 'owner' FROM made`,
      [world.tenant.id, user.id, MANY],
    );
    const entries = () => counted([node], 'wardroom_watched_rooms');
    const clients = [await live(node.wsUrl, user.token), await live(node.wsUrl, user.token)];
    for (const client of clients)
      expect(await client.ask({ type: 'watch' })).toMatchObject({ rooms: 1_000, more: true });
    expect(await entries()).toBe(1_000);
    const [newest] = (await call(node.url, '/v1/me/rooms?limit=1', { token: user.token })).body
      .items;
    await say(user, newest.room.id, {}, here.url);
    for (const client of clients) await client.next(activityOf(newest.room.id, 1));
    clients[0]!.ws.terminate();
    await eventually('one watches', async () => (await counted([node], 'wardroom_watchers')) === 1);
    expect(await entries()).toBe(1_000);
    clients[1]!.ws.terminate();
    await eventually('nothing is watched', async () => (await entries()) === 0);
  });
});
