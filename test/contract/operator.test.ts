/** Tenants and users of operators and admins, against the contract (sections 2 and 7). */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { World, call, nodeA, nodeB, unique } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import {
  at,
  codeOf,
  dead,
  effective,
  login,
  operatorPeople,
  patch,
  post,
} from './operator-calls.js';

let root: string;
let world: World;
let other: World;
let admin: SignedIn;
let member: SignedIn;
let foreigner: SignedIn;

beforeAll(async () => {
  ({ root, world, other, admin, member, foreigner } = await operatorPeople());
});

describe('tenants', () => {
  test('are made and changed by operators only', async () => {
    const slug = unique('tenant');
    const made = await post(root, '/v1/admin/tenants', { slug, name: 'Made' }, 201);
    expect(made.body).toEqual({
      id: expect.any(String),
      slug,
      name: 'Made',
      state: 'active',
      allow_registration: false,
      access_ttl_seconds: null,
      allow_guests: false,
      created_at: expect.any(String),
    });
    expect(await codeOf(post(root, '/v1/admin/tenants', { slug, name: 'Again' }, 409))).toBe(
      'slug_taken',
    );
    for (const token of [admin.token, member.token]) {
      expect(
        await codeOf(post(token, '/v1/admin/tenants', { slug: unique('t'), name: 'x' }, 403)),
      ).toBe('role_required');
      expect(await codeOf(at(token, '/v1/admin/tenants', { expect: 403 }))).toBe('role_required');
      expect(
        await codeOf(patch(token, `/v1/admin/tenants/${world.tenant.id}`, { name: 'x' }, 403)),
      ).toBe('role_required');
    }
    expect(
      (
        await patch(root, `/v1/admin/tenants/${slug}`, {
          name: 'Renamed',
          allow_registration: true,
        })
      ).body,
    ).toMatchObject({
      tenant: { name: 'Renamed', allow_registration: true },
      receipt: null,
    });
    expect(await codeOf(patch(root, `/v1/admin/tenants/${unique('no')}`, { name: 'x' }, 404))).toBe(
      'not_found',
    );
  });

  test('that are disabled are out everywhere, and let people sign in again when restored', async () => {
    const mine = await World.create();
    const user = await mine.user('user');
    const disabled = await patch(root, `/v1/admin/tenants/${mine.tenant.id}`, {
      state: 'disabled',
    });
    expect(disabled.body).toMatchObject({ tenant: { state: 'disabled' }, receipt: effective });
    await dead(user.token, 'tenant_disabled');
    expect(
      (await patch(root, `/v1/admin/tenants/${mine.tenant.id}`, { state: 'disabled' })).body
        .receipt,
    ).toMatchObject(effective);
    expect(
      (await patch(root, `/v1/admin/tenants/${mine.tenant.id}`, { state: 'active' })).body,
    ).toMatchObject({ tenant: { state: 'active' }, receipt: null });
    await dead(user.token, 'session_revoked');
    expect(
      await codeOf(
        call(nodeB(), '/v1/auth/refresh', { body: { refresh_token: user.refresh }, expect: 401 }),
      ),
    ).toBe('session_revoked');
    const { token } = await mine.login(user, nodeB());
    await at(token, '/v1/me');
  });

  test('without guests any more end the guest sessions and no others', async () => {
    const mine = await World.create({ tenant: { allow_guests: true } });
    const user = await mine.user('user');
    const { body: guest } = await call(nodeA(), '/v1/auth/guest', {
      body: { tenant: mine.tenant.slug },
    });
    const changed = await patch(root, `/v1/admin/tenants/${mine.tenant.slug}`, {
      allow_guests: false,
    });
    expect(changed.body.receipt).toMatchObject({ ...effective, sessions: 1 });
    await dead(guest.access_token, 'session_revoked');
    await at(user.token, '/v1/me');
  });

  test('of the operators cannot be disabled', async () => {
    expect(await codeOf(patch(root, '/v1/admin/tenants/system', { state: 'disabled' }, 403))).toBe(
      'role_required',
    );
  });
});

