/** Replies and mentions stay in their room; others are refused, and nothing is stored. */
import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from '@jest/globals';
import { RawClient } from '../support/raw-client.js';
import { World, call, nodeA, nodeB, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

let world: World;
let owner: SignedIn;
let ben: SignedIn;
let stranger: SignedIn;
let room: string;
let other: string;

beforeAll(async () => {
  world = await World.create();
  [owner, ben, stranger] = (await world.users('owner', 'ben', 'stranger')) as [
    SignedIn,
    SignedIn,
    SignedIn,
  ];
  [room, other] = [await world.room(owner, {}, [[ben, 'member']]), await world.room(owner)];
});

const publish = (user: SignedIn, at: string, message: object, expect?: number) =>
  call(nodeA(), `/v1/rooms/${at}/messages`, {
    token: user.token,
    body: { body: 'x', ...message },
    ...(expect === undefined ? {} : { expect }),
  });
const messagesOf = async (at: string) =>
  (await call(nodeA(), `/v1/rooms/${at}/messages`, { token: owner.token })).body.items;

test('a reply and its mentions reach subscribers on the other node, replays and the history', async () => {
  const client = await RawClient.live(wsUrl(nodeB()), ben.token);
  await client.subscribe(room);
  const first = await publish(owner, room, {});
  const references = { reply_to: first.body.message_id, mentions: [ben.id] };
  await publish(owner, room, references);
  const live = await client.next((frame) => frame.type === 'message' && frame.n === 2);
  expect(live).toMatchObject(references);
  expect((await messagesOf(room))[0]).toMatchObject(references);
  expect((await messagesOf(room))[1]).toMatchObject({ reply_to: null, mentions: null });
  client.close();
});

test('everybody is mentioned by a moderator, and by nobody below', async () => {
  await publish(owner, room, { mentions: 'room' });
  const { body } = await publish(ben, room, { mentions: 'room' }, 403);
  expect(body.code).toBe('role_required');
});

test.each<[string, () => Promise<object> | object, number, string]>([
  [
    'a reply to a message of another room',
    async () => ({ reply_to: (await publish(owner, other, {})).body.message_id }),
    404,
    'not_found',
  ],
  ['a reply to no message', () => ({ reply_to: randomUUID() }), 404, 'not_found'],
  ['a mention of a user who is no member', () => ({ mentions: [stranger.id] }), 404, 'not_found'],
  ['a mention of nobody', () => ({ mentions: [] }), 422, 'invalid_request'],
  [
    'a mention of 51 users',
    () => ({ mentions: Array.from({ length: 51 }, () => randomUUID()) }),
    422,
    'invalid_request',
  ],
  [
    'a mention of 10,000 users',
    () => ({ mentions: Array.from({ length: 10_000 }, () => randomUUID()) }),
    413,
    'too_big',
  ],
])('%s is refused and nothing is stored', async (_what, message, status, code) => {
  const before = (await messagesOf(room)).length;
  const { body } = await publish(owner, room, await message(), status);
  expect(body.code).toBe(code);
  expect(await messagesOf(room)).toHaveLength(before);
});

test('the same op_id with another reply is a conflict; with the same it is the same message', async () => {
  const [first] = await messagesOf(room);
  const send = (message: object, expect: number) =>
    call(nodeA(), `/v1/rooms/${room}/messages`, {
      token: owner.token,
      headers: { 'idempotency-key': 'reply-once' },
      body: { body: 'x', ...message },
      expect,
    });
  const made = await send({ reply_to: first.message_id, mentions: [ben.id, owner.id] }, 201);
  const again = await send({ reply_to: first.message_id, mentions: [owner.id, ben.id] }, 200);
  expect(again.body).toMatchObject({ message_id: made.body.message_id, duplicate: true });
  expect((await send({}, 409)).body.code).toBe('op_conflict');
});
