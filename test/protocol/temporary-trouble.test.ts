/**
 * P7: temporary trouble of ours is told as such - 503 and 1013 with `retry`, `paused` and `resumed`
 * - never as a refused credential.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { startRedis } from '../../scripts/stores/redis.mjs';
import { freshDatabase, startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { World, call } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import {
  badToken,
  eventually,
  expectAnswer,
  expectClosed,
  expectError,
  expectRefused,
  live,
  open,
} from './harness.js';

describe('while Redis is away', () => {
  let redis: { url: string; stop: () => Promise<void> };
  let node: NodeProcess;
  let ada: SignedIn;
  let ticket: string;

  beforeAll(async () => {
    redis = await startRedis();
    node = await startNode({ REDIS_URL: redis.url });
    ada = await (await World.create({ base: node.url })).user('ada');
    ticket = (await call(node.url, '/v1/auth/ticket', { method: 'POST', token: ada.token })).body
      .ticket;
    await redis.stop();
  });
  afterAll(() => redis.stop());

  test('a ticket is 503 unavailable over REST, 1013 over a WebSocket and auth_error on a living connection', async () => {
    expectAnswer(
      await call(node.url, '/v1/auth/ticket', { method: 'POST', token: ada.token, expect: 503 }),
      'unavailable',
    );
    expect(
      (await expectClosed(await open(`${node.wsUrl}?ticket=${ticket}`), 'auth_unavailable'))
        .retry_after_ms,
    ).toBeGreaterThan(0);
    const client = await live(node.wsUrl, ada.token);
    expect(await client.ask({ type: 'auth_refresh', ticket })).toMatchObject({
      type: 'auth_error',
      code: 'unavailable',
      action: 'retry',
      retry_after_ms: expect.any(Number),
    });
    await client.settled();
  });

  test('tokens are judged as ever: a good one is accepted, a bad one is auth_invalid', async () => {
    const client = await live(node.wsUrl, ada.token);
    expect(await client.ask({ type: 'auth_refresh', token: ada.token })).toMatchObject({
      type: 'auth_ok',
    });
    await expectRefused(open(node.wsUrl, { token: badToken() }), 'auth_invalid');
  });
});

describe('a crowd that connects to a node that stands still', () => {
  test('is taken when the node goes on: nobody is told of trouble that is over', async () => {
    const node = await startNode();
    const ada = await (await World.create({ base: node.url })).user('ada');
    process.kill(node.pid, 'SIGSTOP');
    const crowd = Array.from({ length: 300 }, () => live(node.wsUrl, ada.token));
    // Time is the subject: longer than the stall that fences.
    await new Promise((resolve) => setTimeout(resolve, 400));
    process.kill(node.pid, 'SIGCONT');
    for (const client of await Promise.all(crowd))
      expect(client.frames.map(({ type }) => type)).toEqual(['hello', 'auth_ok']);
  });
});

describe('while Postgres is away', () => {
  const FENCE_CLOSE_MS = 4_000;
  let node: NodeProcess;
  let databaseUrl: string;
  let ada: SignedIn;
  let room: string;

  beforeAll(async () => {
    databaseUrl = await freshDatabase();
    node = await startNode({
      DATABASE_URL: databaseUrl,
      AUTHORITY_LEASE_MS: '1000',
      FENCE_CLOSE_MS: String(FENCE_CLOSE_MS),
    });
    const world = await World.create({ base: node.url });
    ada = await world.user('ada');
    room = await world.room(ada);
  });

  /**
   * Nobody connects to the database any more, and who was connected is thrown out; or all may come
   * back.
   */
  async function allowPostgres(allow: boolean): Promise<void> {
    const admin = new URL(databaseUrl);
    const name = admin.pathname.slice(1);
    admin.pathname = new URL(process.env['TEST_DATABASE_URL']!).pathname;
    const client = new pg.Client({ connectionString: admin.href });
    await client.connect();
    await client.query(
      `ALTER DATABASE ${client.escapeIdentifier(name)} ALLOW_CONNECTIONS ${String(allow)}`,
    );
    if (!allow)
      await client.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1',
        [name],
      );
    await client.end();
  }

  test('the node pauses, refuses with auth_unavailable everywhere, and resumes where it was', async () => {
    const client = await live(node.wsUrl, ada.token);
    await client.subscribe(room);
    await client.publish(room, 'before', 'op-1');
    await allowPostgres(false);
    expect(await client.next('paused')).toEqual({ type: 'paused', code: 'auth_unavailable' });
    for (const frame of [
      { type: 'publish', room, op_id: 'op-2', body: 'while' },
      { type: 'subscribe', room },
      { type: 'signal', room, kind: 'k', body: 1 },
    ])
      expectError(await client.ask(frame), 'auth_unavailable');
    expect(await client.ask({ type: 'auth_refresh', token: ada.token })).toMatchObject({
      type: 'auth_error',
      code: 'auth_unavailable',
      action: 'retry',
    });
    expect(await client.ask({ type: 'ping' })).toMatchObject({ type: 'pong' });
    await expectRefused(open(node.wsUrl, { token: ada.token }), 'auth_unavailable');
    expectAnswer(
      await call(node.url, `/v1/rooms/${room}`, { token: ada.token, expect: 503 }),
      'auth_unavailable',
    );
    const ready = await fetch(`${node.internalUrl}/readyz`);
    expect(ready.status).toBe(503);
    expect((await fetch(`${node.internalUrl}/livez`)).status).toBe(200);
    await allowPostgres(true);
    expect(await client.next('resumed')).toEqual({ type: 'resumed', code: 'auth_unavailable' });
    expect(await client.publish(room, 'while', 'op-2')).toMatchObject({
      type: 'ack',
      seq: 2,
      duplicate: false,
    });
    await client.next((frame) => frame.type === 'message' && frame.seq === 2);
    expect(client.of('message').map(({ seq }) => seq)).toEqual([1, 2]);
    await eventually(
      async () => (await fetch(`${node.internalUrl}/readyz`)).status,
      (status) => status === 200,
      'a ready node',
    );
  });

  test('a node that is fenced too long closes with 1013 auth_unavailable, spread', async () => {
    const client = await live(node.wsUrl, ada.token);
    await allowPostgres(false);
    await client.next('paused');
    const beganMs = performance.now();
    expect((await expectClosed(client, 'auth_unavailable')).retry_after_ms).toBeGreaterThan(0);
    expect(performance.now() - beganMs).toBeGreaterThan(FENCE_CLOSE_MS - 1_000);
    await allowPostgres(true);
  });
});
