/**
 * A node that has missed authority events for good starts over from a snapshot and asks every right
 * anew.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { startCluster } from '../support/node-process.js';
import type { Cluster } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { World, wsUrl } from '../support/world.js';

/** An event that this node did not see, deleted since. */
const PRUNED = `
  WITH head AS (UPDATE authority_head SET n = n + 1, pruned = n + 1 RETURNING n), logged AS (
    INSERT INTO authority_events (n, kind, payload) SELECT n, 'key.added', '{"kind":"key.added","kid":"of another node"}' FROM head)
  SELECT n FROM head`;

describe('behind the pruned log', () => {
  let cluster: Cluster;
  let database: pg.Client;

  beforeAll(async () => {
    cluster = await startCluster(1, { AUTHORITY_LEASE_MS: '2000' });
    database = new pg.Client({ connectionString: cluster.databaseUrl });
    await database.connect();
  });
  afterAll(() => database.end());

  test('a removal it never heard of ends the subscription, the others go on in the room without a gap', async () => {
    const { url } = cluster.nodes[0]!;
    const world = await World.create({ base: url });
    const [ada, ben, cleo] = [
      await world.user('ada'),
      await world.user('ben'),
      await world.user('cleo'),
    ];
    const room = await world.room(ada, {}, [
      [ben, 'member'],
      [cleo, 'member'],
    ]);
    const [writer, removed, reader] = [
      await RawClient.live(wsUrl(url), ada.token),
      await RawClient.live(wsUrl(url), ben.token),
      await RawClient.live(wsUrl(url), cleo.token),
    ];
    for (const client of [writer, removed, reader]) await client.subscribe(room);
    await writer.publish(room, 'before');
    await removed.next('message');
    // Changes by another node while this one was away, with their log entries pruned since.
    await database.query('UPDATE rooms SET authz_epoch = authz_epoch + 1 WHERE id = $1', [room]);
    await database.query(
      'UPDATE members SET role = NULL, version = version + 1 WHERE room_id = $1 AND user_id = $2',
      [room, ben.id],
    );
    await database.query(PRUNED);
    expect(await removed.next('unsubscribed')).toMatchObject({ room, code: 'removed' });
    expect(await writer.publish(room, 'after')).toMatchObject({ type: 'ack', seq: 2 });
    expect(
      await reader.next((frame) => frame.type === 'message' && frame.body === 'after'),
    ).toMatchObject({ seq: 2 });
    await removed.settled();
    expect(removed.of('message').map((frame) => frame.body)).toEqual(['before']);
    expect(await removed.subscribe(room)).toMatchObject({ type: 'error', code: 'not_found' });
  });

  test('a session ended meanwhile is closed, and its token refused', async () => {
    const { url } = cluster.nodes[0]!;
    const world = await World.create({ base: url });
    const ada = await world.user('ada');
    const client = await RawClient.live(wsUrl(url), ada.token);
    await database.query(
      `UPDATE sessions SET ended_at = clock_timestamp(), end_reason = 'session_revoked' WHERE id = $1`,
      [ada.session],
    );
    await database.query(PRUNED);
    expect(await client.closed).toMatchObject({ code: 1008, reason: { code: 'session_revoked' } });
    await expect(RawClient.open(wsUrl(url), { token: ada.token })).rejects.toMatchObject({
      status: 401,
    });
  });
});
