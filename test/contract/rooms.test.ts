/** Rooms over REST, against the rights table of the contract (section 2). */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { World, call, nodeA, nodeB, unique } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { as, patch, remove, codeOf, effective, roomPeople } from './room-people.js';

let world: World;
let owner: SignedIn;
let member: SignedIn;
let stranger: SignedIn;
let admin: SignedIn;

beforeAll(async () => {
  ({ world, owner, member, stranger, admin } = await roomPeople());
});

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
    ['a name that nobody sees', { name: '\u200b\u202e', visibility: 'public' }],
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
