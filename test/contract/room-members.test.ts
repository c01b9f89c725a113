/** Members and guests of rooms over REST, against the rights table of the contract (section 2). */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { World, call, nodeA, nodeB } from '../support/world.js';
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
