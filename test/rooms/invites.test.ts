/** Links into a room (contract section 8). */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { query } from '../support/sql.js';
import { World, call, nodeA, nodeB } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

let world: World;
let ada: SignedIn;
let mod: SignedIn;
let ben: SignedIn;
let bystander: SignedIn;
let room: string;

beforeAll(async () => {
  world = await World.create({ tenant: { allow_guests: true } });
  [ada, mod, ben, bystander] = (await world.users('ada', 'mod', 'ben', 'bystander')) as [
    SignedIn,
    SignedIn,
    SignedIn,
    SignedIn,
  ];
  room = await world.room(ada, {}, [
    [mod, 'moderator'],
    [ben, 'member'],
  ]);
});

const db = () => process.env['TEST_CLUSTER_DATABASE_URL']!;
const invite = async (user: SignedIn, fields: object = {}, at = room, expected = 201) =>
  (
    await call(nodeA(), `/v1/rooms/${at}/invites`, {
      token: user.token,
      body: fields,
      expect: expected,
    })
  ).body;
const accept = async (user: { token: string }, code: string, expected = 200, base = nodeB()) =>
  (
    await call(base, `/v1/invites/${code}/accept`, {
      method: 'POST',
      token: user.token,
      expect: expected,
    })
  ).body;
const list = async (user: SignedIn, at = room, expected = 200) =>
  (await call(nodeB(), `/v1/rooms/${at}/invites`, { token: user.token, expect: expected })).body;
const withdraw = async (user: SignedIn, ref: string, expected = 200, at = room) =>
  (
    await call(nodeB(), `/v1/rooms/${at}/invites/${ref}`, {
      method: 'DELETE',
      token: user.token,
      expect: expected,
    })
  ).body;
const patchMember = (user: SignedIn, fields: object, at = room) =>
  call(nodeA(), `/v1/rooms/${at}/members/${user.id}`, {
    method: 'PATCH',
    token: ada.token,
    body: fields,
  });
const membersOf = async (at: string) =>
  (await call(nodeA(), `/v1/rooms/${at}/members?limit=200`, { token: ada.token })).body.items;

