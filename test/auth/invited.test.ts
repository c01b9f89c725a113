/** Links by which people register, also where registration is closed (contract section 8). */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { PASSWORD, outcome } from '../support/sign-in.js';
import { query } from '../support/sql.js';
import { World, call, nodeA, nodeB, unique } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

let world: World;
let boss: SignedIn;
let member: SignedIn;

beforeAll(async () => {
  world = await World.create();
  boss = await world.user('boss', 'admin');
  member = await world.user('member');
});

const path = (tenant = world.tenant.slug) => `/v1/admin/tenants/${tenant}/invites`;
const invite = async (fields: object = {}, by: { token: string } = boss) =>
  (await call(nodeA(), path(), { token: by.token, body: fields })).body;
const address = () => `${unique('new')}@example.com`;
const register = (code: string | undefined, fields: object = {}, base = nodeB()) =>
  outcome(base, '/v1/auth/register', {
    tenant: world.tenant.slug,
    email: address(),
    password: PASSWORD,
    ...(code === undefined ? {} : { invite: code }),
    ...fields,
  });

describe('an invitation of an admin', () => {
  test('registers a person where registration is closed, and the audit names it', async () => {
    expect(await register(undefined)).toBe('not_found');
    const { code, id, url } = await invite();
    expect(url).toMatch(new RegExp(`/chat\\?tenant=${world.tenant.slug}#register=${code}$`));
    const email = address();
    const { body } = await call(nodeB(), '/v1/auth/register', {
      body: { tenant: world.tenant.slug, email, password: PASSWORD, invite: code },
    });
    const me = await call(nodeA(), '/v1/me', { token: body.access_token });
    expect(me.body).toMatchObject({ email, role: 'member', tenant_id: world.tenant.id });
    const audit = await call(
      nodeA(),
      `/v1/admin/audit?event=user_created&user=${me.body.user_id}`,
      {
        token: world.operator(),
      },
    );
    expect(audit.body.items).toMatchObject([
      { detail: { role: 'member', by: 'invitation', invite: id } },
    ]);
  });

  test('of 5 uses registers exactly 5 of 12, who come at once over both nodes', async () => {
    const { code } = await invite({ max_uses: 5 });
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, i) => register(code, {}, i % 2 === 0 ? nodeA() : nodeB())),
    );
    expect(outcomes.sort()).toEqual([...Array(7).fill('not_found'), ...Array(5).fill('ok')]);
  });

  test('is not used up by a registration that fails', async () => {
    const { code } = await invite({ max_uses: 1 });
    expect(await register(code, { email: member.email })).toBe('email_taken');
    expect(await register(code, { password: 'short' })).toBe('invalid_request');
    expect(await register(code)).toBe('ok');
    expect(await register(code)).toBe('not_found');
  });

  test('for an address registers that address, however it is written, and once', async () => {
    const email = address();
    const { code, ...made } = await invite({ email });
    expect(made).toMatchObject({ email, max_uses: 1 });
    expect(await register(code)).toBe('not_found');
    expect(await register(code, { email: email.toUpperCase() })).toBe('ok');
  });

  test('is used up, expired, withdrawn, of a room or made up: not_found for each', async () => {
    const old = await invite();
    await query(
      process.env['TEST_CLUSTER_DATABASE_URL']!,
      `UPDATE invites SET expires_at = clock_timestamp() WHERE id = $1`,
      [old.id],
    );
    const gone = await invite();
    for (const ref of [gone.id, (await invite()).code])
      await call(nodeB(), `${path()}/${ref}`, { method: 'DELETE', token: boss.token });
    const room = await world.room(boss);
    const { body: ofRoom } = await call(nodeA(), `/v1/rooms/${room}/invites`, {
      token: boss.token,
      body: {},
    });
    for (const code of [
      old.code,
      gone.code,
      ofRoom.code,
      `wr_reg_${randomBytes(32).toString('base64url')}`,
      'x',
    ])
      expect(await register(code)).toBe('not_found');
  });

  test('opens no other tenant', async () => {
    const { code } = await invite();
    const apart = await World.create();
    expect(await register(code, { tenant: apart.tenant.slug })).toBe('not_found');
    expect(await register(code, { tenant: 'system' })).toBe('not_found');
  });

  test('is worth nothing once its author is no admin any more, or suspended', async () => {
    const change = (user: SignedIn, body: object) =>
      call(nodeA(), `/v1/admin/users/${user.id}`, {
        method: 'PATCH',
        token: world.operator(),
        body,
      });
    const demoted = await world.user('demoted', 'admin');
    const stopped = await world.user('stopped', 'admin');
    const codes = [(await invite({}, demoted)).code, (await invite({}, stopped)).code];
    await change(demoted, { role: 'member' });
    await change(stopped, { state: 'suspended' });
    for (const code of codes) expect(await register(code)).toBe('not_found');
    const { code } = await invite({}, { token: world.operator() });
    expect(await register(code)).toBe('ok');
  });

  test('is listed without its code', async () => {
    const { code, id } = await invite({ max_uses: 3 });
    const { body } = await call(nodeB(), path(), { token: boss.token });
    expect(body.items[0]).toMatchObject({ id, max_uses: 3, uses: 0, created_by: boss.id });
    expect(JSON.stringify(body)).not.toContain(code);
  });
});

test('members, admins elsewhere and the tenant of operators make none', async () => {
  const apart = await World.create();
  const other = await apart.user('other', 'admin');
  for (const [token, tenant, status, code] of [
    [member.token, world.tenant.slug, 403, 'role_required'],
    [other.token, world.tenant.slug, 404, 'not_found'],
    [world.operator(), 'system', 403, 'role_required'],
  ] as const) {
    const { body } = await call(nodeA(), path(tenant), { token, body: {}, expect: status });
    expect(body.code).toBe(code);
  }
});
