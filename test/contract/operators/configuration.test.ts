/**
 * `GET /v1/admin/config`: values in effect without secrets, nodes that differ, and the audit of a
 * change.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { expectAnswer } from '../../protocol/harness.js';
import { startCluster, startNode } from '../../support/node-process.js';
import type { Cluster, NodeProcess } from '../../support/node-process.js';
import { query } from '../../support/sql.js';
import { World, call } from '../../support/world.js';

const folder = mkdtempSync(join(tmpdir(), 'wardroom-configuration-'));
const secretFile = join(folder, 'redis-url');
let cluster: Cluster;
let node: NodeProcess;
let world: World;

beforeAll(async () => {
  cluster = await startCluster(1, { CALL_RATE: '0', MAX_CONNECTIONS: '0' });
  node = cluster.nodes[0]!;
  writeFileSync(secretFile, cluster.redisUrl);
  world = await World.create({ base: node.url });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const config = async (base = node.url) =>
  (await call(base, '/v1/admin/config', { token: world.operator() })).body;
const valueOf = (body: any, name: string) => body.items.find((item: any) => item.name === name);
const changes = async (): Promise<object[]> => {
  const path = '/v1/admin/audit?event=config_changed&limit=200';
  const { body } = await call(node.url, path, { token: world.operator() });
  return body.items.map(({ detail: { name, from, to } }: any) => ({ name, from, to }));
};

test('the first start of an installation is no change', async () => {
  expect(
    await query(cluster.databaseUrl, `SELECT FROM audit_events WHERE event = 'config_changed'`),
  ).toEqual([]);
});

test('every variable has its value in effect and where it came from; secrets are `set`', async () => {
  const another = await startNode({ ...cluster.env, REDIS_URL_FILE: secretFile, REDIS_URL: '' });
  const body = await config(another.url);
  expect(valueOf(body, 'REDIS_URL')).toMatchObject({ value: 'set', source: 'file', secret: true });
  expect(valueOf(body, 'SECRET_KEY')).toMatchObject({ value: 'set', source: 'environment' });
  expect(valueOf(body, 'MAX_CONNECTIONS')).toMatchObject({ value: '0', source: 'environment' });
  expect(valueOf(body, 'ACCESS_TTL_SECONDS')).toMatchObject({ value: '300', source: 'default' });
  expect(valueOf(body, 'PUBLIC_URL')).toMatchObject({ value: 'http://wardroom.test' });
  expect(valueOf(body, 'TLS_CERT_FILE')).toMatchObject({ value: null, source: 'default' });
  const text = JSON.stringify(body);
  for (const secret of ['SECRET_KEY', 'DATABASE_URL'])
    expect(text).not.toContain(cluster.env[secret]);
  expect(text).not.toContain(cluster.redisUrl);
});

test('a node that differs is named, with what differs; a secret without its value', async () => {
  const other = await startNode({
    ...cluster.env,
    SECRET_KEY: `${cluster.env['SECRET_KEY']},${'n'.repeat(40)}`,
    PUBLISH_RATE: '7',
  });
  const { nodes } = await config();
  expect(nodes).toHaveLength(1);
  expect(nodes[0].differs).toEqual(
    expect.arrayContaining([
      { name: 'PUBLISH_RATE', value: '7', here: '20' },
      { name: 'SECRET_KEY', value: 'set, to another', here: 'set' },
    ]),
  );
  const names = nodes[0].differs.map(({ name }: { name: string }) => name);
  for (const name of ['DATABASE_URL', 'REDIS_URL', 'PORT']) expect(names).not.toContain(name);
  expect((await config(other.url)).nodes[0].differs).toContainEqual({
    name: 'PUBLISH_RATE',
    value: '20',
    here: '7',
  });
});

test('a change is one audit record: from the last recorded value to this one', async () => {
  const before = await changes();
  await startNode({ ...cluster.env, SIGNAL_RATE: '9', REDIS_URL: `${cluster.redisUrl}/0` });
  await startNode({ ...cluster.env, SIGNAL_RATE: '9', REDIS_URL: `${cluster.redisUrl}/0` });
  const after = (await changes()).slice(0, -before.length || undefined);
  expect(after).toContainEqual({ name: 'SIGNAL_RATE', from: '20', to: '9' });
  expect(after).toContainEqual({ name: 'REDIS_URL', from: 'set', to: 'changed' });
  expect(after.filter((one: any) => one.name === 'SIGNAL_RATE')).toHaveLength(1);
  expect(JSON.stringify(after)).not.toContain(cluster.redisUrl);
});

test('the tables hold no secret, and no hash of one that could be tried', async () => {
  const rows = await query(
    cluster.databaseUrl,
    `SELECT (SELECT json_agg(v) FROM configuration_values v)::text || (SELECT json_agg(n) FROM node_configurations n)::text AS text`,
  );
  const text = String(rows[0]!['text']);
  expect(text).toContain('ACCESS_TTL_SECONDS');
  for (const secret of ['SECRET_KEY', 'DATABASE_URL', 'REDIS_URL'])
    expect(text).not.toContain(cluster.env[secret]);
});

test('is for operators', async () => {
  const admin = await world.user('admin', 'admin');
  expectAnswer(
    await call(node.url, '/v1/admin/config', { token: admin.token, expect: 403 }),
    'role_required',
  );
});
