/**
 * Every client frame and its answer, with every field of contract section 5. The harness checks
 * sent frames against the schemas.
 */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { World, call, nodeA, nodeB, unique, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import type { RawClient } from '../support/raw-client.js';
import { live } from './harness.js';

const RFC3339_UTC = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const UUID = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const OWNER_CAN = [
  'read',
  'presence',
  'publish',
  'signal',
  'typing',
  'react',
  'edit_own',
  'delete_own',
  'delete_any',
  'manage_members',
  'manage_room',
];
let world: World;
let ada: SignedIn;
let ben: SignedIn;
let room: string;
let slug: string;
let a: RawClient;
let b: RawClient;

beforeAll(async () => {
  world = await World.create();
  [ada, ben] = (await world.users('ada', 'ben')) as [SignedIn, SignedIn];
});

/** Ada owns a room and is on one node, Ben is a member and on the other; both are subscribed. */
beforeEach(async () => {
  slug = unique('room');
  room = await world.room(ada, { slug }, [[ben, 'member']]);
  [a, b] = [await live(wsUrl(nodeA()), ada.token), await live(wsUrl(nodeB()), ben.token)];
  await a.subscribe(room);
  await b.subscribe(room);
});

describe('a frame is answered', () => {
  test('ping: pong with the server time', async () => {
    a.send({ type: 'ping', id: 'p1' });
    expect(await a.next('pong')).toEqual({
      type: 'pong',
      id: 'p1',
      server_time_ms: expect.any(Number),
    });
    a.send({ type: 'ping' });
    expect(Object.keys(await a.next('pong'))).toEqual(['type', 'server_time_ms']);
  });

  test('subscribe: subscribed with seq, role and rights, by id and by slug, always naming the id', async () => {
    for (const ref of [room, slug]) {
      a.send({ type: 'subscribe', room: ref, id: 's1' });
      expect(await a.next('subscribed')).toEqual({
        type: 'subscribed',
        id: 's1',
        room,
        seq: 0,
        epoch: expect.any(String),
        role: 'owner',
        can: OWNER_CAN,
        recovered: true,
        replayed: 0,
      });
    }
  });

  test('unsubscribe: unsubscribed, by id and by slug, and nothing of the room comes any more', async () => {
    for (const ref of [room, slug]) {
      await b.subscribe(room);
      b.send({ type: 'unsubscribe', room: ref, id: 'u1' });
      expect(await b.next('unsubscribed')).toEqual({
        type: 'unsubscribed',
        id: 'u1',
        room,
        code: 'client',
        action: 'none',
      });
    }
    await a.publish(room, 'unheard');
    await a.next('message');
    expect(await b.subscribe(room, 1)).toMatchObject({ seq: 1, replayed: 0 });
    expect(b.of('message')).toEqual([]);
  });

  test('publish: ack after the commit, and message to every subscriber', async () => {
    a.send({
      type: 'publish',
      room: slug,
      op_id: 'op-1',
      body: { text: 'hi' },
      kind: 'note',
      id: 'x',
    });
    const ack = await a.next('ack');
    expect(ack).toEqual({
      type: 'ack',
      id: 'x',
      room,
      op_id: 'op-1',
      message_id: UUID,
      seq: 1,
      at: RFC3339_UTC,
      duplicate: false,
    });
    const message = {
      type: 'message',
      room,
      seq: 1,
      n: 1,
      message_id: ack.message_id,
      sender: ada.id,
      kind: 'note',
      body: { text: 'hi' },
      at: ack.at,
      op_id: 'op-1',
    };
    expect(await b.next('message')).toEqual(message);
    expect(a.of('message')).toEqual([message]);
  });

  test('edit: ack, and message_edited to every subscriber', async () => {
    const { message_id } = await a.publish(room, 'first');
    a.send({ type: 'edit', room, message_id, body: ['second'], op_id: 'e-1', id: 'x' });
    expect(await a.next((frame) => frame.id === 'x')).toEqual({
      type: 'ack',
      id: 'x',
      room,
      message_id,
      seq: 2,
    });
    expect(await b.next('message_edited')).toEqual({
      type: 'message_edited',
      room,
      seq: 2,
      message_id,
      sender: ada.id,
      at: RFC3339_UTC,
      body: ['second'],
    });
  });

  test('delete: ack, and message_deleted to every subscriber', async () => {
    const { message_id } = await b.publish(room, 'regretted');
    b.send({ type: 'delete', room, message_id, id: 'x' });
    expect(await b.next((frame) => frame.id === 'x')).toEqual({
      type: 'ack',
      id: 'x',
      room,
      message_id,
      seq: 2,
    });
    expect(await a.next('message_deleted')).toEqual({
      type: 'message_deleted',
      room,
      seq: 2,
      message_id,
      sender: ben.id,
      at: RFC3339_UTC,
    });
  });

  test('react: ack, and reaction to every subscriber', async () => {
    const { message_id } = await a.publish(room, 'nice');
    b.send({ type: 'react', room, message_id, emoji: '👩‍🚀', on: true, id: 'x' });
    expect(await b.next((frame) => frame.id === 'x')).toEqual({
      type: 'ack',
      id: 'x',
      room,
      message_id,
      seq: 2,
    });
    expect(await a.next('reaction')).toEqual({
      type: 'reaction',
      room,
      seq: 2,
      message_id,
      sender: ben.id,
      at: RFC3339_UTC,
      emoji: '👩‍🚀',
      on: true,
    });
  });

  test('signal: ack only if it has an id; one signal to who is there, nothing stored', async () => {
    a.send({ type: 'signal', room: slug, kind: 'offer', body: { sdp: 1 }, id: 'x' });
    expect(await a.next((frame) => frame.id === 'x')).toEqual({ type: 'ack', id: 'x', room });
    expect(await b.next('signal')).toEqual({
      type: 'signal',
      room,
      sender: ada.id,
      kind: 'offer',
      body: { sdp: 1 },
    });
    a.send({ type: 'signal', room, kind: 'offer', body: null });
    expect(await b.next('signal')).toMatchObject({ body: null });
    await a.settled();
    expect(a.of('ack')).toHaveLength(1);
    expect(await a.subscribe(room, 0)).toMatchObject({ seq: 0, replayed: 0 });
    expect(b.of('signal')).toHaveLength(2);
  });

  test('typing: no answer, typing to who is there', async () => {
    b.send({ type: 'typing', room, on: true, id: 'x' });
    expect(await a.next('typing')).toEqual({ type: 'typing', room, sender: ben.id, on: true });
    b.send({ type: 'typing', room, on: false });
    expect(await a.next('typing')).toMatchObject({ on: false });
    await b.settled();
    expect(b.frames.filter((frame) => frame.id === 'x')).toEqual([]);
  });

  test('read: ack with where the marker stands, and read to who is there; it moves forward only and never past the head', async () => {
    for (let i = 1; i <= 3; i += 1) await a.publish(room, i);
    const mark = async (seq: number) => b.ask({ type: 'read', room, seq });
    expect(await mark(2)).toEqual({ type: 'ack', id: expect.any(String), room, seq: 2 });
    expect(await a.next('read')).toEqual({ type: 'read', room, sender: ben.id, seq: 2 });
    expect(await mark(1)).toMatchObject({ seq: 2 });
    expect(await mark(1_000_000)).toMatchObject({ seq: 3 });
  });

  test('auth_refresh: auth_ok, and the connection and its subscriptions go on', async () => {
    const answer = await a.ask({ type: 'auth_refresh', token: ada.token });
    expect(answer).toEqual({
      type: 'auth_ok',
      id: expect.any(String),
      session_id: ada.session,
      user_id: ada.id,
      tenant_id: ada.tenant,
      expires_in_ms: expect.any(Number),
      refresh_after_ms: expect.any(Number),
      refresh_before_ms: expect.any(Number),
      server_time_ms: expect.any(Number),
    });
    await b.publish(room, 'still here');
    expect(await a.next('message')).toMatchObject({ body: 'still here' });
  });

  test('an id comes back as it was, and no answer has one that was not asked for', async () => {
    for (const id of ['x', '1', 'é☂', ' ', 'x'.repeat(64)]) {
      a.send({ type: 'ping', id });
      expect(await a.next('pong')).toMatchObject({ id });
    }
    a.send({ type: 'publish', room, op_id: 'o', body: 1 });
    expect(await a.next('ack')).not.toHaveProperty('id');
  });
});

describe('presence', () => {
  test('is answered with everybody who is subscribed, on whichever node, once each', async () => {
    const again = await live(wsUrl(nodeB()), ada.token);
    await again.subscribe(room);
    await a.next((frame) => frame.type === 'presence' && frame.count === 2);
    const answer = await a.ask({ type: 'presence', room: slug });
    expect({ ...answer, users: [...answer.users].sort() }).toEqual({
      type: 'presence',
      id: expect.any(String),
      room,
      count: 2,
      users: [ada.id, ben.id].sort(),
    });
  });

  test('tells who joined and who left as deltas', async () => {
    const cleo = await world.user('cleo');
    await a.next((frame) => frame.type === 'presence' && frame.count === 2);
    await call(nodeA(), `/v1/rooms/${room}/members`, {
      token: ada.token,
      body: { user: cleo.id, role: 'viewer' },
    });
    const c = await live(wsUrl(nodeB()), cleo.token);
    await c.subscribe(room);
    expect(
      await a.next((frame) => frame.type === 'presence' && frame.joined?.includes(cleo.id)),
    ).toEqual({
      type: 'presence',
      room,
      count: 3,
      joined: [cleo.id],
      left: [],
    });
    c.close();
    expect(
      await a.next((frame) => frame.type === 'presence' && frame.left?.includes(cleo.id)),
    ).toEqual({
      type: 'presence',
      room,
      count: 2,
      joined: [],
      left: [cleo.id],
    });
  });
});