describe('users', () => {
  test('are made by operators and by admins of their tenant', async () => {
    const email = `${unique('New')}@Example.COM`;
    const made = await post(
      admin.token,
      `/v1/admin/tenants/${world.tenant.slug}/users`,
      { email, password: 'pässwörd', name: 'New' },
      201,
    );
    expect(made.body).toEqual({
      id: expect.any(String),
      tenant_id: world.tenant.id,
      email: email.toLowerCase(),
      name: 'New',
      role: 'member',
      state: 'active',
      created_at: expect.any(String),
    });
    expect(
      await codeOf(
        post(
          root,
          `/v1/admin/tenants/${world.tenant.id}/users`,
          { email: email.toLowerCase(), password: 'pässwörd', name: 'New' },
          409,
        ),
      ),
    ).toBe('email_taken');
    await call(nodeA(), '/v1/auth/login', {
      body: { tenant: world.tenant.slug, email, password: 'pässwörd' },
    });
    const users = `/v1/admin/tenants/${world.tenant.id}/users`;
    expect(
      await codeOf(
        post(member.token, users, { email: 'a@example.com', password: 'password', name: 'x' }, 403),
      ),
    ).toBe('role_required');
    expect(await codeOf(at(member.token, users, { expect: 403 }))).toBe('role_required');
    expect(
      await codeOf(
        post(
          admin.token,
          `/v1/admin/tenants/${other.tenant.id}/users`,
          { email: 'a@example.com', password: 'password', name: 'x' },
          404,
        ),
      ),
    ).toBe('not_found');
    expect(
      await codeOf(
        at(admin.token, `/v1/admin/tenants/${other.tenant.slug}/users`, { expect: 404 }),
      ),
    ).toBe('not_found');
    expect(
      await codeOf(at(admin.token, `/v1/admin/tenants/${unique('no')}/users`, { expect: 404 })),
    ).toBe('not_found');
    expect((await at(admin.token, `${users}?limit=1`)).body).toMatchObject({
      items: [{ id: expect.any(String) }],
      next_cursor: expect.any(String),
    });
  });

  test.each([
    ['a role that nobody has', { role: 'owner' }],
    ['a short password', { password: 'short' }],
    ['no e-mail', { email: 'nobody' }],
    ['a password with NUL', { password: 'password\0' }],
    ['an unknown field', { admin: true }],
  ])('refuse %s', async (_, fields) => {
    const body = {
      email: `${unique('u')}@example.com`,
      password: 'password',
      name: 'x',
      ...fields,
    };
    expect(await codeOf(post(root, `/v1/admin/tenants/${world.tenant.id}/users`, body, 422))).toBe(
      'invalid_request',
    );
  });

  test('that are suspended are out everywhere and sign in again when restored', async () => {
    const user = await world.user('user');
    const second = await world.login(user, nodeB());
    const suspended = await patch(admin.token, `/v1/admin/users/${user.id}`, {
      state: 'suspended',
    });
    expect(suspended.body).toMatchObject({
      user: { state: 'suspended' },
      receipt: { ...effective, sessions: 2 },
    });
    for (const token of [user.token, second.token]) await dead(token, 'user_suspended');
    expect(await codeOf(login(world.tenant.slug, user, 401))).toBe('user_suspended');
    expect(
      (await patch(root, `/v1/admin/users/${user.id}`, { state: 'active' })).body,
    ).toMatchObject({ user: { state: 'active' }, receipt: null });
    await login(world.tenant.slug, user, 200);
  });

  test('that are demoted lose their rights with the receipt; a promotion needs none', async () => {
    const user = await world.user('user', 'admin');
    const room = await world.room(member);
    await at(user.token, `/v1/rooms/${room}`, {}, nodeB());
    const demoted = await patch(root, `/v1/admin/users/${user.id}`, { role: 'member' });
    expect(demoted.body).toMatchObject({ user: { role: 'member' }, receipt: effective });
    expect(await codeOf(at(user.token, `/v1/rooms/${room}`, { expect: 404 }, nodeB()))).toBe(
      'not_found',
    );
    expect(
      await codeOf(
        at(user.token, `/v1/rooms/${room}/messages`, { body: { body: 1 }, expect: 404 }, nodeB()),
      ),
    ).toBe('not_found');
    expect(
      await codeOf(
        at(user.token, `/v1/admin/tenants/${world.tenant.id}/users`, { expect: 403 }, nodeB()),
      ),
    ).toBe('role_required');
    expect(
      (await patch(root, `/v1/admin/users/${user.id}`, { role: 'admin', name: 'Renamed' })).body,
    ).toMatchObject({
      user: { role: 'admin', name: 'Renamed' },
      receipt: null,
    });
    await at(user.token, `/v1/rooms/${room}/messages`, { body: { body: 1 } }, nodeB());
  });

  test('of another tenant are 404 and nobody changes an operator from below, nor suspends themselves', async () => {
    expect(
      await codeOf(
        patch(admin.token, `/v1/admin/users/${foreigner.id}`, { state: 'suspended' }, 404),
      ),
    ).toBe('not_found');
    expect(
      await codeOf(patch(member.token, `/v1/admin/users/${admin.id}`, { state: 'suspended' }, 403)),
    ).toBe('role_required');
    expect(
      await codeOf(patch(admin.token, `/v1/admin/users/${admin.id}`, { state: 'suspended' }, 403)),
    ).toBe('role_required');
    const me = await at(root, '/v1/admin/tenants/system/users');
    const [self] = me.body.items as { id: string }[];
    expect(
      await codeOf(patch(root, `/v1/admin/users/${self!.id}`, { state: 'suspended' }, 403)),
    ).toBe('role_required');
    expect(await codeOf(patch(root, `/v1/admin/users/${self!.id}`, { role: 'member' }, 403))).toBe(
      'role_required',
    );
  });

  test('change each other at once without an error', async () => {
    const [one, two] = [await world.user('one', 'admin'), await world.user('two', 'admin')];
    const answers = await Promise.all([
      call(nodeA(), `/v1/admin/users/${two.id}`, {
        method: 'PATCH',
        token: one.token,
        body: { name: 'Two' },
      }),
      call(nodeB(), `/v1/admin/users/${one.id}`, {
        method: 'PATCH',
        token: two.token,
        body: { name: 'One' },
      }),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
  });
});
