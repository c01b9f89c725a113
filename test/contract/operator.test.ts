/** The admin calls, against the contract (sections 2 and 7). */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { World, call, nodeA, nodeB, operator, unique } from '../support/world.js';
import type { CallOptions, SignedIn } from '../support/world.js';

let world: World;
let root: string;
let admin: SignedIn;
let member: SignedIn;
let other: World;
let foreigner: SignedIn;

beforeAll(async () => {
  root = await operator();
  [world, other] = await Promise.all([World.create(), World.create()]);
  admin = await world.user('admin', 'admin');
  member = await world.user('member');
  foreigner = await other.user('foreigner');
});

const at = (token: string, path: string, options: CallOptions = {}, base = nodeA()) =>
  call(base, path, { ...options, token });
const post = (token: string, path: string, body: unknown, expect?: number) =>
  at(token, path, { body, ...(expect === undefined ? {} : { expect }) });
const patch = (token: string, path: string, body: unknown, expect?: number) =>
  at(token, path, { method: 'PATCH', body, ...(expect === undefined ? {} : { expect }) });
const codeOf = async (answer: Promise<{ body: { code?: string } }>) => (await answer).body.code;
const login = (tenant: string, { email, password }: SignedIn, expect?: number) =>
  call(nodeB(), '/v1/auth/login', {
    body: { tenant, email, password },
    ...(expect === undefined ? {} : { expect }),
  });
