/** Rooms and members over REST, against the rights table of the contract (section 2). */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { World, call, nodeA, nodeB, unique } from '../support/world.js';
import type { CallOptions, SignedIn } from '../support/world.js';

let world: World;
let owner: SignedIn;
let member: SignedIn;
let stranger: SignedIn;
let admin: SignedIn;

beforeAll(async () => {
  world = await World.create({ tenant: { allow_guests: true } });
  [owner, member, stranger] = (await world.users('owner', 'member', 'stranger')) as [
    SignedIn,
    SignedIn,
    SignedIn,
  ];
  admin = await world.user('admin', 'admin');
});

const as = (user: SignedIn, path: string, options: CallOptions = {}, base = nodeA()) =>
  call(base, path, { ...options, token: user.token });
const patch = (user: SignedIn, path: string, body: unknown, expect?: number) =>
  as(user, path, { method: 'PATCH', body, ...(expect === undefined ? {} : { expect }) });
const remove = (user: SignedIn, path: string, expect?: number) =>
  as(user, path, { method: 'DELETE', ...(expect === undefined ? {} : { expect }) });
const codeOf = async (answer: Promise<{ body: { code?: string } }>) => (await answer).body.code;
const effective = {
  effective: true,
  state: 'effective',
  nodes: expect.arrayContaining([expect.objectContaining({ state: 'confirmed' })]),
};

