/**
 * P2 when news overtakes news: a node died between the COMMIT of a removal and its announcement,
 * and the next addition of somebody else is announced before any node has read the removal from
 * Postgres. docs/model/authority.pml: BUG_GROWN.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { startCluster } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { World, call } from '../support/world.js';

/** The window is what a node's next round leaves of 400 ms. */
const TRIES = 8;

let near: NodeProcess;
let far: NodeProcess;
let database: pg.Client;

beforeAll(async () => {
  const cluster = await startCluster(2);
  [near, far] = cluster.nodes as [NodeProcess, NodeProcess];
  database = new pg.Client(cluster.databaseUrl);
  await database.connect();
}, 60_000);

afterAll(async () => {
  await database?.end();
});

/** The transaction of rooms/members/change-members.ts, and then nothing. */
async function removeUnannounced(room: string, user: string): Promise<void> {
  const event = {
    kind: 'member.changed',
    room,
    user,
    role: null,
    muted_until: null,
    banned: false,
    version: 2,
    epoch: 1,
  };
  await database.query('BEGIN');
  await database.query('UPDATE rooms SET authz_epoch = authz_epoch + 1 WHERE id = $1', [room]);
  await database.query(
    'UPDATE members SET role = NULL, version = version + 1 WHERE room_id = $1 AND user_id = $2',
    [room, user],
  );
  await database.query(
    `WITH head AS (UPDATE authority_head SET n = n + 1 RETURNING n)
     INSERT INTO authority_events (n, kind, payload) SELECT n, 'member.changed', $1::jsonb FROM head`,
    [JSON.stringify(event)],
  );
  await database.query('COMMIT');
}

test('a removal that was never announced holds also when the addition of another member is', async () => {
  const world = await World.create({ base: near.url });
  const [owner, removed, added] = await world.users('owner', 'removed', 'added');
  const [writer, reader] = [
    await RawClient.live(near.wsUrl, owner!.token),
    await RawClient.live(far.wsUrl, removed!.token),
  ];
  for (let i = 0; i < TRIES; i += 1) {
    const room = await world.room(owner!, {}, [[removed!, 'member']]);
    await writer.subscribe(room);
    await reader.subscribe(room);
    await reader.ask({ type: 'unsubscribe', room });
    await removeUnannounced(room, removed!.id);
    await call(near.url, `/v1/rooms/${room}/members`, {
      token: owner!.token,
      body: { user: added!.id, role: 'member' },
    });
    expect(await reader.subscribe(room)).toMatchObject({ type: 'error', code: 'not_found' });
    await writer.publish(room, 'not for the removed');
    expect(await reader.publish(room, 'of the removed')).toMatchObject({
      type: 'error',
      code: 'not_found',
    });
    await reader.settled();
    expect(reader.of('message').filter((message) => message.room === room)).toEqual([]);
  }
  writer.close();
  reader.close();
});
