/**
 * Frames of one connection are handled in order; `since` gives what was missed in order, then live,
 * with no gap and no duplicate.
 */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { World, call, nodeA, nodeB, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import type { RawClient } from '../support/raw-client.js';
import { expectError, live } from './harness.js';

let world: World;
let ada: SignedIn;
let room: string;
let client: RawClient;

beforeAll(async () => {
  world = await World.create();
  ada = await world.user('ada');
});

beforeEach(async () => {
  room = await world.room(ada);
  client = await live(wsUrl(nodeA()), ada.token);
});

const seqs = (frames: { seq: number }[]) => frames.map(({ seq }) => seq);
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('frames of one connection', () => {
  test('sent at once take effect in the order they were sent', async () => {
    client.send({ type: 'subscribe', room, id: 's' });
    for (let i = 1; i <= 50; i += 1)
      client.send({ type: 'publish', room, op_id: `o${i}`, body: i, id: `p${i}` });
    client.send({ type: 'ping', id: 'last' });
    await client.next((frame) => frame.type === 'message' && frame.seq === 50);
    expect(client.of('message').map(({ body }) => body)).toEqual(range(1, 50));
    expect(client.of('ack').map(({ id }) => id)).toEqual(range(1, 50).map((i) => `p${i}`));
    expect(client.frames.findIndex(({ type }) => type === 'subscribed')).toBeLessThan(
      client.frames.findIndex(({ type }) => type === 'ack'),
    );
  });

  test('publish, edit, reaction and deletion of one pipeline keep their order in seq', async () => {
    const { message_id } = await client.publish(room, 'v1');
    const pipeline = [
      { type: 'edit', body: 'v2' },
      { type: 'react', emoji: '👍', on: true },
      { type: 'edit', body: 'v3' },
      { type: 'delete' },
    ];
    pipeline.forEach((frame, i) => client.send({ ...frame, room, message_id, id: String(i) }));
    const acks = [];
    for (let i = 0; i < pipeline.length; i += 1)
      acks.push(await client.next((frame) => frame.id === String(i)));
    expect(seqs(acks)).toEqual([2, 3, 4, 5]);
  });

  test('a refused frame between two good ones changes nothing about them', async () => {
    client.send({ type: 'publish', room, op_id: '1', body: 1, id: '1' });
    client.send({ type: 'publish', room: 'no-such-room', op_id: '2', body: 2, id: '2' });
    client.send({ type: 'publish', room, op_id: '3', body: 3, id: '3' });
    await client.next((frame) => frame.id === '3');
    const byId = new Map(client.frames.map((frame) => [frame.id, frame]));
    expect([byId.get('1').seq, byId.get('2').code, byId.get('3').seq]).toEqual([1, 'not_found', 2]);
  });

  test('unsubscribe sent behind subscribe wins', async () => {
    client.send({ type: 'subscribe', room, id: 's' });
    client.send({ type: 'unsubscribe', room, id: 'u' });
    await client.next('unsubscribed');
    await client.publish(room, 'unheard');
    await client.settled();
    expect(client.of('message')).toEqual([]);
  });
});

describe('subscribe since', () => {
  beforeEach(async () => {
    for (let i = 1; i <= 5; i += 1) await client.publish(room, i);
  });

  test.each<[number | undefined, number, boolean]>([
    [undefined, 0, true],
    [5, 0, true],
    [3, 2, true],
    [0, 5, true],
    [6, 0, false],
    [Number.MAX_SAFE_INTEGER, 0, false],
  ])('%s of 5: replays %s, recovered %s, then live', async (since, replayed, recovered) => {
    const reader = await live(wsUrl(nodeB()), ada.token);
    expect(await reader.subscribe(room, since)).toMatchObject({
      type: 'subscribed',
      seq: 5,
      replayed,
      recovered,
    });
    await client.publish(room, 'live');
    await reader.next((frame) => frame.seq === 6 && frame.type === 'message');
    expect(seqs(reader.of('message'))).toEqual(range(6 - replayed, 6));
  });

  test('again starts again from its since, and the old subscription adds nothing', async () => {
    await client.subscribe(room, 0);
    await client.next((frame) => frame.seq === 5 && frame.type === 'message');
    expect(await client.subscribe(room, 3)).toMatchObject({ replayed: 2 });
    await client.publish(room, 'live');
    await client.next((frame) => frame.seq === 6 && frame.type === 'message');
    expect(seqs(client.of('message'))).toEqual([1, 2, 3, 4, 5, 4, 5, 6]);
  });

  test('covers edits, deletions and reactions in the one order of seq', async () => {
    const { items } = (
      await call(nodeA(), `/v1/rooms/${room}/messages?after=0`, { token: ada.token })
    ).body;
    const target = items[0].message_id;
    await client.ask({ type: 'edit', room, message_id: target, body: 'edited' });
    await client.ask({ type: 'react', room, message_id: target, emoji: '👍', on: true });
    await client.ask({ type: 'delete', room, message_id: items[1].message_id });
    const reader = await live(wsUrl(nodeB()), ada.token);
    expect(await reader.subscribe(room, 4)).toMatchObject({ seq: 8, replayed: 4 });
    await reader.next('message_deleted');
    const events = reader.frames.filter(
      ({ seq, type }) => seq !== undefined && type !== 'subscribed',
    );
    expect(events.map(({ type, seq }) => [type, seq])).toEqual([
      ['message', 5],
      ['message_edited', 6],
      ['reaction', 7],
      ['message_deleted', 8],
    ]);
  });

  test('while others publish on both nodes: no gap, no duplicate, whatever the moment', async () => {
    const writers = [client, await live(wsUrl(nodeB()), ada.token)];
    const publishing = Promise.all(
      writers.map(async (writer) => {
        for (let i = 0; i < 25; i += 1) await writer.publish(room, i);
      }),
    );
    const readers = await Promise.all(
      range(0, 9).map((i) => live(wsUrl(i % 2 === 0 ? nodeA() : nodeB()), ada.token)),
    );
    for (const [i, reader] of readers.entries()) await reader.subscribe(room, i % 5);
    await publishing;
    for (const [i, reader] of readers.entries()) {
      await reader.next((frame) => frame.type === 'message' && frame.seq === 55);
      expect(seqs(reader.of('message'))).toEqual(range((i % 5) + 1, 55));
    }
  });

  test('of a room that was left is refused again, not replayed', async () => {
    const ben = await world.user('ben');
    await call(nodeA(), `/v1/rooms/${room}/members`, {
      token: ada.token,
      body: { user: ben.id, role: 'member' },
    });
    const reader = await live(wsUrl(nodeB()), ben.token);
    await reader.subscribe(room, 0);
    await call(nodeA(), `/v1/rooms/${room}/leave`, { method: 'POST', token: ben.token });
    expect(await reader.next('unsubscribed')).toEqual({
      type: 'unsubscribed',
      room,
      code: 'removed',
      action: 'none',
    });
    expectError(await reader.subscribe(room, 0), 'not_found', { decision_id: expect.any(String) });
  });
});

describe('a subscription that ends says why', () => {
  test.each([
    [
      'banned',
      (ben: SignedIn) => ({ path: `/members/${ben.id}`, method: 'PATCH', body: { banned: true } }),
    ],
    ['removed', (ben: SignedIn) => ({ path: `/members/${ben.id}`, method: 'DELETE' })],
    ['room_closed', () => ({ path: '', method: 'DELETE' })],
  ])('%s', async (code, how) => {
    const ben = await world.user('ben');
    await call(nodeA(), `/v1/rooms/${room}/members`, {
      token: ada.token,
      body: { user: ben.id, role: 'member' },
    });
    const reader = await live(wsUrl(nodeB()), ben.token);
    await reader.subscribe(room);
    const { path, ...request } = how(ben);
    await call(nodeA(), `/v1/rooms/${room}${path}`, { ...request, token: ada.token });
    expect(await reader.next('unsubscribed')).toEqual({
      type: 'unsubscribed',
      room,
      code,
      action: 'none',
    });
  });

  test('not_found: a public room became private', async () => {
    const hall = await world.room(ada, { visibility: 'public' });
    const reader = await live(wsUrl(nodeB()), (await world.user('ben')).token);
    await reader.subscribe(hall);
    await call(nodeA(), `/v1/rooms/${hall}`, {
      method: 'PATCH',
      token: ada.token,
      body: { visibility: 'private' },
    });
    expect(await reader.next('unsubscribed')).toEqual({
      type: 'unsubscribed',
      room: hall,
      code: 'not_found',
      action: 'none',
    });
  });

  test('changed rights while subscribed are told by access, with role and rights', async () => {
    const ben = await world.user('ben');
    await call(nodeA(), `/v1/rooms/${room}/members`, {
      token: ada.token,
      body: { user: ben.id, role: 'member' },
    });
    const reader = await live(wsUrl(nodeB()), ben.token);
    await reader.subscribe(room);
    await call(nodeA(), `/v1/rooms/${room}/members/${ben.id}`, {
      method: 'PATCH',
      token: ada.token,
      body: { role: 'viewer' },
    });
    expect(await reader.next('access')).toEqual({
      type: 'access',
      room,
      role: 'viewer',
      can: ['read', 'presence', 'delete_own'],
    });
    expectError(await reader.publish(room, 1), 'read_only', { decision_id: expect.any(String) });
  });
});
