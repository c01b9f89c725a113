/** Single messages, their edits, threads, pages around a message, and pins (contract section 8). */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { RawClient } from '../support/raw-client.js';
import { World, call, nodeA, nodeB, wsUrl } from '../support/world.js';
import type { CallOptions, SignedIn } from '../support/world.js';

let world: World;
let owner: SignedIn;
let ben: SignedIn;
let cleo: SignedIn;
let stranger: SignedIn;
let room: string;

beforeAll(async () => {
  world = await World.create();
  [owner, ben, cleo, stranger] = (await world.users('owner', 'ben', 'cleo', 'stranger')) as [
    SignedIn,
    SignedIn,
    SignedIn,
    SignedIn,
  ];
  room = await withMembers();
});

const withMembers = () =>
  world.room(owner, {}, [
    [ben, 'member'],
    [cleo, 'member'],
  ]);
const as = (user: SignedIn, path: string, options: CallOptions = {}, base = nodeA()) =>
  call(base, `/v1/rooms/${path}`, { ...options, token: user.token });
const publish = async (at: string, body: unknown, more: object = {}, user = ben) =>
  (await as(user, `${at}/messages`, { body: { body, ...more } })).body.message_id as string;
const bodiesOf = ({ body }: { body: { items: { body: unknown }[] } }) =>
  body.items.map((item) => item.body);

describe('a message', () => {
  test('is found by its id by members, and is not there for anybody else or in another room', async () => {
    const id = await publish(room, 'one');
    expect((await as(cleo, `${room}/messages/${id}`, {}, nodeB())).body).toMatchObject({
      message_id: id,
      body: 'one',
    });
    const other = await withMembers();
    for (const [user, path] of [
      [stranger, `${room}/messages/${id}`],
      [ben, `${other}/messages/${id}`],
      [ben, `${room}/messages/${randomUUID()}`],
    ] as const)
      expect((await as(user, path, { expect: 404 })).body.code).toBe('not_found');
  });

  test('shows its earlier bodies to its author and to moderators, and to nobody once deleted', async () => {
    const id = await publish(room, { text: 'first' });
    for (const text of ['second', 'third'])
      await as(ben, `${room}/messages/${id}`, { method: 'PATCH', body: { body: { text } } });
    const path = `${room}/messages/${id}/edits`;
    for (const user of [ben, owner])
      expect(bodiesOf(await as(user, path))).toEqual([
        { text: 'first' },
        { text: 'second' },
        { text: 'third' },
      ]);
    expect((await as(cleo, path, { expect: 403 })).body.code).toBe('role_required');
    await as(ben, `${room}/messages/${id}`, { method: 'DELETE' });
    expect((await as(owner, path, { expect: 404 })).body.code).toBe('not_found');
  });

  test('has its replies as a thread, page by page', async () => {
    const root = await publish(room, 'root');
    for (const text of ['a', 'b', 'c']) await publish(room, text, { reply_to: root });
    await publish(room, 'beside it');
    const newest = await as(cleo, `${room}/messages?thread=${root}&limit=2`);
    expect(bodiesOf(newest)).toEqual(['c', 'b']);
    const { next_cursor } = newest.body;
    expect(
      bodiesOf(await as(cleo, `${room}/messages?thread=${root}&limit=2&cursor=${next_cursor}`)),
    ).toEqual(['a']);
    expect(bodiesOf(await as(cleo, `${room}/messages?thread=${root}&after=0`))).toEqual([
      'a',
      'b',
      'c',
    ]);
  });

  test('stands in the middle of the page around it', async () => {
    const busy = await withMembers();
    for (let i = 1; i <= 9; i += 1) await publish(busy, i);
    const page = await as(cleo, `${busy}/messages?around=5&limit=4`);
    expect(bodiesOf(page)).toEqual([7, 6, 5, 4]);
    expect(
      bodiesOf(await as(cleo, `${busy}/messages?limit=2&cursor=${page.body.next_cursor}`)),
    ).toEqual([3, 2]);
    const { body } = await as(cleo, `${busy}/messages?around=5&before=3`, { expect: 422 });
    expect(body.code).toBe('invalid_request');
  });
});

describe('pins', () => {
  const pin = (user: SignedIn, at: string, id: string, expect?: number) =>
    as(user, `${at}/pins/${id}`, {
      method: 'PUT',
      ...(expect === undefined ? {} : { expect }),
    });

  test('are set and taken away by moderators, are durable events for subscribers, and go with the message', async () => {
    const at = await withMembers();
    const [first, second] = [await publish(at, 'first'), await publish(at, 'second')];
    const client = await RawClient.live(wsUrl(nodeB()), cleo.token);
    await client.subscribe(at);
    await pin(owner, at, first);
    const { body: again } = await pin(owner, at, first);
    expect(again.seq).toBe(3);
    await pin(owner, at, second);
    await as(owner, `${at}/pins/${first}`, { method: 'DELETE' });
    const seen = async (seq: number) => {
      const { type, message_id, on } = await client.next((frame) => frame.seq === seq);
      return { type, message_id, on };
    };
    expect([await seen(3), await seen(4), await seen(5)]).toEqual([
      { type: 'pinned', message_id: first, on: true },
      { type: 'pinned', message_id: second, on: true },
      { type: 'pinned', message_id: first, on: false },
    ]);
    const list = async () => (await as(ben, `${at}/pins`, {}, nodeB())).body.items;
    expect(await list()).toMatchObject([
      { message: { message_id: second, body: 'second' }, pinned_by: owner.id },
    ]);
    await as(ben, `${at}/messages/${second}`, { method: 'DELETE' });
    expect(await list()).toEqual([]);
    client.close();
  });

  test('are refused to members, of deleted and unknown messages, and over 50 in a room', async () => {
    const at = await withMembers();
    const id = await publish(at, 'x');
    expect((await pin(ben, at, id, 403)).body.code).toBe('role_required');
    expect((await pin(stranger, at, id, 404)).body.code).toBe('not_found');
    expect((await pin(owner, at, randomUUID(), 404)).body.code).toBe('not_found');
    for (let i = 0; i < 50; i += 1) await pin(owner, at, await publish(at, i));
    expect((await pin(owner, at, id, 409)).body.code).toBe('quota_exceeded');
    await as(ben, `${at}/messages/${id}`, { method: 'DELETE' });
    expect((await as(owner, `${at}/pins/${id}`, { method: 'DELETE', expect: 404 })).status).toBe(
      404,
    );
  });

  test('are for both users of a direct room', async () => {
    const { body } = await call(nodeA(), '/v1/rooms', {
      token: ben.token,
      body: { visibility: 'direct', members: [cleo.id] },
    });
    const id = await publish(body.id, 'us');
    expect((await pin(cleo, body.id, id)).status).toBe(200);
  });
});