describe('rooms', () => {
  test('are created with 201 and shown with the role and rights of whoever asks', async () => {
    const slug = unique('lobby');
    const created = await as(owner, '/v1/rooms', {
      body: { name: 'Lobby', slug, visibility: 'public' },
      expect: 201,
    });
    expect(created.body).toMatchObject({
      tenant_id: world.tenant.id,
      slug,
      name: 'Lobby',
      visibility: 'public',
      posting: 'members',
      seq: 0,
      role: 'owner',
      members_count: 1,
    });
    expect(created.body.can).toEqual(expect.arrayContaining(['read', 'publish', 'manage_room']));
    const seen = await as(stranger, `/v1/rooms/${slug}`, {}, nodeB());
    expect(seen.body).toMatchObject({ id: created.body.id, role: null, can: ['read', 'presence'] });
  });

  test.each([
    ['an unknown field', { name: 'x', visibility: 'public', color: 'red' }],
    ['no visibility', { name: 'x' }],
    ['a blank name', { name: '  ', visibility: 'public' }],
    ['a slug with capitals', { name: 'x', slug: 'Lobby', visibility: 'public' }],
    [
      'a slug that looks like an id',
      { name: 'x', slug: '0190a0a0-0000-7000-8000-000000000000', visibility: 'public' },
    ],
    ['NUL in a name', { name: 'a\0b', visibility: 'public' }],
    ['a lone surrogate in a name', '{"name":"a\\ud800","visibility":"public"}'],
    ['a direct room with oneself only', { visibility: 'direct', members: [] }],
    ['a slug of a direct room', { visibility: 'direct', slug: 'x', members: [] }],
  ])('refuse %s with 422', async (_, body) => {
    const answer = await as(owner, '/v1/rooms', { body, expect: 422 });
    expect(answer.body).toMatchObject({ code: 'invalid_request', action: 'none' });
    expect(answer.body.errors.length).toBeGreaterThan(0);
  });

  test('refuse a taken slug, and free it with the room', async () => {
    const slug = unique('once');
    const first = await as(owner, '/v1/rooms', { body: { name: 'A', slug, visibility: 'public' } });
    expect(
      await codeOf(
        as(owner, '/v1/rooms', { body: { name: 'B', slug, visibility: 'public' }, expect: 409 }),
      ),
    ).toBe('slug_taken');
    expect((await remove(owner, `/v1/rooms/${slug}`)).body).toMatchObject(effective);
    expect(await codeOf(as(owner, `/v1/rooms/${first.body.id}`, { expect: 404 }))).toBe(
      'not_found',
    );
    const second = await as(owner, '/v1/rooms', {
      body: { name: 'B', slug, visibility: 'public' },
    });
    expect(second.body.id).not.toBe(first.body.id);
    expect((await as(owner, `/v1/rooms/${slug}`, {}, nodeB())).body.id).toBe(second.body.id);
  });

  test('share one namespace of slugs with the private rooms of others, which stay hidden; a room needs no slug', async () => {
    const slug = unique('hidden');
    const hidden = await as(owner, '/v1/rooms', {
      body: { name: 'Hidden', slug, visibility: 'private' },
    });
    const { body } = await as(stranger, '/v1/rooms', {
      body: { name: 'Mine', slug, visibility: 'private' },
      expect: 409,
    });
    expect(body.code).toBe('slug_taken');
    expect(JSON.stringify(body)).not.toContain(hidden.body.id);
    expect(await codeOf(as(stranger, `/v1/rooms/${slug}`, { expect: 404 }))).toBe('not_found');
    expect(
      (await as(stranger, '/v1/rooms', { body: { name: 'Mine', visibility: 'private' } })).body
        .slug,
    ).toBeNull();
  });

  test('list what the caller may see, in pages', async () => {
    const other = await World.create();
    const [me, friend] = (await other.users('me', 'friend')) as [SignedIn, SignedIn];
    const mine = [
      await other.room(me),
      await other.room(me, { visibility: 'public' }),
      await other.room(me),
    ];
    await other.room(friend);
    const seen: string[] = [];
    let path = '/v1/rooms?limit=2';
    for (let next: string | null = ''; next !== null; path = `/v1/rooms?limit=2&cursor=${next}`) {
      const page = await as(me, path);
      seen.push(...page.body.items.map((room: { id: string }) => room.id));
      next = page.body.next_cursor;
    }
    expect(seen).toEqual(mine);
    expect((await as(friend, '/v1/rooms')).body.items).toHaveLength(2);
    expect(await codeOf(as(me, '/v1/rooms?page=2', { expect: 422 }))).toBe('invalid_request');
    expect(await codeOf(as(me, '/v1/rooms?limit=0', { expect: 422 }))).toBe('invalid_request');
  });

  test('of another tenant are 404, whatever is asked', async () => {
    const other = await World.create();
    const foreigner = await other.user('foreigner', 'admin');
    const room = await world.room(owner, { visibility: 'public' });
    for (const [method, path, body] of [
      ['GET', `/v1/rooms/${room}`],
      ['PATCH', `/v1/rooms/${room}`, { name: 'x' }],
      ['DELETE', `/v1/rooms/${room}`],
      ['POST', `/v1/rooms/${room}/join`, {}],
      ['GET', `/v1/rooms/${room}/members`],
      ['POST', `/v1/rooms/${room}/members`, { user: foreigner.id, role: 'viewer' }],
      ['GET', `/v1/rooms/${room}/messages`],
    ] as const) {
      const answer = await as(foreigner, path, {
        method,
        ...(body === undefined ? {} : { body }),
        expect: 404,
      });
      expect(answer.body.code).toBe('not_found');
    }
  });

  test('that are neither an id nor a slug are 404, not an error', async () => {
    for (const name of ['%00', 'A B', '..', 'x'.repeat(200), '%ED%A0%80']) {
      const answer = await fetch(`${nodeA()}/v1/rooms/${name}`, {
        headers: { authorization: `Bearer ${owner.token}` },
      });
      await answer.arrayBuffer();
      expect([400, 404]).toContain(answer.status);
    }
  });

  test('answer a receipt when settings shrink rights and null when they grow', async () => {
    const room = await world.room(owner, { visibility: 'public' });
    await as(stranger, `/v1/rooms/${room}`);
    const shrunk = await patch(owner, `/v1/rooms/${room}`, { visibility: 'private' });
    expect(shrunk.body).toMatchObject({ room: { visibility: 'private' }, receipt: effective });
    expect(await codeOf(as(stranger, `/v1/rooms/${room}`, { expect: 404 }, nodeB()))).toBe(
      'not_found',
    );
    expect(
      (await patch(owner, `/v1/rooms/${room}`, { visibility: 'public', name: 'Open' })).body,
    ).toMatchObject({ room: { name: 'Open' }, receipt: null });
    await as(stranger, `/v1/rooms/${room}`, {}, nodeB());
    expect(
      (await patch(owner, `/v1/rooms/${room}`, { posting: 'moderators' })).body.receipt,
    ).toMatchObject(effective);
    const pending = await as(owner, `/v1/rooms/${room}?wait=false`, {
      method: 'PATCH',
      body: { visibility: 'private' },
    });
    const receipt = await as(owner, `/v1/receipts/${pending.body.receipt.id}`);
    expect(receipt.body.id).toBe(pending.body.receipt.id);
  });

  test('change for owners and tenant admins only', async () => {
    const room = await world.room(owner, {}, [[member, 'moderator']]);
    expect(await codeOf(patch(member, `/v1/rooms/${room}`, { name: 'x' }, 403))).toBe(
      'role_required',
    );
    expect(await codeOf(patch(stranger, `/v1/rooms/${room}`, { name: 'x' }, 404))).toBe(
      'not_found',
    );
    expect((await patch(admin, `/v1/rooms/${room}`, { name: 'By admin' })).body.room).toMatchObject(
      { name: 'By admin', role: 'owner' },
    );
    expect(await codeOf(remove(member, `/v1/rooms/${room}`, 403))).toBe('role_required');
  });

  test('refuse operators', async () => {
    const token = world.operator();
    expect(
      await codeOf(
        call(nodeA(), '/v1/rooms', {
          token,
          body: { name: 'x', visibility: 'public' },
          expect: 403,
        }),
      ),
    ).toBe('role_required');
    expect((await call(nodeA(), '/v1/rooms', { token })).body.items).toEqual([]);
  });
});

