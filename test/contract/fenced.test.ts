/**
 * P1: authority calls work on a node that cannot prove its authority, and judge the caller in
 * Postgres there.
 */
import { beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { freshDatabase, startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { World, call } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

let node: NodeProcess;
let world: World;
let owner: SignedIn;
let member: SignedIn;
let admin: SignedIn;
let room: string;
let blocker: pg.Client;

beforeAll(async () => {
  const DATABASE_URL = await freshDatabase();
  // Without Redis the node hears of nothing but through its lease rounds.
  node = await startNode({
    DATABASE_URL,
    REDIS_URL: 'redis://127.0.0.1:1',
    AUTHORITY_LEASE_MS: '1000',
  });
  world = await World.create({ base: node.url });
  [owner, member] = (await world.users('owner', 'member')) as [SignedIn, SignedIn];
  admin = await world.user('admin', 'admin');
  room = await world.room(owner, {}, [[member, 'member']]);
  // A lock on the node's row keeps its lease rounds from succeeding; everything else in Postgres
  // works.
  blocker = new pg.Client({ connectionString: DATABASE_URL });
  await blocker.connect();
  await blocker.query('BEGIN; SELECT 1 FROM nodes FOR UPDATE');
  for (let fenced = false; !fenced;)
    fenced =
      (
        await fetch(`${node.internalUrl}/readyz`).then(
          async (answer) => (await answer.arrayBuffer(), answer),
        )
      ).status === 503;
});

const at = (user: SignedIn, path: string, method: string, body?: unknown, expect?: number) =>
  call(node.url, path, {
    token: user.token,
    method,
    ...(body === undefined ? {} : { body }),
    ...(expect === undefined ? {} : { expect }),
  });

test('a fenced node does what takes rights away and nothing else, for callers who are alive in Postgres', async () => {
  try {
    await provesItself();
  } finally {
    await blocker.end();
  }
});

async function provesItself(): Promise<void> {
  expect((await at(owner, `/v1/rooms/${room}`, 'GET', undefined, 503)).body).toMatchObject({
    code: 'auth_unavailable',
    action: 'retry',
  });
  expect((await at(owner, `/v1/rooms/${room}/messages`, 'POST', { body: 1 }, 503)).body.code).toBe(
    'auth_unavailable',
  );

  const removed = await at(owner, `/v1/rooms/${room}/members/${member.id}`, 'DELETE');
  expect(removed.body).toMatchObject({ effective: true, nodes: [{ state: 'fenced' }] });
  expect((await at(owner, `/v1/receipts/${removed.body.id}`, 'GET')).body).toMatchObject({
    id: removed.body.id,
  });
  // Its own cache still says member: the transaction does not.
  expect((await at(member, `/v1/rooms/${room}/leave`, 'POST', {}, 404)).body.code).toBe(
    'not_found',
  );

  const ended = await at(admin, '/v1/admin/revocations', 'POST', {
    user: owner.id,
    reason: 'test',
  });
  expect(ended.body).toMatchObject({ effective: true, sessions: 1 });
  expect((await at(owner, `/v1/rooms/${room}`, 'DELETE', undefined, 401)).body.code).toBe(
    'session_revoked',
  );

  const suspended = await at(admin, `/v1/admin/users/${member.id}`, 'PATCH', {
    state: 'suspended',
  });
  expect(suspended.body).toMatchObject({
    user: { state: 'suspended' },
    receipt: { effective: true },
  });
  expect((await at(member, `/v1/rooms/${room}/join`, 'POST', {}, 401)).body.code).toBe(
    'user_suspended',
  );
}