describe('an invitation', () => {
  test('lets a user of the tenant into a private room, in its role, on the other node', async () => {
    const user = await world.user('carl');
    const made = await invite(ada, { role: 'viewer', max_uses: 2, expires_in: 3600 });
    expect(made).toMatchObject({ role: 'viewer', max_uses: 2, uses: 0, created_by: ada.id });
    expect(made.url).toMatch(new RegExp(`#invite=${made.code}$`));
    const endsMs = Date.parse(made.expires_at) - Date.parse(made.created_at);
    expect(Math.abs(endsMs - 3_600_000)).toBeLessThan(5_000);
    await call(nodeB(), `/v1/rooms/${room}`, { token: user.token, expect: 404 });
    expect(await accept(user, made.code)).toMatchObject({
      room_id: room,
      user_id: user.id,
      role: 'viewer',
    });
    for (const base of [nodeA(), nodeB()])
      expect((await call(base, `/v1/rooms/${room}`, { token: user.token })).body.role).toBe(
        'viewer',
      );
    expect((await list(ada)).items[0]).toMatchObject({ id: made.id, uses: 1 });
  });

  test('of 5 uses lets exactly 5 of 20 users in, who come at once over both nodes', async () => {
    const at = await world.room(ada);
    const crowd = await Promise.all(Array.from({ length: 20 }, () => world.user('one')));
    const { code } = await invite(ada, { max_uses: 5 }, at);
    const answers = await Promise.all(
      crowd.map(({ token }, i) =>
        fetch(`${i % 2 === 0 ? nodeA() : nodeB()}/v1/invites/${code}/accept`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
        }),
      ),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(5).fill(200), ...Array(15).fill(404)]);
    expect(await membersOf(at)).toHaveLength(6);
    expect((await list(ada, at)).items).toEqual([]);
  });

  test('accepted again changes nothing, and is not used up by that', async () => {
    const user = await world.user('dana');
    const { code, id } = await invite(ada, { max_uses: 1, role: 'viewer' });
    await accept(user, code);
    expect(await accept(user, code)).toMatchObject({ role: 'viewer' });
    const other = await invite(ada, { role: 'moderator' });
    expect(await accept(user, other.code)).toMatchObject({ role: 'viewer' });
    expect((await list(ada)).items).toContainEqual(
      expect.objectContaining({ id: other.id, uses: 0 }),
    );
    expect((await list(ada)).items.map((item: { id: string }) => item.id)).not.toContain(id);
  });

  test('is used up, expired, withdrawn or made up: 404 for each', async () => {
    const [first, late] = (await world.users('first', 'late')) as [SignedIn, SignedIn];
    const once = await invite(ada, { max_uses: 1 });
    await accept(first, once.code);
    const old = await invite(ada);
    await query(db(), `UPDATE invites SET expires_at = clock_timestamp() WHERE id = $1`, [old.id]);
    const gone = await invite(ada);
    expect(await withdraw(ada, gone.code)).toEqual({ id: gone.id });
    const byId = await invite(ada);
    expect(await withdraw(mod, byId.id)).toEqual({ id: byId.id });
    const made = `wr_inv_${'x'.repeat(43)}`;
    for (const code of [once.code, old.code, gone.code, byId.code, made, 'x', byId.id])
      expect((await accept(late, code, 404)).code).toBe('not_found');
    await call(nodeB(), `/v1/rooms/${room}`, { token: late.token, expect: 404 });
    await withdraw(ada, gone.code, 404);
  });

  test('is worth nothing once its author may not add such members any more', async () => {
    const at = await world.room(ada, {}, [
      [mod, 'moderator'],
      [ben, 'owner'],
    ]);
    const demoted = await invite(mod, {}, at);
    const lower = await invite(ben, { role: 'moderator' }, at);
    const left = await invite(ben, {}, at);
    await patchMember(mod, { role: 'member' }, at);
    await patchMember(ben, { role: 'moderator' }, at);
    const user = await world.user('edda');
    await accept(user, demoted.code, 404);
    await accept(user, lower.code, 404);
    await call(nodeA(), `/v1/rooms/${at}/members/${ben.id}`, {
      method: 'DELETE',
      token: ada.token,
    });
    await accept(user, left.code, 404);
    expect(await membersOf(at)).toHaveLength(2);
    expect((await list(ada, at)).items.map(({ uses }: { uses: number }) => uses)).toEqual([
      0, 0, 0,
    ]);
  });

  test('is worth nothing once its author is suspended', async () => {
    const author = await world.user('author');
    const at = await world.room(ada, {}, [[author, 'moderator']]);
    const { code } = await invite(author, {}, at);
    await call(nodeA(), `/v1/admin/users/${author.id}`, {
      method: 'PATCH',
      token: world.operator(),
      body: { state: 'suspended' },
    });
    await accept(await world.user('fred'), code, 404);
  });

  test('keeps the banned out, and does not end a mute', async () => {
    const [bad, loud] = (await world.users('bad', 'loud')) as [SignedIn, SignedIn];
    const { code } = await invite(ada);
    await accept(bad, code);
    await patchMember(bad, { banned: true });
    expect((await accept(bad, code, 404)).code).toBe('not_found');
    await accept(loud, code);
    await patchMember(loud, { muted_until: '2099-01-01T00:00:00Z' });
    await call(nodeA(), `/v1/rooms/${room}/leave`, { method: 'POST', token: loud.token });
    expect((await accept(loud, code)).muted_until).toBe('2099-01-01T00:00:00.000Z');
  });

  test('opens nothing to another tenant, a guest, or after the room is closed', async () => {
    const { code } = await invite(ada);
    const apart = await World.create();
    expect((await accept(await apart.user('stranger'), code, 404)).code).toBe('not_found');
    const { body } = await call(nodeA(), '/v1/auth/guest', { body: { tenant: world.tenant.slug } });
    expect((await accept({ token: body.access_token }, code, 403)).code).toBe('guest_read_only');
    const at = await world.room(ada);
    const closed = await invite(ada, {}, at);
    await call(nodeA(), `/v1/rooms/${at}`, { method: 'DELETE', token: ada.token });
    await accept(await world.user('gina'), closed.code, 404);
    expect(await query(db(), 'SELECT 1 FROM invites WHERE room_id = $1', [at])).toEqual([]);
  });
});