describe('direct rooms', () => {
  test('are made once per pair, from either side, and are fixed', async () => {
    const [ann, bob] = (await world.users('ann', 'bob')) as [SignedIn, SignedIn];
    const first = await as(ann, '/v1/rooms', {
      body: { visibility: 'direct', members: [bob.id] },
      expect: 201,
    });
    const again = await as(bob, '/v1/rooms', {
      body: { visibility: 'direct', members: [ann.id] },
      expect: 200,
    });
    expect(again.body.id).toBe(first.body.id);
    expect(again.body).toMatchObject({ role: 'member', members_count: 2 });
    const room = `/v1/rooms/${first.body.id}`;
    for (const refused of [
      as(ann, `${room}/leave`, { body: {}, expect: 403 }),
      as(ann, `${room}/members`, { body: { user: stranger.id, role: 'member' }, expect: 403 }),
      remove(ann, `${room}/members/${bob.id}`, 403),
      remove(ann, `${room}/members/${ann.id}`, 403),
      patch(ann, `${room}/members/${bob.id}`, { banned: true }, 403),
      patch(ann, room, { name: 'x' }, 403),
      remove(ann, room, 403),
    ]) {
      expect(await codeOf(refused)).toBe('role_required');
    }
    for (const outsider of [stranger, admin])
      expect(await codeOf(as(outsider, room, { expect: 404 }))).toBe('not_found');
    await as(ann, `${room}/messages`, { body: { body: 'hello' }, expect: 201 });
  });

  test('are one when both sides ask at once', async () => {
    const [ann, bob] = (await world.users('ann', 'bob')) as [SignedIn, SignedIn];
    const answers = await Promise.all(
      [0, 1, 2, 3, 4, 5].map((i) =>
        as(
          i % 2 === 0 ? ann : bob,
          '/v1/rooms',
          { body: { visibility: 'direct', members: [i % 2 === 0 ? bob.id : ann.id] } },
          i < 3 ? nodeA() : nodeB(),
        ),
      ),
    );
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
  });

  test('are refused with oneself, with two others, and with a user of another tenant', async () => {
    const foreigner = await (await World.create()).user('foreigner');
    expect(
      await codeOf(
        as(owner, '/v1/rooms', {
          body: { visibility: 'direct', members: [owner.id] },
          expect: 422,
        }),
      ),
    ).toBe('invalid_request');
    expect(
      await codeOf(
        as(owner, '/v1/rooms', {
          body: { visibility: 'direct', members: [member.id, stranger.id] },
          expect: 422,
        }),
      ),
    ).toBe('invalid_request');
    expect(
      await codeOf(
        as(owner, '/v1/rooms', {
          body: { visibility: 'direct', members: [foreigner.id] },
          expect: 404,
        }),
      ),
    ).toBe('not_found');
  });
});

