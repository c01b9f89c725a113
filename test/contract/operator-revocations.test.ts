/** Revocations and look-ups of operators and admins, against the contract (sections 7 and 10). */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { World, nodeB } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { at, codeOf, dead, effective, operatorPeople, post } from './operator-calls.js';

let root: string;
let world: World;
let other: World;
let admin: SignedIn;
let member: SignedIn;
let foreigner: SignedIn;

beforeAll(async () => {
  ({ root, world, other, admin, member, foreigner } = await operatorPeople());
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

  test('with facts changed: the ladder says the same as it would to the user', async () => {
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
