/**
 * An auditor reads everything under /v1/admin and changes nothing (contract section 10). A look at
 * data of users is in the audit.
 */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { OPERATIONS } from '../../src/api-docs/operations.js';
import { eventually, expectAnswer } from '../protocol/harness.js';
import { query } from '../support/sql.js';
import { World, call, nodeA, nodeB, unique } from '../support/world.js';
import type { CallOptions, SignedIn } from '../support/world.js';

const SYSTEM_USERS = '/v1/admin/tenants/system/users';
let world: World;
let ben: SignedIn;
let auditor: { id: string; token: string };

const newUser = (role?: string) => ({
  email: `${unique('user')}@example.com`,
  password: 'a long password',
  name: 'x',
  ...(role === undefined ? {} : { role }),
});

async function signIn({ email, password }: { email: string; password: string }): Promise<string> {
  const body = { tenant: 'system', email, password };
  return (await call(nodeA(), '/v1/auth/login', { body })).body.access_token;
}

async function makeInSystem(role: string): Promise<{ id: string; token: string }> {
  const body = newUser(role);
  const made = await call(nodeA(), SYSTEM_USERS, { token: world.operator(), body });
  expect(made.body).toMatchObject({ role, email: body.email });
  return { id: made.body.id, token: await signIn(body) };
}

beforeAll(async () => {
  world = await World.create();
  ben = await world.user('ben');
  auditor = await makeInSystem('auditor');
});

const asAuditor = (path: string, options: CallOptions = {}) =>
  call(nodeB(), path, { token: auditor.token, ...options });

describe('an auditor', () => {
  /** Calls that only read though their method is another one. */
  const READS = new Set(['post /v1/admin/tokens/inspect']);
  /** Valid input, so that the refusal can be for the role only. */
  const BODIES: Record<string, () => unknown> = {
    'post /v1/admin/tenants': () => ({ slug: unique('t'), name: 't' }),
    'patch /v1/admin/tenants/{tenant}': () => ({ name: 'renamed' }),
    'post /v1/admin/tenants/{tenant}/users': () => newUser(),
    'post /v1/admin/tenants/{tenant}/service-accounts': () => ({ name: 'x', scopes: ['rooms'] }),
    'patch /v1/admin/users/{user}': () => ({ name: 'renamed' }),
    'post /v1/admin/revocations': () => ({ session: ben.session, reason: 'x' }),
    'post /v1/admin/keys/rotate': () => ({ reason: 'x' }),
    'post /v1/admin/reviews': () => ({ month: '2026-10', note: 'x' }),
  };
  const keyOf = ({ method, path }: { method: string; path: string }) => `${method} ${path}`;
  const administration = OPERATIONS.filter(({ path }) => path.startsWith('/v1/admin/'));
  const changes = administration
    .map(keyOf)
    .filter((key) => !key.startsWith('get ') && !READS.has(key));

  const fill = (path: string): string =>
    path
      .replace('{tenant}', world.tenant.id)
      .replace('{user}', ben.id)
      .replace(/\{\w+\}/g, () => randomUUID());

  test.each(changes)('is refused with role_required: %s', async (key) => {
    const [method, path] = key.split(' ') as [string, string];
    const body = BODIES[key]?.();
    const answer = await asAuditor(fill(path), {
      method: method.toUpperCase(),
      ...(body === undefined ? {} : { body }),
      expect: 403,
    });
    expectAnswer(answer, 'role_required');
  });

  test.each(administration.filter(({ method }) => method === 'get').map(({ path }) => path))(
    'is not refused for its role: GET %s',
    async (path) => {
      const response = await fetch(nodeB() + fill(path), {
        headers: { authorization: `Bearer ${auditor.token}` },
      });
      await response.arrayBuffer();
      expect([200, 404, 422]).toContain(response.status);
    },
  );

  test('has changed nothing: the tenant, the user and the session are as they were', async () => {
    const { items } = (await asAuditor(`/v1/admin/tenants/${world.tenant.id}/users`)).body;
    expect(items).toMatchObject([{ id: ben.id, state: 'active' }]);
    expect(items[0].name).not.toBe('renamed');
    await call(nodeA(), '/v1/me', { token: ben.token });
  });

  test.each<[string, () => string]>([
    ['tenants', () => '/v1/admin/tenants'],
    ['users of a tenant', () => `/v1/admin/tenants/${world.tenant.slug}/users`],
    ['sessions of all tenants', () => `/v1/admin/sessions?user=${ben.id}`],
    ['the audit of all tenants', () => `/v1/admin/audit?user=${ben.id}`],
    [
      'what a user may do',
      () => `/v1/admin/explain?user=${ben.id}&room=${randomUUID()}&action=read`,
    ],
    ['signing keys', () => '/v1/admin/keys'],
    ['whether the audit is whole', () => '/v1/admin/audit/verify'],
  ])('reads %s', async (_, path) => {
    const { body } = await asAuditor(path(), { expect: 200 });
    expect(body.items?.length ?? 1).toBeGreaterThan(0);
  });

  test('has no rooms', async () => {
    expect((await asAuditor('/v1/me')).body).toMatchObject({
      role: 'auditor',
      user_id: auditor.id,
    });
    const body = { name: 'x', visibility: 'public' };
    expectAnswer(await asAuditor('/v1/rooms', { body, expect: 403 }), 'role_required');
  });

  test('learns whose token it is that it was shown', async () => {
    const answer = await fetch(`${nodeA()}/v1/oauth/introspect`, {
      method: 'POST',
      headers: { authorization: `Bearer ${auditor.token}` },
      body: new URLSearchParams({ token: ben.token }),
    });
    expect(await answer.json()).toMatchObject({ active: true, sub: ben.id });
  });
});

