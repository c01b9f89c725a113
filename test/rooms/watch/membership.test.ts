/**
 * `rooms_changed` and `member`: additions, removals, roles and names; whoever is removed is told
 * nothing of the room from the receipt on (contract section 8).
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { live } from '../../protocol/harness.js';
import { World, call, nodeA, nodeB, wsUrl } from '../../support/world.js';
import type { SignedIn } from '../../support/world.js';
import { about, activityOf, changeOf, say, watching } from './watching.js';

let world: World;
let ada: SignedIn;
let ben: SignedIn;
let cleo: SignedIn;

beforeAll(async () => {
  world = await World.create();
  [ada, ben, cleo] = (await world.users('ada', 'ben', 'cleo')) as [SignedIn, SignedIn, SignedIn];
});

const members = (room: string) => `/v1/rooms/${room}/members`;
const change = (room: string, user: SignedIn, body: object) =>
  call(nodeA(), `${members(room)}/${user.id}`, { method: 'PATCH', token: ada.token, body });
const remove = (room: string, user: SignedIn) =>
  call(nodeA(), `${members(room)}/${user.id}`, { method: 'DELETE', token: ada.token });
const add = (room: string, user: SignedIn) =>
  call(nodeA(), members(room), { token: ada.token, body: { user: user.id, role: 'member' } });

describe('rooms_changed', () => {
  test('an invitation is told at once, and the activity of the room from then on', async () => {
    const room = await world.room(ada);
    const client = await watching(nodeB(), ben);
    await add(room, ben);
    await client.next(changeOf(room, 'added'));
    await say(ada, room);
    expect(await client.next(activityOf(room, 1))).toMatchObject({ unread: 1 });
  });

  test('a direct room is told to both users, a new room to the other devices of its creator', async () => {
    const [mine, theirs] = [await watching(nodeB(), ada), await watching(nodeB(), cleo)];
    const { body } = await call(nodeA(), '/v1/rooms', {
      token: ada.token,
      body: { visibility: 'direct', members: [cleo.id] },
    });
    await mine.next(changeOf(body.id, 'added'));
    await theirs.next(changeOf(body.id, 'added'));
    const own = await world.room(ada);
    await mine.next(changeOf(own, 'added'));
    await theirs.settled();
    expect(about(theirs, own)).toEqual([]);
  });

  test('another role is told to its holder, settings and the end of a room to all', async () => {
    const room = await world.room(ada, {}, [[ben, 'member']]);
    const client = await watching(nodeB(), ben);
    await change(room, ben, { role: 'moderator' });
    await client.next(changeOf(room, 'role'));
    await call(nodeA(), `/v1/rooms/${room}`, {
      method: 'PATCH',
      token: ada.token,
      body: { topic: 'new' },
    });
    await client.next(changeOf(room, 'updated'));
    await call(nodeA(), `/v1/rooms/${room}`, { method: 'DELETE', token: ada.token });
    await client.next(changeOf(room, 'removed'));
    expect(about(client, room).map((frame) => frame.change)).toEqual([
      'role',
      'updated',
      'removed',
    ]);
  });
});

test('a favourite and notifications are told to the devices of their user, and to nobody else', async () => {
  const room = await world.room(ada, {}, [[ben, 'member']]);
  const devices = [await watching(nodeA(), ben), await watching(nodeB(), ben)];
  const other = await watching(nodeB(), ada);
  for (const patch of [{ favourite: true }, { notify: 'mentions' }]) {
    const told = devices.map((client) => client.next(changeOf(room, 'updated')));
    const { body } = await call(nodeA(), `/v1/me/rooms/${room}`, {
      method: 'PATCH',
      token: ben.token,
      body: patch,
    });
    expect(body).toMatchObject(patch);
    await Promise.all(told);
  }
  await other.settled();
  expect(about(other, room)).toEqual([]);
});

describe('from the receipt on', () => {
  const losses: [string, (room: string) => Promise<unknown>][] = [
    ['removed', (room) => remove(room, ben)],
    ['banned', (room) => change(room, ben, { banned: true })],
  ];
  test.each(losses)('a %s member is told nothing, on either node', async (_, lose) => {
    const room = await world.room(ada, { visibility: 'public' }, [[ben, 'member']]);
    const other = await world.room(ada, {}, [[ben, 'member']]);
    const clients = [await watching(nodeA(), ben), await watching(nodeB(), ben)];
    // Something is always on its way.
    let over = false;
    const talking = (async () => {
      while (!over) await say(ada, room, { mentions: 'room' }, nodeB());
    })();
    for (const client of clients) await client.next((frame) => frame.type === 'activity');
    await lose(room);
    const received = clients.map((client) => about(client, room).length);
    for (let i = 0; i < 5; i += 1) await say(ada, room);
    over = true;
    await talking;
    await say(ada, other);
    for (const [i, client] of clients.entries()) {
      await client.next(activityOf(other, 1), undefined, 0);
      const frames = about(client, room);
      const end = frames.findIndex(changeOf(room, 'removed'));
      expect(end).toBeGreaterThan(0);
      // Nothing stands behind the removal, which was told before the receipt.
      expect(frames.slice(end + 1)).toEqual([]);
      expect(frames.length - received[i]!).toBeLessThanOrEqual(1);
    }
  });

  test('a member who returns is told again', async () => {
    const room = await world.room(ada, {}, [[ben, 'member']]);
    const client = await watching(nodeB(), ben);
    await remove(room, ben);
    await client.next(changeOf(room, 'removed'));
    await say(ada, room);
    await add(room, ben);
    await client.next(changeOf(room, 'added'));
    await say(ada, room);
    expect(await client.next(activityOf(room, 2))).toMatchObject({ unread: 1 });
  });
});

describe('member frames', () => {
  const from = async (base: string, room: string, user: SignedIn) => {
    const client = await live(wsUrl(base), user.token);
    await client.subscribe(room);
    return client;
  };

  test('tell subscribers on both nodes who joins, has another role and leaves', async () => {
    const room = await world.room(ada, { visibility: 'public' }, [[ben, 'member']]);
    const clients = [await from(nodeA(), room, ada), await from(nodeB(), room, ben)];
    await call(nodeB(), `/v1/rooms/${room}/join`, { token: cleo.token, body: {} });
    await change(room, cleo, { role: 'moderator' });
    await change(room, cleo, { muted_until: new Date(Date.now() + 60_000).toISOString() });
    await remove(room, cleo);
    const frame = { type: 'member', room, user: cleo.id };
    for (const client of clients) {
      await client.next((one) => one.type === 'member' && one.change === 'left');
      expect(client.of('member')).toEqual([
        { ...frame, change: 'joined', role: 'member' },
        { ...frame, change: 'role', role: 'moderator' },
        { ...frame, change: 'left', role: null },
      ]);
    }
  });

  test('a ban looks like a leave, and the banned user is not told it', async () => {
    const room = await world.room(ada, { visibility: 'public' }, [
      [ben, 'member'],
      [cleo, 'member'],
    ]);
    const staying = await from(nodeB(), room, cleo);
    const banned = await from(nodeB(), room, ben);
    await change(room, ben, { banned: true });
    expect(await staying.next('member')).toMatchObject({
      user: ben.id,
      change: 'left',
      role: null,
    });
    await banned.next('unsubscribed');
    await banned.settled();
    expect(banned.of('member')).toEqual([]);
  });

  const renames: [string, (user: SignedIn) => Promise<unknown>][] = [
    [
      'an operator',
      (user) =>
        call(nodeA(), `/v1/admin/users/${user.id}`, {
          method: 'PATCH',
          token: world.operator(),
          body: { name: 'Daniel' },
        }),
    ],
    [
      'themselves',
      ({ token }) => call(nodeA(), '/v1/me', { method: 'PATCH', token, body: { name: 'Daniel' } }),
    ],
  ];
  test.each(renames)(
    'a name of a user, changed by %s, is told in their rooms, and to direct rooms',
    async (_, rename) => {
      const user = await world.user('dan');
      const room = await world.room(ada, {}, [[user, 'viewer']]);
      const { body: direct } = await call(nodeA(), '/v1/rooms', {
        token: ada.token,
        body: { visibility: 'direct', members: [user.id] },
      });
      const client = await from(nodeB(), room, ada);
      await client.ask({ type: 'watch' });
      await rename(user);
      expect(await client.next('member', undefined, 0)).toEqual({
        type: 'member',
        room,
        user: user.id,
        change: 'renamed',
        role: 'viewer',
        name: 'Daniel',
      });
      await client.next(changeOf(direct.id, 'updated'), undefined, 0);
      expect(client.of('access')).toEqual([]);
    },
  );
});