describe('owners and moderators invite', () => {
  test('others are refused to make, list and withdraw', async () => {
    const { id } = await invite(ada);
    for (const act of [invite(ben, {}, room, 403), list(ben, room, 403), withdraw(ben, id, 403)])
      expect((await act).code).toBe('role_required');
    for (const act of [
      invite(bystander, {}, room, 404),
      list(bystander, room, 404),
      withdraw(bystander, id, 404),
    ])
      expect((await act).code).toBe('not_found');
  });

  test('a moderator invites members and viewers, not moderators; nobody invites an owner', async () => {
    expect((await invite(mod, { role: 'moderator' }, room, 403)).code).toBe('role_required');
    expect(await invite(mod, { role: 'member' })).toMatchObject({ role: 'member' });
    expect(await invite(ada, { role: 'moderator' })).toMatchObject({ role: 'moderator' });
    expect((await invite(ada, { role: 'owner' }, room, 422)).code).toBe('invalid_request');
  });

  test('not into a direct room', async () => {
    const { body: direct } = await call(nodeA(), '/v1/rooms', {
      token: ada.token,
      body: { visibility: 'direct', members: [ben.id] },
    });
    expect((await invite(ada, {}, direct.id, 403)).code).toBe('role_required');
  });

  test('with at most 50 that are alive in a room, and nobody withdraws those of another', async () => {
    const at = await world.room(ada);
    const made = [];
    for (let i = 0; i < 50; i += 1) made.push(await invite(ada, { max_uses: 1 }, at));
    expect((await invite(ada, {}, at, 409)).code).toBe('quota_exceeded');
    await withdraw(ada, made[0].id, 404, room);
    await accept(await world.user('hugo'), made[0].code);
    await invite(ada, {}, at);
    expect((await list(ada, at)).items).toHaveLength(50);
  });

  test.each<[string, object]>([
    ['no uses', { max_uses: 0 }],
    ['half a use', { max_uses: 1.5 }],
    ['a second', { expires_in: 1 }],
    ['a year', { expires_in: 366 * 86_400 }],
    ['another field', { room: 'x' }],
  ])('%s is refused with invalid_request', async (_what, fields) => {
    expect((await invite(ada, fields, room, 422)).code).toBe('invalid_request');
  });
});

test('codes are stored hashed, and the audit names the invitation and not its code', async () => {
  const user = await world.user('ida');
  const { code, id } = await invite(ada);
  await accept(user, code);
  await withdraw(ada, id);
  const rows = await query<{ text: string }>(db(), 'SELECT invites::text AS text FROM invites');
  expect(rows.length).toBeGreaterThan(0);
  for (const { text } of rows) expect(text).not.toContain('wr_inv_');
  for (const [event, actor] of [
    ['invite_created', ada.id],
    ['invite_accepted', user.id],
    ['invite_withdrawn', ada.id],
  ]) {
    const { body } = await call(
      nodeA(),
      `/v1/admin/audit?event=${event}&tenant=${world.tenant.id}&limit=200`,
      { token: world.operator() },
    );
    expect(body.items).toContainEqual(
      expect.objectContaining({
        actor_id: actor,
        detail: expect.objectContaining({ invite: id, room }),
      }),
    );
    expect(JSON.stringify(body)).not.toContain('wr_inv_');
  }
});
