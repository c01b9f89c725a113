/**
 * `watch`: a connection is told of every room of its user, subscribed or not, on whichever node
 * something happens (contract section 8).
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { live } from '../../protocol/harness.js';
import { World, call, nodeA, nodeB, wsUrl } from '../../support/world.js';
import type { SignedIn } from '../../support/world.js';
import { activityOf, changeOf, say, watching } from './watching.js';

let world: World;
let ada: SignedIn;
let ben: SignedIn;

beforeAll(async () => {
  world = await World.create({ tenant: { allow_guests: true } });
  [ada, ben] = (await world.users('ada', 'ben')) as [SignedIn, SignedIn];
});

const shared = () => world.room(ada, {}, [[ben, 'member']]);

describe('activity', () => {
  test.each([
    ['the same node', nodeA()],
    ['the other node', nodeB()],
  ])('of an unsubscribed room reaches a watcher on %s', async (_, base) => {
    const room = await shared();
    const client = await watching(base, ben);
    const sent = await say(ada, room);
    expect(await client.next(activityOf(room, 1))).toEqual({
      type: 'activity',
      room,
      n: 1,
      seq: sent.seq,
      sender: ada.id,
      unread: 1,
      mentions: 0,
      at: sent.at,
    });
    expect(client.of('message')).toEqual([]);
  });

  test('of a subscribed room comes beside its messages', async () => {
    const room = await shared();
    const client = await watching(nodeB(), ben);
    await client.subscribe(room);
    await say(ada, room);
    await client.next('message', undefined, 0);
    expect(await client.next(activityOf(room, 1), undefined, 0)).toMatchObject({ unread: 1 });
  });

  test('of many messages comes once a second, the last one always', async () => {
    const room = await shared();
    const client = await watching(nodeB(), ben);
    const beganMs = performance.now();
    for (let i = 0; i < 40; i += 1) await say(ada, room);
    const last = await client.next(activityOf(room, 40));
    const seconds = (performance.now() - beganMs) / 1_000;
    expect(last).toMatchObject({ unread: 40 });
    expect(client.of('activity').length).toBeLessThanOrEqual(Math.floor(seconds) + 1);
  });

  test('counts mentions of the user and of the room, and forgets those of deleted messages', async () => {
    const room = await shared();
    const client = await watching(nodeB(), ben);
    const first = await say(ada, room, { mentions: [ben.id] });
    await say(ada, room, { mentions: 'room' });
    await say(ada, room, { mentions: [ada.id] });
    expect(await client.next(activityOf(room, 3))).toMatchObject({ unread: 3, mentions: 2 });
    await call(nodeA(), `/v1/rooms/${room}/messages/${first.message_id}`, {
      method: 'DELETE',
      token: ada.token,
    });
    expect(
      await client.next((frame) => activityOf(room, 3)(frame) && frame.mentions === 1),
    ).toMatchObject({ unread: 3 });
  });

  test('after a publish of their own shows a user nothing unread', async () => {
    const room = await shared();
    const client = await watching(nodeB(), ben);
    await say(ada, room);
    await say(ben, room);
    expect(await client.next(activityOf(room, 2))).toMatchObject({ unread: 0, sender: ben.id });
  });
});

describe('a read marker', () => {
  test.each([
    ['the same node', nodeA()],
    ['the other node', nodeB()],
  ])('reaches the own other devices on %s, with the counts after it', async (_, base) => {
    const room = await shared();
    const { seq } = await say(ada, room, { mentions: [ben.id] });
    const [reader, other, stranger] = await Promise.all([
      watching(nodeA(), ben),
      watching(base, ben),
      watching(base, ada),
    ]);
    await reader!.ask({ type: 'read', room, seq });
    expect(await other!.next('read')).toEqual({ type: 'read', room, sender: ben.id, seq });
    for (const device of [reader!, other!])
      expect(await device.next(activityOf(room, 1))).toMatchObject({ unread: 0, mentions: 0 });
    expect(reader!.of('read')).toEqual([]);
    await stranger!.settled();
    expect(stranger!.of('read')).toEqual([]);
  });

  test('comes once to a device that is subscribed, too', async () => {
    const room = await shared();
    const { seq } = await say(ada, room);
    const reader = await watching(nodeA(), ben);
    const other = await watching(nodeB(), ben);
    await other.subscribe(room);
    await reader.ask({ type: 'read', room, seq });
    await other.next(activityOf(room, 1));
    expect(other.of('read')).toHaveLength(1);
  });
});

describe('the frame', () => {
  test('is answered with the number of rooms, twice with the same and without doubling anything', async () => {
    const user = await world.user('cleo');
    const rooms = [await world.room(user), await world.room(user)];
    const client = await live(wsUrl(nodeB()), user.token);
    for (let i = 0; i < 2; i += 1)
      expect(await client.ask({ type: 'watch' })).toMatchObject({ type: 'watching', rooms: 2 });
    await say(user, rooms[0]!);
    await client.next(activityOf(rooms[0]!, 1));
    await say(user, rooms[1]!);
    await client.next(activityOf(rooms[1]!, 1));
    expect(client.of('activity')).toHaveLength(2);
  });

  test('of a guest is answered with no rooms, and a public room tells it nothing', async () => {
    const { body } = await call(nodeA(), '/v1/auth/guest', { body: { tenant: world.tenant.slug } });
    const room = await world.room(ada, { visibility: 'public' }, [[ben, 'member']]);
    const client = await live(wsUrl(nodeA()), body.access_token);
    expect(await client.ask({ type: 'watch' })).toMatchObject({ type: 'watching', rooms: 0 });
    const member = await watching(nodeA(), ben);
    await say(ada, room);
    await member.next(activityOf(room, 1));
    await client.settled();
    expect(client.of('activity')).toEqual([]);
  });

  test.each([{ rooms: [] }, { room: 'x' }])('with %o is invalid_frame', async (fields) => {
    const client = await live(wsUrl(nodeA()), ben.token);
    expect(await client.ask({ type: 'watch', ...fields })).toMatchObject({
      type: 'error',
      code: 'invalid_frame',
    });
  });
});

test('a client that connects again, watches and reads the list has every count: no gap', async () => {
  const room = await shared();
  const first = await watching(nodeB(), ben);
  await say(ada, room);
  await first.next(activityOf(room, 1));
  first.ws.terminate();
  await say(ada, room, { mentions: [ben.id] });
  const again = await live(wsUrl(nodeA()), ben.token);
  const saying = Promise.all([1, 2, 3].map(() => say(ada, room, {}, nodeB())));
  await again.ask({ type: 'watch' });
  const { body } = await call(nodeA(), '/v1/me/rooms', { token: ben.token });
  const read = body.items.find((item: any) => item.room.id === room);
  await saying;
  if (read.last_n < 5) await again.next(activityOf(room, 5), undefined, 0);
  const told = again.of('activity').filter((frame) => frame.room === room);
  const known = [{ n: read.last_n, unread: read.unread, mentions: read.mentions }, ...told].at(-1);
  expect(known).toMatchObject({ n: 5, unread: 5, mentions: 1 });
});

test('a room of one user with a new name is `updated`, and the next second brings the last name only', async () => {
  const room = await shared();
  const client = await watching(nodeB(), ben);
  const rename = (name: string) =>
    call(nodeA(), `/v1/rooms/${room}`, { method: 'PATCH', token: ada.token, body: { name } });
  await rename('one');
  await client.next(changeOf(room, 'updated'));
  for (const name of ['two', 'three', 'four']) await rename(name);
  await client.next(changeOf(room, 'updated'));
  await client.settled();
  expect(client.of('rooms_changed').length).toBeLessThanOrEqual(3);
  expect((await call(nodeB(), `/v1/rooms/${room}`, { token: ben.token })).body.name).toBe('four');
});
