/** Rotating the signing key over REST, on two nodes of its own: nothing ends, everybody knows. */
import { beforeAll, expect, test } from '@jest/globals';
import { startCluster } from '../support/node-process.js';
import { cookieOf } from '../support/sign-in.js';
import { query } from '../support/sql.js';
import { World, call } from '../support/world.js';

const OPERATOR = {
  tenant: 'system',
  email: process.env['TEST_OPERATOR_EMAIL'],
  password: process.env['TEST_OPERATOR_PASSWORD'],
};
let nodes: [string, string];
let origin: string;
let databaseUrl: string;
let token: string;

beforeAll(async () => {
  const cluster = await startCluster(2);
  nodes = cluster.nodes.map(({ url }) => url) as [string, string];
  ({ databaseUrl } = cluster);
  origin = cluster.env['PUBLIC_URL']!;
  const { body } = await call(nodes[0], '/v1/auth/login', {
    body: OPERATOR,
  });
  token = body.access_token;
}, 60_000);

const rotate = (expect: number, as = token) =>
  call(nodes[0], '/v1/admin/keys/rotate', { token: as, body: { reason: 'of age' }, expect });

test('a new key is known to every node at its receipt, signs later, and ends nothing', async () => {
  const { body } = await rotate(201);
  expect(body.receipt).toMatchObject({ effective: true, sessions: 0, connections_closed: 0 });
  expect(body.receipt.nodes).toHaveLength(2);
  expect(body.key.state).toBe('announced');
  expect(Date.parse(body.key.signs_from)).toBeGreaterThan(Date.now());
  for (const base of nodes) {
    const { body: jwks } = await call(base, '/.well-known/jwks.json');
    expect(jwks.keys.map(({ kid }: { kid: string }) => kid)).toContain(body.key.kid);
    await call(base, '/v1/me', { token, expect: 200 });
  }
  const [record] = await query<{ detail: object }>(
    databaseUrl,
    `SELECT detail FROM audit_events WHERE event = 'key_rotated'`,
  );
  expect(record!.detail).toEqual({ kid: body.key.kid, by: 'request', reason: 'of age' });
});

test('admins of a tenant are refused, and no more than three keys wait for their turn', async () => {
  const admin = await (await World.create({ base: nodes[0] })).user('admin', 'admin');
  expect((await rotate(403, admin.token)).body.code).toBe('role_required');
  await rotate(201);
  await rotate(201);
  expect((await rotate(409)).body.code).toBe('quota_exceeded');
});

test('a browser whose password was given long ago rotates nothing', async () => {
  const { headers, body } = await call(nodes[0], '/v1/auth/login', {
    body: { ...OPERATOR, transport: 'cookie' },
    headers: { origin },
  });
  await query(databaseUrl, 'UPDATE sessions SET auth_time = NULL WHERE id = $1', [body.session_id]);
  const { body: refused } = await rotate(403, cookieOf(headers, 'wr_at'));
  expect(refused.code).toBe('step_up_required');
});
