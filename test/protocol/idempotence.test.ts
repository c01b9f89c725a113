/**
 * P4: a retried effect is one effect. `op_id`, and what edits, deletions and reactions do when they
 * come again.
 */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { World, call, nodeA, nodeB, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import type { RawClient } from '../support/raw-client.js';
import { expectError, live } from './harness.js';

let world: World;
let ada: SignedIn;
let ben: SignedIn;
let room: string;
let a: RawClient;
let b: RawClient;

beforeAll(async () => {
  world = await World.create();
  [ada, ben] = (await world.users('ada', 'ben')) as [SignedIn, SignedIn];
});

beforeEach(async () => {
  room = await world.room(ada, {}, [[ben, 'member']]);
  [a, b] = [await live(wsUrl(nodeA()), ada.token), await live(wsUrl(nodeB()), ada.token)];
});

const head = async (): Promise<number> =>
  (await call(nodeA(), `/v1/rooms/${room}`, { token: ada.token })).body.seq;
const history = async () =>
  (await call(nodeB(), `/v1/rooms/${room}/messages`, { token: ada.token })).body.items;

describe('op_id', () => {
  test('again with the same content answers the first result with duplicate:true, on any node and connection', async () => {
    const first = await a.publish(room, { n: 1 }, 'op');
    const again = await b.publish(room, { n: 1 }, 'op');
    expect(again).toEqual({ ...first, id: again.id, duplicate: true });
    expect(await head()).toBe(1);
  });

  test.each([
    ['other body', { body: { n: 2 } }],
    ['other kind', { body: { n: 1 }, kind: 'note' }],
  ])('again with %s is op_conflict and has no effect', async (_, content) => {
    await a.publish(room, { n: 1 }, 'op');
    expectError(await b.ask({ type: 'publish', room, op_id: 'op', ...content }), 'op_conflict');
    expect((await history()).map((item: { body: unknown }) => item.body)).toEqual([{ n: 1 }]);
  });

  test.each([
    [
      'members in another order',
      '{"b":{"y":[1,2],"x":null},"a":"\\u00e9"}',
      '{"a":"é","b":{"x":null,"y":[1,2]}}',
    ],
    [
      'numbers as another text of the same double',
      '[1,100,0.1,-0,1e21]',
      '[1.0,1e2,0.1000000000000000055,0,1000000000000000000000]',
    ],
    ['space between', '{"a":[1]}', ' { "a" : [ 1 ] } '],
    [
      'names that every object has',
      '{"constructor":1,"__proto__":{"a":1}}',
      '{"__proto__":{"a":1},"constructor":1}',
    ],
  ])(
    'again with %s is the same content: a value is compared, not a text',
    async (_, one, other) => {
      const publish = async (client: RawClient, body: string) => {
        client.send(
          `{"type":"publish","id":"${body.length}","room":"${room}","op_id":"op","body":${body}}`,
        );
        return client.next((frame) => frame.id === String(body.length));
      };
      const first = await publish(a, one);
      expect(first).toMatchObject({ type: 'ack', duplicate: false });
      expect(await publish(b, other)).toEqual({
        ...first,
        id: String(other.length),
        duplicate: true,
      });
      const headers = { 'idempotency-key': 'op' };
      const rest = await call(nodeA(), `/v1/rooms/${room}/messages`, {
        token: ada.token,
        body: `{"body":${other}}`,
        headers,
      });
      expect(rest).toMatchObject({
        status: 200,
        body: { message_id: first.message_id, duplicate: true },
      });
    },
  );

  test('again with the items of a list in another order is other content', async () => {
    await a.publish(room, [1, 2], 'op');
    expectError(await b.ask({ type: 'publish', room, op_id: 'op', body: [2, 1] }), 'op_conflict');
  });

  test('of an edit is compared by value, too', async () => {
    const { message_id } = await a.publish(room, 1);
    const edit = { type: 'edit', room, message_id, op_id: 'op' };
    const first = await a.ask({ ...edit, body: { b: 1, a: 2 } });
    expect(await b.ask({ ...edit, body: { a: 2, b: 1 } })).toMatchObject({
      type: 'ack',
      seq: first.seq,
    });
    expectError(await b.ask({ ...edit, body: { a: 1, b: 2 } }), 'op_conflict');
  });

  test('in parallel on both nodes, twenty times, has one effect and delivers it once', async () => {
    await b.subscribe(room);
    const acks = await Promise.all(
      Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? a : b).publish(room, 'once', 'op')),
    );
    expect(new Set(acks.map(({ message_id, seq }) => `${message_id} ${seq}`)).size).toBe(1);
    expect(acks.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    await a.publish(room, 'after');
    await b.next((frame) => frame.body === 'after');
    expect(b.of('message').map(({ body }) => body)).toEqual(['once', 'after']);
  });

  test('belongs to its room and sender: others may use the same text', async () => {
    const other = await world.room(ada);
    const c = await live(wsUrl(nodeA()), ben.token);
    for (const [client, where] of [
      [a, room],
      [a, other],
      [c, room],
    ] as const)
      expect(await client.publish(where, 'x', 'op')).toMatchObject({ duplicate: false });
  });

  test('is kept whole: 64 characters of any text, also when they differ only at the end', async () => {
    const long = '☂'.repeat(63);
    expect(await a.publish(room, 1, `${long}a`)).toMatchObject({
      duplicate: false,
      op_id: `${long}a`,
    });
    expect(await a.publish(room, 1, `${long}b`)).toMatchObject({ duplicate: false });
    expect(await a.publish(room, 1, `${long}ab`)).toMatchObject({ code: 'invalid_frame' });
  });

  test('of a published message that was deleted still answers the first result', async () => {
    const first = await a.publish(room, 'gone', 'op');
    await a.ask({ type: 'delete', room, message_id: first.message_id });
    expect(await b.publish(room, 'gone', 'op')).toMatchObject({
      seq: 1,
      message_id: first.message_id,
      duplicate: true,
    });
    expect(await head()).toBe(2);
  });
});

