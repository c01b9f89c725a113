/**
 * `GET /v1/admin/audit/export`: every record once, in an order in which a reader that resumes
 * misses none, and no more of it in memory than the reader takes.
 */
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, expectAnswer } from '../../protocol/harness.js';
import { startCluster } from '../../support/node-process.js';
import type { Cluster, NodeProcess } from '../../support/node-process.js';
import { query, withPostgres } from '../../support/sql.js';
import { World, call, operator } from '../../support/world.js';

const PATH = '/v1/admin/audit/export';
/** More than the sockets of a connection hold. */
const MANY = 30_000;
let cluster: Cluster;
let node: NodeProcess;
let world: World;

beforeAll(async () => {
  cluster = await startCluster(2, { CALL_RATE: '0' });
  node = cluster.nodes[0]!;
  world = await World.create({ base: node.url });
  for (const name of ['ada', 'ben']) await world.user(name);
});

async function lines(after?: string, base = node.url): Promise<any[]> {
  const path = after === undefined ? PATH : `${PATH}?after=${after}`;
  const response = await fetch(base + path, {
    headers: { authorization: `Bearer ${world.operator()}` },
  });
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    expect.stringContaining('application/x-ndjson'),
  ]);
  const text = await response.text();
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

const INSERT = `
  INSERT INTO audit_events (id, node, n, at, event, tenant_id, ip, detail, hash)
  SELECT gen_random_uuid(), gen_random_uuid(), i, clock_timestamp(), 'room_created', $2::uuid, '192.0.2.1', '{}', ''
  FROM generate_series(1, $1::integer) i RETURNING id`;

/** An export whose answer has begun and is not read. */
function begun(token = world.operator()): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(node.url + PATH, { headers: { authorization: `Bearer ${token}` } }, resolve)
      .once('error', reject)
      .end();
  });
}

async function wasCut(response: IncomingMessage): Promise<boolean> {
  try {
    for await (const piece of response) void piece;
    return !response.complete;
  } catch {
    return true;
  }
}

test('every record comes once; resumed in the middle, and on another node, the rest is the same', async () => {
  const whole = await lines();
  const stored = await query<{ id: string }>(cluster.databaseUrl, 'SELECT id FROM audit_events');
  const ids = whole.map(({ metadata: { uid } }) => uid);
  expect(new Set(ids).size).toBe(ids.length);
  expect(stored.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
  expect(ids.length).toBeGreaterThan(10);
  const middle = Math.floor(whole.length / 2);
  for (const { url } of cluster.nodes) {
    const rest = await lines(whole[middle].cursor, url);
    expect([...whole.slice(0, middle + 1), ...rest].slice(0, whole.length)).toEqual(whole);
  }
  const after = await lines(whole.at(-1).cursor);
  expect(after.every(({ metadata }) => !ids.includes(metadata.uid))).toBe(true);
});

test('a record is an event of OCSF with its class, who, whom, whence and the chain it stands in', async () => {
  const all = await eventually(
    () => lines(),
    (found) => found.some(({ metadata }) => metadata.event_code === 'session_created'),
    'the records of the setup',
  );
  const of = (event: string) => all.find(({ metadata }) => metadata.event_code === event);
  const made = all.find(
    ({ metadata: { event_code: event, tenant_uid: tenant } }) =>
      event === 'user_created' && tenant === world.tenant.id,
  );
  expect(made).toMatchObject({
    class_uid: 3001,
    class_name: 'Account Change',
    category_name: 'Identity & Access Management',
    activity_name: 'Create',
    type_uid: 300_101,
    status: 'Success',
    severity_id: 1,
    time: expect.any(Number),
    metadata: { product: { name: 'Wardroom' }, tenant_uid: world.tenant.id },
    user: { uid: expect.any(String) },
    actor: { user: { uid: expect.any(String) } },
    src_endpoint: { ip: '127.0.0.1' },
    unmapped: { chain: expect.any(String), n: expect.any(Number) },
  });
  expect(of('authn_login_success')).toMatchObject({ class_uid: 3002, activity_name: 'Logon' });
  expect(of('session_created')).toMatchObject({ class_name: 'Authorize Session' });
  expect(of('sys_startup')).toMatchObject({ class_uid: 6002, activity_name: 'Start' });
});

test('a record of a transaction that commits later than one with a later place is not missed', async () => {
  await withPostgres(cluster.databaseUrl, async (client) => {
    await client.query('BEGIN');
    const { rows } = await client.query<{ id: string }>(INSERT, [1, world.tenant.id]);
    // Behind it, and committed before it.
    await query(cluster.databaseUrl, INSERT, [1, world.tenant.id]);
    const exported = lines();
    for (let i = 0; i < 10; i += 1) await call(node.url, '/v1/me', { token: world.operator() });
    await client.query('COMMIT');
    expect((await exported).map(({ metadata: { uid } }) => uid)).toContain(rows[0]!.id);
  });
});

test('`last` begins near the end', async () => {
  const whole = await lines();
  const response = await fetch(`${node.url}${PATH}?last=3`, {
    headers: { authorization: `Bearer ${world.operator()}` },
  });
  const [first] = (await response.text()).split('\n');
  const place = whole.findIndex(({ cursor }) => cursor === JSON.parse(first!).cursor);
  expect(place === -1 || place >= whole.length - 3).toBe(true);
});

describe('a large audit', () => {
  beforeAll(() => query(cluster.databaseUrl, INSERT, [MANY, world.tenant.id]));

  test('waits for its reader: four at once, a fifth is refused until one hangs up', async () => {
    const held = [await begun(), await begun(), await begun(), await begun()];
    expectAnswer(
      await call(node.url, PATH, { token: world.operator(), expect: 503 }),
      'overloaded',
    );
    for (const response of held) response.destroy();
    await eventually(
      () => begun(),
      (response) => {
        response.destroy();
        return response.statusCode === 200;
      },
      'an export after the others hung up',
    );
  });

  test('is cut when the session of its reader ends', async () => {
    const token = await operator(node.url);
    const response = await begun(token);
    expect(response.statusCode).toBe(200);
    await call(node.url, '/v1/auth/logout', { token, body: {} });
    expect(await wasCut(response)).toBe(true);
  });

  test('read to its end is whole', async () => {
    const all = await lines();
    expect(all.length).toBeGreaterThan(MANY);
    expect(new Set(all.map(({ cursor }) => cursor)).size).toBe(all.length);
  });
});

test.each(['x', '0-000000000000', '1-0000000000', '999999999-000000000000', '1-ffffffffffff'])(
  'the cursor %s is refused',
  async (cursor) => {
    const answer = await call(node.url, `${PATH}?after=${cursor}`, {
      token: world.operator(),
      expect: 422,
    });
    expectAnswer(answer, 'invalid_request');
  },
);

test('is for operators', async () => {
  const admin = await world.user('admin', 'admin');
  expectAnswer(await call(node.url, PATH, { token: admin.token, expect: 403 }), 'role_required');
});