describe('the tenant system', () => {
  test.each(['member', 'admin', undefined])('takes no other role: %s', async (role) => {
    const body = newUser(role);
    const answer = await call(nodeA(), SYSTEM_USERS, {
      token: world.operator(),
      body,
      expect: 403,
    });
    expectAnswer(answer, 'role_required');
  });

  test.each(['operator', 'auditor'])('alone has the role %s', async (role) => {
    const path = `/v1/admin/tenants/${world.tenant.id}/users`;
    const admin = await world.user('admin', 'admin');
    for (const token of [world.operator(), admin.token])
      expectAnswer(
        await call(nodeA(), path, { token, body: newUser(role), expect: 403 }),
        'role_required',
      );
    const patch = { token: world.operator(), method: 'PATCH', body: { role }, expect: 403 };
    expectAnswer(await call(nodeA(), `/v1/admin/users/${ben.id}`, patch), 'role_required');
  });

  test('an operator who becomes an auditor changes nothing from then on, and back', async () => {
    const boss = await makeInSystem('operator');
    const make = (expected: number) =>
      call(nodeB(), '/v1/admin/tenants', {
        token: boss.token,
        body: { slug: unique('t'), name: 't' },
        expect: expected,
      });
    const become = (role: string, by: string, id: string, expected = 200) =>
      call(nodeA(), `/v1/admin/users/${id}`, {
        method: 'PATCH',
        token: by,
        body: { role },
        expect: expected,
      });
    await make(201);
    const { body } = await become('auditor', world.operator(), boss.id);
    expect(body.receipt).toMatchObject({ effective: true });
    expectAnswer(await make(403), 'role_required');
    expectAnswer(await become('operator', boss.token, boss.id, 403), 'role_required');
    await become('operator', world.operator(), boss.id);
    await make(201);
    expectAnswer(await become('auditor', boss.token, boss.id, 403), 'role_required');
  });
});

describe('a look at data of users', () => {
  /** As soon as they are written. In Postgres: asking the audit for them is a look, too. */
  const recorded = (who: string, what: string): Promise<any[]> =>
    eventually(
      () =>
        query(
          process.env['TEST_CLUSTER_DATABASE_URL']!,
          `SELECT tenant_id, actor_id, user_id, detail FROM audit_events
           WHERE event = 'data_read' AND actor_id = '${who}' AND detail ->> 'what' = '${what}'`,
        ),
      (found) => found.length > 0,
      `the record of the look: ${what}`,
    );

  test.each<[string, () => string]>([
    ['sessions', () => `/v1/admin/sessions?user=${ben.id}`],
    ['audit', () => `/v1/admin/audit?user=${ben.id}`],
    ['explanation', () => `/v1/admin/explain?user=${ben.id}&room=x&action=read`],
  ])('of one user is recorded with who looked and at whom: %s', async (what, path) => {
    const { id, token } = await makeInSystem('auditor');
    await call(nodeA(), path(), { token });
    expect(await recorded(id, what)).toMatchObject([
      { actor_id: id, user_id: ben.id, detail: { what } },
    ]);
  });

  test('of all users of a tenant, and of all, is recorded', async () => {
    const { id, token } = await makeInSystem('auditor');
    await call(nodeA(), `/v1/admin/tenants/${world.tenant.slug}/users`, { token });
    await call(nodeA(), '/v1/admin/sessions', { token });
    expect(await recorded(id, 'users')).toMatchObject([
      { tenant_id: world.tenant.id, user_id: null, detail: { id: world.tenant.id } },
    ]);
    expect(await recorded(id, 'sessions')).toMatchObject([{ tenant_id: null, user_id: null }]);
  });
});