describe('edit', () => {
  test('again under its op_id is the same event; other content is op_conflict', async () => {
    const { message_id } = await a.publish(room, 'v1');
    const edit = (client: RawClient, body: string) =>
      client.ask({ type: 'edit', room, message_id, body, op_id: 'e' });
    expect(await edit(a, 'v2')).toMatchObject({ type: 'ack', seq: 2 });
    expect(await edit(b, 'v2')).toMatchObject({ type: 'ack', seq: 2 });
    expectError(await edit(b, 'v3'), 'op_conflict');
    expect((await history())[0]).toMatchObject({
      body: 'v2',
      seq: 1,
      edited_at: expect.any(String),
    });
    expect(await head()).toBe(2);
  });

  test('shares the op_ids of publish: what was a publish cannot become an edit', async () => {
    const { message_id } = await a.publish(room, 'v1', 'op');
    expectError(
      await a.ask({ type: 'edit', room, message_id, body: 'v1', op_id: 'op' }),
      'op_conflict',
    );
  });

  test('of a deleted message is not_found', async () => {
    const { message_id } = await a.publish(room, 'v1');
    await a.ask({ type: 'delete', room, message_id });
    expectError(await a.ask({ type: 'edit', room, message_id, body: 'v2' }), 'not_found');
    expect((await history())[0]).toMatchObject({ body: null, deleted_at: expect.any(String) });
  });
});

describe('delete', () => {
  test('again, by another and on another node, is the same event; the words are gone from history and replay', async () => {
    const c = await live(wsUrl(nodeB()), ben.token);
    const { message_id } = await c.publish(room, 'regretted');
    await c.ask({ type: 'edit', room, message_id, body: 'regretted too' });
    for (const client of [c, a, b])
      expect(await client.ask({ type: 'delete', room, message_id })).toMatchObject({
        type: 'ack',
        message_id,
        seq: 3,
      });
    expect(await head()).toBe(3);
    await a.subscribe(room, 0);
    await a.next('message_deleted');
    expect(JSON.stringify([await history(), a.frames])).not.toContain('regretted');
  });
});

describe('react', () => {
  test('is a state per person and emoji: on twice is one event, off and on again are two more', async () => {
    const { message_id } = await a.publish(room, 'nice');
    const c = await live(wsUrl(nodeB()), ben.token);
    const react = async (client: RawClient, emoji: string, on: boolean) =>
      (await client.ask({ type: 'react', room, message_id, emoji, on })).seq;
    expect([
      await react(a, '👍', true),
      await react(b, '👍', true),
      await react(c, '👍', true),
      await react(a, '🎉', true),
    ]).toEqual([2, 2, 3, 4]);
    expect((await history())[0].reactions).toEqual([
      { emoji: '👍', count: 2, users: [ada.id, ben.id] },
      { emoji: '🎉', count: 1, users: [ada.id] },
    ]);
    expect([
      await react(a, '👍', false),
      await react(a, '👍', false),
      await react(a, '👍', true),
    ]).toEqual([5, 5, 6]);
    expect(await head()).toBe(6);
  });

  test('off what was never on is no event', async () => {
    const { message_id } = await a.publish(room, 'nice');
    expect(await a.ask({ type: 'react', room, message_id, emoji: '👍', on: false })).toMatchObject({
      type: 'ack',
    });
    expect(await head()).toBe(1);
  });

  test('to a deleted message is not_found', async () => {
    const { message_id } = await a.publish(room, 'nice');
    await a.ask({ type: 'delete', room, message_id });
    expectError(
      await a.ask({ type: 'react', room, message_id, emoji: '👍', on: true }),
      'not_found',
    );
  });
});