describe('members', () => {
  test('join a public room by themselves and a private one by invitation', async () => {
    const open = await world.room(owner, { visibility: 'public' });
    expect(
      (await as(stranger, `/v1/rooms/${open}/join`, { body: {}, expect: 200 })).body,
    ).toMatchObject({ user_id: stranger.id, role: 'member', version: 1 });
    expect((await as(stranger, `/v1/rooms/${open}/join`, { body: {} })).body.version).toBe(1);
    const closed = await world.room(owner);
    expect(await codeOf(as(stranger, `/v1/rooms/${closed}/join`, { body: {}, expect: 404 }))).toBe(
      'not_found',
    );
    const added = await as(owner, `/v1/rooms/${closed}/members`, {
      body: { user: stranger.id, role: 'viewer' },
      expect: 201,
    });
    expect(added.body).toMatchObject({
      member: { user_id: stranger.id, role: 'viewer', banned: false, muted_until: null },
      receipt: null,
    });
    await as(owner, `/v1/rooms/${closed}/members`, {
      body: { user: stranger.id, role: 'viewer' },
      expect: 200,
    });
    expect(
      await codeOf(
        as(owner, `/v1/rooms/${closed}/members`, {
          body: { user: stranger.id, role: 'member' },
          expect: 422,
        }),
      ),
    ).toBe('invalid_request');
    expect((await as(stranger, `/v1/rooms/${closed}`, {}, nodeB())).body.role).toBe('viewer');
  });

  test('that are removed are out everywhere when the receipt is there, and may come back with a later version', async () => {
    const room = await world.room(owner, {}, [[member, 'member']]);
    await as(member, `/v1/rooms/${room}/messages`, { body: { body: 1 } }, nodeB());
    expect((await remove(owner, `/v1/rooms/${room}/members/${member.id}`)).body).toMatchObject(
      effective,
    );
    for (const base of [nodeA(), nodeB()]) {
      expect(await codeOf(as(member, `/v1/rooms/${room}/messages`, { expect: 404 }, base))).toBe(
        'not_found',
      );
      expect(
        await codeOf(
          as(member, `/v1/rooms/${room}/messages`, { body: { body: 2 }, expect: 404 }, base),
        ),
      ).toBe('not_found');
    }
    expect(await codeOf(remove(owner, `/v1/rooms/${room}/members/${member.id}`, 404))).toBe(
      'not_found',
    );
    const back = await as(owner, `/v1/rooms/${room}/members`, {
      body: { user: member.id, role: 'member' },
      expect: 201,
    });
    expect(back.body.member.version).toBe(3);
    expect((await as(member, `/v1/rooms/${room}/messages`, {}, nodeB())).body.items).toHaveLength(
      1,
    );
  });

  test('that are muted read and do not write, until the mute is taken back; leaving does not end it', async () => {
    const room = await world.room(owner, { visibility: 'public' });
    await as(member, `/v1/rooms/${room}/join`, { body: {} });
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const muted = await patch(owner, `/v1/rooms/${room}/members/${member.id}`, {
      muted_until: until,
    });
    expect(muted.body).toMatchObject({ member: { muted_until: until }, receipt: effective });
    expect(
      await codeOf(
        as(member, `/v1/rooms/${room}/messages`, { body: { body: 1 }, expect: 403 }, nodeB()),
      ),
    ).toBe('muted');
    await as(member, `/v1/rooms/${room}/messages`, {}, nodeB());
    await as(member, `/v1/rooms/${room}/leave`, { body: {} });
    await as(member, `/v1/rooms/${room}/join`, { body: {} });
    expect(
      await codeOf(as(member, `/v1/rooms/${room}/messages`, { body: { body: 1 }, expect: 403 })),
    ).toBe('muted');
    expect(
      (await patch(owner, `/v1/rooms/${room}/members/${member.id}`, { muted_until: null })).body,
    ).toMatchObject({
      member: { muted_until: null },
      receipt: null,
    });
    await as(member, `/v1/rooms/${room}/messages`, { body: { body: 1 }, expect: 201 }, nodeB());
  });

  test('that are banned get 404 even in a public room, also as strangers, and read again when the ban is taken back', async () => {
    const room = await world.room(owner, { visibility: 'public' });
    const banned = await patch(owner, `/v1/rooms/${room}/members/${stranger.id}`, { banned: true });
    expect(banned.body).toMatchObject({ member: { role: null, banned: true }, receipt: effective });
    expect(await codeOf(as(stranger, `/v1/rooms/${room}`, { expect: 404 }, nodeB()))).toBe(
      'not_found',
    );
    expect(
      await codeOf(as(stranger, `/v1/rooms/${room}/join`, { body: {}, expect: 404 }, nodeB())),
    ).toBe('not_found');
    expect(
      (await as(stranger, '/v1/rooms?limit=200')).body.items.map((item: { id: string }) => item.id),
    ).not.toContain(room);
    expect(
      await codeOf(
        as(owner, `/v1/rooms/${room}/members`, { body: { user: stranger.id }, expect: 422 }),
      ),
    ).toBe('invalid_request');
    expect((await as(owner, `/v1/rooms/${room}/members`)).body.items).toHaveLength(2);
    expect((await as(member, `/v1/rooms/${room}/members`)).body.items).toHaveLength(1);
    expect(
      (await patch(owner, `/v1/rooms/${room}/members/${stranger.id}`, { banned: false })).body
        .receipt,
    ).toBeNull();
    await as(stranger, `/v1/rooms/${room}`, {}, nodeB());
  });

  test('are moderated by who outranks them', async () => {
    const [moderator, other] = (await world.users('mod', 'other')) as [SignedIn, SignedIn];
    const room = await world.room(owner, {}, [
      [moderator, 'moderator'],
      [other, 'moderator'],
      [member, 'member'],
    ]);
    const path = (user: SignedIn) => `/v1/rooms/${room}/members/${user.id}`;
    expect(await codeOf(patch(moderator, path(other), { banned: true }, 403))).toBe(
      'role_required',
    );
    expect(await codeOf(patch(moderator, path(owner), { banned: true }, 403))).toBe(
      'role_required',
    );
    expect(await codeOf(patch(moderator, path(admin), { banned: true }, 403))).toBe(
      'role_required',
    );
    expect(await codeOf(patch(moderator, path(member), { role: 'viewer' }, 403))).toBe(
      'role_required',
    );
    expect(
      await codeOf(
        as(moderator, `/v1/rooms/${room}/members`, {
          body: { user: stranger.id, role: 'moderator' },
          expect: 403,
        }),
      ),
    ).toBe('role_required');
    expect(await codeOf(patch(member, path(moderator), { banned: true }, 403))).toBe(
      'role_required',
    );
    await as(moderator, `/v1/rooms/${room}/members`, {
      body: { user: stranger.id, role: 'viewer' },
      expect: 201,
    });
    expect((await remove(moderator, path(member))).body.effective).toBe(true);
    expect((await patch(owner, path(other), { role: 'member' })).body).toMatchObject({
      member: { role: 'member' },
      receipt: effective,
    });
    expect((await patch(owner, path(other), { role: 'owner' })).body).toMatchObject({
      member: { role: 'owner' },
      receipt: null,
    });
    expect((await patch(owner, path(other), { role: 'owner' })).body).toMatchObject({
      receipt: null,
    });
  });

  test('keep an owner: the last one cannot leave, be demoted, removed or banned, and two cannot leave at once', async () => {
    const room = await world.room(owner, {}, [[member, 'member']]);
    const [me, them] = [
      `/v1/rooms/${room}/members/${owner.id}`,
      `/v1/rooms/${room}/members/${member.id}`,
    ];
    for (const refused of [
      as(owner, `/v1/rooms/${room}/leave`, { body: {}, expect: 409 }),
      patch(owner, me, { role: 'member' }, 409),
      patch(admin, me, { banned: true }, 409),
      remove(admin, me, 409),
    ]) {
      expect(await codeOf(refused)).toBe('last_owner');
    }
    await patch(owner, them, { role: 'owner' });
    const left = await Promise.allSettled([
      as(owner, `/v1/rooms/${room}/leave`, { body: {}, expect: 200 }),
      as(member, `/v1/rooms/${room}/leave`, { body: {}, expect: 200 }, nodeB()),
    ]);
    expect(left.map((answer) => answer.status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('of another tenant cannot be added', async () => {
    const foreigner = await (await World.create()).user('foreigner');
    const room = await world.room(owner);
    expect(
      await codeOf(
        as(owner, `/v1/rooms/${room}/members`, {
          body: { user: foreigner.id, role: 'member' },
          expect: 404,
        }),
      ),
    ).toBe('not_found');
    expect(
      await codeOf(
        patch(owner, `/v1/rooms/${room}/members/${foreigner.id}`, { banned: true }, 404),
      ),
    ).toBe('not_found');
  });

  test('without a membership cannot leave', async () => {
    const room = await world.room(owner, { visibility: 'public' });
    expect(await codeOf(as(stranger, `/v1/rooms/${room}/leave`, { body: {}, expect: 403 }))).toBe(
      'not_a_member',
    );
    expect(await codeOf(as(admin, `/v1/rooms/${room}/leave`, { body: {}, expect: 403 }))).toBe(
      'not_a_member',
    );
  });
});

describe('guests', () => {
  test('read public rooms and change nothing', async () => {
    const { body: guest } = await call(nodeA(), '/v1/auth/guest', {
      body: { tenant: world.tenant.slug },
    });
    const token = guest.access_token as string;
    const room = await world.room(owner, { visibility: 'public' });
    const hidden = await world.room(owner);
    expect((await call(nodeA(), `/v1/rooms/${room}`, { token })).body).toMatchObject({
      role: null,
      can: ['read', 'presence'],
    });
    expect(await codeOf(call(nodeA(), `/v1/rooms/${hidden}`, { token, expect: 404 }))).toBe(
      'not_found',
    );
    for (const [path, body] of [
      ['/v1/rooms', { name: 'x', visibility: 'public' }],
      [`/v1/rooms/${room}/join`, {}],
      [`/v1/rooms/${room}/leave`, {}],
      [`/v1/rooms/${room}/messages`, { body: 1 }],
    ] as const) {
      const { body: refusal } = await call(nodeA(), path, { token, body, expect: 403 });
      expect(refusal).toMatchObject({ code: 'guest_read_only', decision_id: expect.any(String) });
    }
  });
});

describe('messages', () => {
  test('are published once per Idempotency-Key and read in pages', async () => {
    const room = await world.room(owner, {}, [[member, 'viewer']]);
    const publish = (body: unknown, key?: string, expect?: number) =>
      as(owner, `/v1/rooms/${room}/messages`, {
        body: { body },
        ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
        ...(expect === undefined ? {} : { expect }),
      });
    const first = await publish({ text: 'one' }, 'op-1', 201);
    expect(first.body).toMatchObject({ room, op_id: 'op-1', seq: 1, duplicate: false });
    expect((await publish({ text: 'one' }, 'op-1', 200)).body).toMatchObject({
      message_id: first.body.message_id,
      seq: 1,
      duplicate: true,
    });
    expect(await codeOf(publish({ text: 'other' }, 'op-1', 409))).toBe('op_conflict');
    await publish('two');
    await publish(null);
    const page = await as(member, `/v1/rooms/${room}/messages?limit=2`);
    expect(page.body.items.map((item: { seq: number }) => item.seq)).toEqual([3, 2]);
    expect(
      (await as(member, `/v1/rooms/${room}/messages?limit=2&cursor=${page.body.next_cursor}`)).body
        .items,
    ).toMatchObject([{ seq: 1, body: { text: 'one' } }]);
    expect(
      (await as(member, `/v1/rooms/${room}/messages?after=1`)).body.items.map(
        (item: { seq: number }) => item.seq,
      ),
    ).toEqual([2, 3]);
    expect(
      await codeOf(as(member, `/v1/rooms/${room}/messages`, { body: { body: 1 }, expect: 403 })),
    ).toBe('read_only');
  });

  test('are edited by their author and deleted by author or moderators', async () => {
    const room = await world.room(owner, {}, [[member, 'member']]);
    const { body: message } = await as(member, `/v1/rooms/${room}/messages`, {
      body: { body: 'a' },
    });
    const path = `/v1/rooms/${room}/messages/${message.message_id}`;
    expect((await patch(member, path, { body: 'b' })).body).toMatchObject({
      room,
      message_id: message.message_id,
      seq: 2,
    });
    expect(await codeOf(patch(owner, path, { body: 'c' }, 403))).toBe('role_required');
    expect((await remove(owner, path)).body).toMatchObject({ seq: 3 });
    expect((await as(member, `/v1/rooms/${room}/messages`)).body.items[0]).toMatchObject({
      body: null,
      deleted_at: expect.any(String),
    });
    expect(await codeOf(remove(owner, `/v1/rooms/${room}/messages/${room}`, 404))).toBe(
      'not_found',
    );
  });

  test.each([
    ['a body that is too big', JSON.stringify({ body: 'x'.repeat(33_000) }), 413, 'too_big'],
    [
      'a body nested too deep',
      `{"body":${'['.repeat(40)}${']'.repeat(40)}}`,
      422,
      'invalid_request',
    ],
    [
      'a body nested as deep as the request allows',
      `{"body":${'['.repeat(90_000)}${']'.repeat(90_000)}}`,
      422,
      'invalid_request',
    ],
    ['NUL deep inside a body', '{"body":{"a":["\\u0000"]}}', 422, 'invalid_request'],
    ['a lone surrogate in a key', '{"body":{"\\udc00":1}}', 422, 'invalid_request'],
    ['no body', '{}', 422, 'invalid_request'],
    ['broken JSON', '{', 400, 'invalid_request'],
  ])('refuse %s', async (_, body, status, code) => {
    const room = await world.room(owner);
    expect(await codeOf(as(owner, `/v1/rooms/${room}/messages`, { body, expect: status }))).toBe(
      code,
    );
  });
});
