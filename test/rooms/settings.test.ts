/** Topic, description, archive and kind rules of a room (contract section 8). */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { RawClient } from '../support/raw-client.js';
import { World, call, nodeA, nodeB, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

let world: World;
let owner: SignedIn;
let ben: SignedIn;

beforeAll(async () => {
  world = await World.create();
  [owner, ben] = (await world.users('owner', 'ben')) as [SignedIn, SignedIn];
});

const patch = (room: string, body: object, user = owner, expect?: number) =>
  call(nodeA(), `/v1/rooms/${room}`, {
    method: 'PATCH',
    token: user.token,
    body,
    ...(expect === undefined ? {} : { expect }),
  });
const withBen = () => world.room(owner, {}, [[ben, 'member']]);

test('topic and description are set by the owner, seen by members, and taken away with null', async () => {
  const room = await withBen();
  await patch(room, { topic: 'Plans', description: 'What we do\nand when' });
  const seen = await call(nodeB(), `/v1/rooms/${room}`, { token: ben.token });
  expect(seen.body).toMatchObject({ topic: 'Plans', description: 'What we do\nand when' });
  expect((await patch(room, { topic: null })).body).toMatchObject({
    room: { topic: null, description: 'What we do\nand when' },
    receipt: null,
  });
  expect((await patch(room, { topic: 'mine' }, ben, 403)).body.code).toBe('role_required');
});

test.each([
  ['a topic of 251 characters', { topic: 'x'.repeat(251) }],
  ['a description of 4,001 characters', { description: 'x'.repeat(4_001) }],
  ['a rule for kinds of the server', { kinds: { 'system.news': 'owner' } }],
  ['a rule for an unknown role', { kinds: { news: 'king' } }],
  ['a rule for __proto__', { kinds: { ['__proto__']: 'owner' } }],
  [
    '21 rules',
    { kinds: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`k${i}`, 'owner'])) },
  ],
])('%s is refused with invalid_request', async (_what, body) => {
  const room = await withBen();
  expect((await patch(room, body, owner, 422)).body.code).toBe('invalid_request');
});

describe('an archived room', () => {
  test('is read by its members and written by nobody, from the receipt on, until it is back', async () => {
    const room = await withBen();
    const client = await RawClient.live(wsUrl(nodeB()), ben.token);
    await client.subscribe(room);
    const { message_id } = await client.publish(room, 'before');
    const { body } = await patch(room, { archived: true });
    expect(body).toMatchObject({ room: { archived: true }, receipt: { effective: true } });
    const writes = [
      { type: 'publish', op_id: 'after', body: 'x' },
      { type: 'edit', message_id, body: 'x' },
      { type: 'delete', message_id },
      { type: 'react', message_id, emoji: 'e', on: true },
      { type: 'signal', kind: 'k', body: 'x' },
    ];
    for (const write of writes)
      expect([write.type, (await client.ask({ ...write, room })).code]).toEqual([
        write.type,
        'read_only',
      ]);
    const history = await call(nodeB(), `/v1/rooms/${room}/messages`, { token: ben.token });
    expect(history.body.items).toHaveLength(1);
    await patch(room, { archived: false });
    expect((await client.publish(room, 'again')).type).toBe('ack');
    client.close();
  });

  test('tells subscribers what they may still do', async () => {
    const room = await withBen();
    const client = await RawClient.live(wsUrl(nodeB()), ben.token);
    await client.subscribe(room);
    await patch(room, { archived: true });
    const { can } = await client.next('access');
    expect(can).toEqual(['read', 'presence']);
    client.close();
  });
});

describe('a kind rule', () => {
  test('keeps kinds with its prefix for a role, in publishes and signals; the longest prefix counts', async () => {
    const room = await withBen();
    const client = await RawClient.live(wsUrl(nodeB()), ben.token);
    await client.subscribe(room);
    const { body } = await patch(room, { kinds: { news: 'moderator', 'news.small': 'member' } });
    expect(body.room.kinds).toEqual({ news: 'moderator', 'news.small': 'member' });
    const publish = async (kind: string) =>
      client.ask({ type: 'publish', room, op_id: kind, kind, body: 'x' });
    const signal = async (kind: string) => client.ask({ type: 'signal', room, kind, body: 'x' });
    for (const send of [publish, signal]) {
      expect((await send('news.big')).code).toBe('kind_refused');
      expect((await send('news.small.local')).type).toBe('ack');
      expect((await send('text')).type).toBe('ack');
    }
    const { body: told } = await call(nodeA(), `/v1/rooms/${room}/messages`, {
      token: owner.token,
      body: { kind: 'news.big', body: 'x' },
    });
    expect(told.seq).toBeGreaterThan(0);
    client.close();
  });

  test('that is new refuses what was decided before it: nothing is stored after its receipt', async () => {
    const room = await withBen();
    const client = await RawClient.live(wsUrl(nodeB()), ben.token);
    let refused = false;
    const sending = (async () => {
      for (let i = 0; !refused; i += 1)
        refused =
          (await client.ask({ type: 'publish', room, op_id: `${i}`, kind: 'news', body: i }))
            .code === 'kind_refused';
    })();
    await patch(room, { kinds: { news: 'owner' } });
    const { body: before } = await call(nodeA(), `/v1/rooms/${room}`, { token: owner.token });
    await sending;
    const { body: after } = await call(nodeA(), `/v1/rooms/${room}`, { token: owner.token });
    expect(after.seq).toBe(before.seq);
    client.close();
  });
});
