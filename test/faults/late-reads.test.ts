/**
 * A request with a good credential whose answer comes after the credential ended: it is refused
 * with the code of that end.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { startCluster } from '../support/node-process.js';
import type { Cluster } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { World, call, wsUrl } from '../support/world.js';

describe('asked before, answered after', () => {
  let cluster: Cluster;
  let database: pg.Client;
  let world: World;
  let url: string;

  beforeAll(async () => {
    cluster = await startCluster(2);
    url = cluster.nodes[0]!.url;
    database = new pg.Client({ connectionString: cluster.databaseUrl });
    await database.connect();
    world = await World.create({ base: url });
  }, 60_000);
  afterAll(() => database?.end());

  /** Runs `meanwhile` while a read of history stands before a locked table. */
  const readAcross = async (
    room: string,
    token: string,
    meanwhile: () => Promise<unknown>,
    at = url,
  ) => {
    await database.query('BEGIN');
    await database.query('LOCK TABLE room_events IN ACCESS EXCLUSIVE MODE');
    try {
      const reading = fetch(`${at}/v1/rooms/${room}/messages`, {
        headers: { authorization: `Bearer ${token}` },
      });
      const waiting = `SELECT 1 FROM pg_locks WHERE relation = 'room_events'::regclass AND NOT granted`;
      while ((await database.query(waiting)).rowCount === 0)
        await new Promise((resolve) => setImmediate(resolve));
      await meanwhile();
      await database.query('COMMIT');
      const answer = await reading;
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    } finally {
      await database.query('ROLLBACK');
    }
  };

  test('a REST read that runs when its session ends tells nothing', async () => {
    const ben = await world.user('ben');
    const room = await world.room(ben);
    await call(url, `/v1/rooms/${room}/messages`, { token: ben.token, body: { body: 'secret' } });
    const answer = await readAcross(room, ben.token, async () => {
      const { body } = await call(url, '/v1/auth/logout', { method: 'POST', token: ben.token });
      expect(body).toMatchObject({ effective: true });
    });
    expect(answer).toMatchObject({
      status: 401,
      body: { code: 'session_revoked', action: 'login' },
    });
    expect(JSON.stringify(answer.body)).not.toContain('secret');
  });

  test('a REST read of somebody who stays is answered, however long it took', async () => {
    const cleo = await world.user('cleo');
    const room = await world.room(cleo);
    await call(url, `/v1/rooms/${room}/messages`, { token: cleo.token, body: { body: 'hello' } });
    const other = await world.login(cleo);
    const answer = await readAcross(room, cleo.token, () =>
      call(url, '/v1/auth/logout', { method: 'POST', token: other.token }),
    );
    expect(answer).toMatchObject({ status: 200, body: { items: [{ body: 'hello' }] } });
  });

  test('a REST read on a node that stood still waits for its proof, and tells only who is still there', async () => {
    const b = cluster.nodes[1]!;
    const [eve, fay] = [await world.user('eve'), await world.user('fay')];
    const room = await world.room(eve, {}, [[fay, 'member']]);
    await call(url, `/v1/rooms/${room}/messages`, { token: eve.token, body: { body: 'hello' } });
    const standStill = (end: boolean) => async () => {
      process.kill(b.pid, 'SIGSTOP');
      try {
        if (end)
          await call(url, '/v1/auth/logout?wait=false', { method: 'POST', token: fay.token });
        // Time is the subject: longer than the stall that fences.
        await new Promise((resolve) => setTimeout(resolve, 400));
        await database.query('COMMIT');
      } finally {
        process.kill(b.pid, 'SIGCONT');
      }
    };
    expect(await readAcross(room, eve.token, standStill(false), b.url)).toMatchObject({
      status: 200,
      body: { items: [{ body: 'hello' }] },
    });
    expect(await readAcross(room, fay.token, standStill(true), b.url)).toMatchObject({
      status: 401,
      body: { code: 'session_revoked' },
    });
  });

  test.each([
    ['whose time ran out', `expires_at = clock_timestamp()`, 'session_expired', 'login'],
    [
      'that a suspension ended, unheard of here',
      `ended_at = clock_timestamp(), end_reason = 'user_suspended'`,
      'user_suspended',
      'stop',
    ],
  ])(
    'a publish of a session %s is refused with its code at the commit',
    async (_how, change, code, action) => {
      const dora = await world.user('dora');
      const room = await world.room(dora);
      const client = await RawClient.live(wsUrl(url), dora.token);
      await client.publish(room, 'before');
      await database.query(`UPDATE sessions SET ${change} WHERE id = $1`, [dora.session]);
      expect(await client.publish(room, 'after')).toMatchObject({ type: 'error', code, action });
      client.close();
    },
  );
});
