/**
 * Operators stand apart: whoever else is found in their tenant has power over nobody, and nobody
 * else gets there.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { RawClient } from '../support/raw-client.js';
import { query } from '../support/sql.js';
import { World, call, nodeA, nodeB, operator, unique, wsUrl } from '../support/world.js';
import type { CallOptions } from '../support/world.js';

const SYSTEM = '/v1/admin/tenants/system';
const database = process.env['TEST_CLUSTER_DATABASE_URL']!;
let root: string;
let boss: { user_id: string; session_id: string; tenant_id: string };
/** Made by an older version, which let admins into tenant `system`. */
let admin: { token: string; id: string };

beforeAll(async () => {
  root = await operator();
  boss = (await call(nodeA(), '/v1/me', { token: root })).body;
  const made = await (await World.create()).user('admin', 'admin');
  const id = randomUUID();
  await query(
    database,
    `INSERT INTO users (id, tenant_id, email, name, role, password_hash) SELECT $1, $2, email, name, role, password_hash FROM users WHERE id = $3`,
    [id, boss.tenant_id, made.id],
  );
  const { body } = await call(nodeA(), '/v1/auth/login', {
    body: { tenant: 'system', email: made.email, password: made.password },
  });
  admin = { id, token: body.access_token };
});

const codeOf = async (token: string, path: string, options: CallOptions): Promise<string> =>
  (await call(nodeB(), path, { token, ...options })).body.code;

describe('an admin of tenant system', () => {
  const user = randomUUID();
  test.each<[string, () => [string, CallOptions]]>([
    [
      'end the session of an operator',
      () => ['/v1/admin/revocations', { body: { session: boss.session_id, reason: 'x' } }],
    ],
    [
      'end all sessions of an operator',
      () => ['/v1/admin/revocations', { body: { user: boss.user_id, reason: 'x' } }],
    ],
    [
      'end all sessions of the tenant',
      () => ['/v1/admin/revocations', { body: { tenant: 'system', reason: 'x' } }],
    ],
    [
      'suspend an operator',
      () => [`/v1/admin/users/${boss.user_id}`, { method: 'PATCH', body: { state: 'suspended' } }],
    ],
    [
      'demote an operator',
      () => [`/v1/admin/users/${boss.user_id}`, { method: 'PATCH', body: { role: 'member' } }],
    ],
    [
      'rename an operator',
      () => [`/v1/admin/users/${boss.user_id}`, { method: 'PATCH', body: { name: 'x' } }],
    ],
    ['list the operators', () => [`${SYSTEM}/users`, {}]],
    ['list their sessions', () => ['/v1/admin/sessions', {}]],
    ['read their audit', () => ['/v1/admin/audit', {}]],
    [
      'make another admin',
      () => [
        `${SYSTEM}/users`,
        {
          body: { email: `${user}@example.com`, password: 'a password', name: 'x', role: 'admin' },
        },
      ],
    ],
    [
      'ask what an operator may do',
      () => [`/v1/admin/explain?user=${boss.user_id}&room=x&action=read`, {}],
    ],
  ])('cannot %s', async (_, how) => {
    const [path, options] = how();
    expect(await codeOf(admin.token, path, { ...options, expect: 403 })).toBe('role_required');
  });

  test('cannot ask about the token of an operator', async () => {
    const answer = await fetch(`${nodeA()}/v1/oauth/introspect`, {
      method: 'POST',
      headers: { authorization: `Bearer ${admin.token}` },
      body: new URLSearchParams({ token: root }),
    });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([
      403,
      'role_required',
    ]);
  });

  test('has left the operator as before: signed in, connected, in the same role', async () => {
    (await RawClient.live(wsUrl(nodeB()), root)).close();
    expect((await call(nodeB(), '/v1/me', { token: root })).body.role).toBe('operator');
  });
});

describe('nobody else gets into tenant system, by an operator neither', () => {
  test.each<[string, string, () => CallOptions]>([
    [
      'make a member',
      `${SYSTEM}/users`,
      () => ({ body: { email: `${unique('m')}@example.com`, password: 'a password', name: 'x' } }),
    ],
    [
      'make an admin',
      `${SYSTEM}/users`,
      () => ({
        body: {
          email: `${unique('m')}@example.com`,
          password: 'a password',
          name: 'x',
          role: 'admin',
        },
      }),
    ],
    [
      'open it for registration',
      SYSTEM,
      () => ({ method: 'PATCH', body: { allow_registration: true } }),
    ],
    ['open it for guests', SYSTEM, () => ({ method: 'PATCH', body: { allow_guests: true } })],
    [
      'give its name away',
      SYSTEM,
      () => ({ method: 'PATCH', body: { slug: unique('was-system') } }),
    ],
  ])('cannot %s', async (_, path, how) => {
    expect(await codeOf(root, path, { ...how(), expect: 403 })).toBe('role_required');
  });

  test('a role is given to nobody there; the name of the tenant may change', async () => {
    for (const id of [admin.id, boss.user_id]) {
      expect(
        await codeOf(root, `/v1/admin/users/${id}`, {
          method: 'PATCH',
          body: { role: 'member' },
          expect: 403,
        }),
      ).toBe('role_required');
    }
    await call(nodeA(), SYSTEM, {
      method: 'PATCH',
      token: root,
      body: { name: 'System', allow_registration: false, allow_guests: false },
    });
  });
});