const dead = async (token: string, code: string) => {
  for (const base of [nodeA(), nodeB()])
    expect(await codeOf(at(token, '/v1/me', { expect: 401 }, base))).toBe(code);
};
const effective = { effective: true, state: 'effective' };

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

  test('of another tenant are 404 and nobody changes an operator from below, nor suspends himself', async () => {
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

describe('revocations', () => {
  test('end one session, and others of the user stay', async () => {
    const user = await world.user('user');
    const second = await world.login(user);
    const receipt = await post(
      admin.token,
      '/v1/admin/revocations',
      { session: user.session, reason: 'stolen' },
      200,
    );
    expect(receipt.body).toMatchObject({ ...effective, sessions: 1 });
    expect(receipt.body.nodes.length).toBeGreaterThanOrEqual(2);
    await dead(user.token, 'session_revoked');
    await at(second.token, '/v1/me');
    expect(
      (await post(admin.token, '/v1/admin/revocations', { session: user.session, reason: 'again' }))
        .body,
    ).toMatchObject({ ...effective, sessions: 0 });
  });

  test('end a user before a time, and sessions after it stay', async () => {
    const user = await world.user('user');
    const later = await world.login(user);
    const { body: mine } = await at(later.token, '/v1/auth/sessions');
    const cut = mine.items.find((item: { id: string }) => item.id === later.session).created_at;
    expect(
      (
        await post(root, '/v1/admin/revocations', {
          user: user.id,
          issued_before: cut,
          reason: 'x',
        })
      ).body,
    ).toMatchObject({ ...effective, sessions: 1 });
    await dead(user.token, 'session_revoked');
    await at(later.token, '/v1/me', {}, nodeB());
    expect(
      (await post(root, '/v1/admin/revocations', { user: user.id, reason: 'x' })).body.sessions,
    ).toBe(1);
    await dead(later.token, 'session_revoked');
  });

  test('end a whole tenant, also the caller', async () => {
    const mine = await World.create();
    const boss = await mine.user('boss', 'admin');
    const user = await mine.user('user');
    expect(
      (
        await post(boss.token, '/v1/admin/revocations', {
          tenant: mine.tenant.slug,
          reason: 'breach',
        })
      ).body,
    ).toMatchObject({ ...effective, sessions: 2 });
    for (const { token } of [boss, user]) await dead(token, 'session_revoked');
  });

  test.each([
    ['nothing', { reason: 'x' }],
    ['two things', { user: '0190a0a0-0000-7000-8000-000000000000', tenant: 'a', reason: 'x' }],
    ['no reason', { tenant: 'a' }],
    ['a time that is none', { tenant: 'a', issued_before: 'yesterday', reason: 'x' }],
    ['a time for a key', { key: 'a', issued_before: '2026-01-01T00:00:00Z', reason: 'x' }],
    ['an unknown field', { tenant: 'a', reason: 'x', force: true }],
  ])('refuse %s', async (_, body) => {
    expect(await codeOf(post(root, '/v1/admin/revocations', body, 422))).toBe('invalid_request');
  });

  test('are for operators and for admins in their tenant', async () => {
    expect(
      await codeOf(
        post(member.token, '/v1/admin/revocations', { user: member.id, reason: 'x' }, 403),
      ),
    ).toBe('role_required');
    for (const body of [
      { session: foreigner.session },
      { user: foreigner.id },
      { tenant: other.tenant.id },
    ]) {
      expect(
        await codeOf(post(admin.token, '/v1/admin/revocations', { ...body, reason: 'x' }, 404)),
      ).toBe('not_found');
    }
    expect(
      await codeOf(post(admin.token, '/v1/admin/revocations', { key: 'kid', reason: 'x' }, 403)),
    ).toBe('role_required');
    expect(
      await codeOf(post(root, '/v1/admin/revocations', { key: 'kid', reason: 'x' }, 404)),
    ).toBe('not_found');
    expect(
      await codeOf(
        post(
          root,
          '/v1/admin/revocations',
          { user: '0190a0a0-0000-7000-8000-000000000000', reason: 'x' },
          404,
        ),
      ),
    ).toBe('not_found');
    await at(foreigner.token, '/v1/me');
  });

  test('answer at once with ?wait=false, and the receipt can be followed by the tenant only', async () => {
    const user = await world.user('user');
    const { body } = await post(admin.token, '/v1/admin/revocations?wait=false', {
      user: user.id,
      reason: 'x',
    });
    for (const token of [member.token, admin.token, root])
      expect((await at(token, `/v1/receipts/${body.id}`, {}, nodeB())).body.id).toBe(body.id);
    expect(await codeOf(at(foreigner.token, `/v1/receipts/${body.id}`, { expect: 404 }))).toBe(
      'not_found',
    );
    expect(
      await codeOf(
        post(admin.token, '/v1/admin/revocations?wait=maybe', { user: user.id, reason: 'x' }, 422),
      ),
    ).toBe('invalid_request');
  });
});

describe('looking up', () => {
  test('live sessions: everywhere for operators, in the own tenant for admins', async () => {
    const mine = await World.create();
    const [boss, user] = [await mine.user('boss', 'admin'), await mine.user('user')];
    expect(
      (await at(boss.token, '/v1/admin/sessions')).body.items
        .map((item: { id: string }) => item.id)
        .sort(),
    ).toEqual([boss.session, user.session].sort());
    expect(
      (await at(root, `/v1/admin/sessions?tenant=${mine.tenant.slug}&user=${user.id}`)).body.items,
    ).toMatchObject([
      { id: user.session, tenant_id: mine.tenant.id, user_id: user.id, guest: false },
    ]);
    expect(JSON.stringify((await at(root, '/v1/admin/sessions?limit=5')).body)).not.toContain(
      'refresh',
    );
    expect(await codeOf(at(user.token, '/v1/admin/sessions', { expect: 403 }))).toBe(
      'role_required',
    );
    expect(
      await codeOf(at(boss.token, `/v1/admin/sessions?tenant=${world.tenant.id}`, { expect: 404 })),
    ).toBe('not_found');
    expect(await codeOf(at(root, '/v1/admin/sessions?tenant=no-such', { expect: 404 }))).toBe(
      'not_found',
    );
    expect(await codeOf(at(root, '/v1/admin/sessions?no_such=x', { expect: 422 }))).toBe(
      'invalid_request',
    );
  });

  test('decisions: a refusal is explained by the id it was answered with', async () => {
    const room = await world.room(member);
    const outsider = await world.user('outsider');
    const refused = await at(
      outsider.token,
      `/v1/rooms/${room}/messages`,
      { body: { body: 1 }, expect: 404 },
      nodeB(),
    );
    const { decision_id } = refused.body;
    const decision = await at(admin.token, `/v1/admin/decisions/${decision_id}`);
    expect(decision.body).toMatchObject({
      id: decision_id,
      user: outsider.id,
      code: 'not_found',
      facts: { room: { id: room, visibility: 'private' }, member: { role: null } },
    });
    const foreignAdmin = await other.user('boss', 'admin');
    expect(
      await codeOf(at(foreignAdmin.token, `/v1/admin/decisions/${decision_id}`, { expect: 404 })),
    ).toBe('not_found');
    expect(
      await codeOf(at(outsider.token, `/v1/admin/decisions/${decision_id}`, { expect: 403 })),
    ).toBe('role_required');
    expect(await codeOf(at(root, '/v1/admin/decisions/nothing', { expect: 404 }))).toBe(
      'not_found',
    );
  });

  test('what if: the ladder says the same as it would to the user', async () => {
    const room = await world.room(member);
    const ask = (user: SignedIn, action: string, token = admin.token) =>
      at(token, `/v1/admin/explain?user=${user.id}&room=${room}&action=${action}`);
    expect((await ask(member, 'manage_room')).body).toMatchObject({
      allow: true,
      role: 'owner',
      code: null,
    });
    expect((await ask(foreigner, 'read', root)).body).toMatchObject({
      allow: false,
      code: 'not_found',
      can: [],
    });
    expect(
      await codeOf(
        at(admin.token, `/v1/admin/explain?user=${foreigner.id}&room=${room}&action=read`, {
          expect: 404,
        }),
      ),
    ).toBe('not_found');
    expect(
      await codeOf(
        at(admin.token, `/v1/admin/explain?user=${member.id}&room=${room}&action=dance`, {
          expect: 422,
        }),
      ),
    ).toBe('invalid_request');
  });

  test('signing keys: by operators, without private halves', async () => {
    const keys = await at(root, '/v1/admin/keys');
    expect(keys.body.items[0]).toEqual({
      kid: expect.any(String),
      alg: 'ES256',
      state: 'signing',
      created_at: expect.any(String),
      signs_from: expect.any(String),
      retired_at: null,
      withdrawn_at: null,
    });
    expect(await codeOf(at(admin.token, '/v1/admin/keys', { expect: 403 }))).toBe('role_required');
  });
});
