/** `GET /v1/me/rooms`: what a list of one's rooms needs, in one call (contract section 8). */
import { beforeAll, expect, test } from '@jest/globals';
import { World, call, nodeA, nodeB } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

let world: World;
let ada: SignedIn;
let ben: SignedIn;

beforeAll(async () => {
  world = await World.create();
  [ada, ben] = (await world.users('ada', 'ben')) as [SignedIn, SignedIn];
});

const list = async (user: SignedIn, query = '', base = nodeA()) =>
  (await call(base, `/v1/me/rooms${query}`, { token: user.token })).body;
const publish = (user: SignedIn, room: string, body: unknown) =>
  call(nodeA(), `/v1/rooms/${room}/messages`, { token: user.token, body: { body } });
const idsOf = ({ items }: { items: { room: { id: string } }[] }) =>
  items.map(({ room }) => room.id);

test('rooms come newest activity first, page by page, each once', async () => {
  const rooms: string[] = [];
  for (let i = 0; i < 5; i += 1) rooms.push(await world.room(ben));
  for (const i of [3, 0, 4, 1, 2]) await publish(ben, rooms[i]!, `hello ${i}`);
  const newestFirst = [2, 1, 4, 0, 3].map((i) => rooms[i]);
  expect(idsOf(await list(ben))).toEqual(newestFirst);
  const pages: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: { items: { room: { id: string } }[]; next_cursor: string | null } = await list(
      ben,
      `?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
      nodeB(),
    );
    pages.push(...idsOf(page));
    cursor = page.next_cursor;
  }
  expect(pages).toEqual(newestFirst);
});

test('a direct room names the other user, and each room its last message and its counts', async () => {
  const { body: direct } = await call(nodeA(), '/v1/rooms', {
    token: ada.token,
    body: { visibility: 'direct', members: [ben.id] },
  });
  expect((await list(ben)).items[0]).toMatchObject({
    room: { id: direct.id },
    last_message: null,
    unread: 0,
    peer: { id: ada.id },
  });
  const { body: sent } = await publish(ada, direct.id, { text: 'good morning', mood: 1 });
  const [item] = (await list(ben)).items;
  expect(item).toMatchObject({
    last_n: 1,
    read_n: 0,
    unread: 1,
    mentions: 0,
    favourite: false,
    notify: 'all',
    peer: { id: ada.id },
    last_message: {
      message_id: sent.message_id,
      n: 1,
      sender: ada.id,
      body: { text: 'good morning', mood: 1 },
      text: 'good morning',
    },
  });
  expect((await list(ada)).items[0]).toMatchObject({ unread: 0, peer: { id: ben.id } });
});

test('of a long message only its beginning is shown, of a deleted one nothing', async () => {
  const room = await world.room(ada);
  const { body: sent } = await publish(ada, room, 'long '.repeat(1_000));
  const [long] = (await list(ada)).items;
  expect(long.last_message).toMatchObject({ body: null, text: 'long '.repeat(40) });
  await call(nodeA(), `/v1/rooms/${room}/messages/${sent.message_id}`, {
    method: 'DELETE',
    token: ada.token,
  });
  const [gone] = (await list(ada)).items;
  expect(gone.last_message).toMatchObject({
    body: null,
    text: null,
    deleted_at: expect.any(String),
  });
});

test('favourite and notifications are the own ones, and survive the other node', async () => {
  const room = await world.room(ada, {}, [[ben, 'member']]);
  const { body } = await call(nodeA(), `/v1/me/rooms/${room}`, {
    method: 'PATCH',
    token: ben.token,
    body: { favourite: true, notify: 'mentions' },
  });
  expect(body).toMatchObject({ room: { id: room }, favourite: true, notify: 'mentions' });
  expect((await list(ben, '', nodeB())).items[0]).toMatchObject({
    favourite: true,
    notify: 'mentions',
  });
  expect((await list(ada)).items[0]).toMatchObject({ favourite: false, notify: 'all' });
});

test('a removed member finds the room in no list, and changes nothing of it', async () => {
  const room = await world.room(ada, { visibility: 'public' }, [[ben, 'member']]);
  await call(nodeA(), `/v1/rooms/${room}/members/${ben.id}`, {
    method: 'DELETE',
    token: ada.token,
  });
  for (const base of [nodeA(), nodeB()])
    expect(idsOf(await list(ben, '', base))).not.toContain(room);
  const { body } = await call(nodeB(), `/v1/me/rooms/${room}`, {
    method: 'PATCH',
    token: ben.token,
    body: { favourite: true },
    expect: 403,
  });
  expect(body.code).toBe('not_a_member');
});

test.each(['?cursor=nonsense', '?cursor=1_2', '?limit=0', '?what=1'])(
  '%s is refused with invalid_request',
  async (query) => {
    const { body } = await call(nodeA(), `/v1/me/rooms${query}`, {
      token: ada.token,
      expect: 422,
    });
    expect(body.code).toBe('invalid_request');
  },
);
