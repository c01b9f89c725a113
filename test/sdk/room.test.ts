import { expect, test } from '@jest/globals';
import { harness } from './harness.js';
import { ALICE, event, ROOM } from './scripted-server.js';

const h = harness();
const { message_id } = event(1);

test('an edit survives a lost connection under its op_id', async () => {
  const { client, peer } = await h.connected();
  const edited = client.room('lobby').edit(message_id, { text: 'better' });
  const first = await peer.next('edit');
  expect(first).toMatchObject({ room: 'lobby', message_id, body: { text: 'better' } });
  const next = await h.reconnected(client, () => peer.cut());
  const again = await next.next('edit');
  expect(again).toEqual(first);
  next.ack(again, 2);
  expect((await edited).seq).toBe(2);
});

test('a refused delete is sent again, but not after `internal`, which does not say whether it happened', async () => {
  const { client, peer } = await h.connected();
  const room = client.room('lobby');
  const deleted = room.delete(message_id);
  peer.error(await peer.next('delete'), 'rate_limited', { retry_after_ms: 5 });
  await h.handled(client, peer);
  h.clock.advance(5);
  peer.ack(await peer.next('delete'), 3);
  expect((await deleted).seq).toBe(3);
  const second = room.delete(message_id);
  peer.error(await peer.next('delete'), 'internal');
  await expect(second).rejects.toMatchObject({ code: 'internal', kind: 'temporary' });
});

test('signals, typing, read markers and presence reach the room and come from it', async () => {
  const { client, peer } = await h.connected();
  const { room } = await h.subscribed(client, peer, 6);
  const seen: unknown[] = [];
  room.on('signal', ({ kind, body }) => seen.push([kind, body]));
  room.on('typing', ({ on }) => seen.push(on));
  room.on('read', ({ seq }) => seen.push(seq));
  room.on('presence', ({ joined }) => seen.push(joined));
  const from = { room: ROOM, sender: ALICE };
  peer.send(
    { type: 'signal', ...from, kind: 'wave', body: 1 },
    { type: 'typing', ...from, on: true },
  );
  peer.send(
    { type: 'read', ...from, seq: 2 },
    { type: 'presence', room: ROOM, count: 1, joined: [ALICE] },
  );
  await h.handled(client, peer);
  expect(seen).toEqual([['wave', 1], true, 2, [ALICE]]);

  room.typing(true);
  expect(await peer.next('typing')).toEqual({ type: 'typing', room: 'lobby', on: true });
  const read = room.read();
  const marker = await peer.next('read');
  expect(marker['seq']).toBe(6);
  peer.send({ type: 'ack', id: marker['id'], room: ROOM });
  await read;
  const present = room.presence();
  peer.send({
    type: 'presence',
    id: (await peer.next('presence'))['id'],
    room: ROOM,
    count: 1,
    users: [ALICE],
  });
  expect(await present).toMatchObject({ count: 1, users: [ALICE] });
  expect(seen).toHaveLength(4);
});

test('the same name is the same room, and an id finds the room that was asked for by slug', async () => {
  const { client, peer } = await h.connected();
  const { room } = await h.subscribed(client, peer, 1);
  expect(client.room('lobby')).toBe(room);
  expect(room.id).toBe(ROOM);
  expect(client.room(ROOM)).toBe(room);
});

test('too many subscriptions is told to the caller, since waiting would not help', async () => {
  const { client, peer } = await h.connected();
  const subscribed = client.room('lobby').subscribe();
  peer.error(await peer.next('subscribe'), 'too_many_subscriptions', { retry_after_ms: 1 });
  await expect(subscribed).rejects.toMatchObject({ code: 'too_many_subscriptions' });
});

test('a subscribe without an answer is sent again over the next connection', async () => {
  const { client, peer } = await h.connected();
  const subscribed = client.room('lobby').subscribe();
  await peer.next('subscribe');
  const next = await h.reconnected(client, () => peer.cut());
  expect(await next.subscribed({ seq: 3 })).not.toHaveProperty('since');
  expect((await subscribed).seq).toBe(3);
  await h.handled(client, next);
  expect(next.frames.size).toBe(0);
});

test('a room left while its subscribe had no answer is left for good, also when only the subscribe is repeated', async () => {
  const { client, peer } = await h.connected();
  const room = client.room('lobby');
  const subscribed = room.subscribe();
  const left = room.unsubscribe();
  await peer.next('subscribe');
  await peer.next('unsubscribe');
  const next = await h.reconnected(client, () => peer.cut());
  await left;
  await next.subscribed({ seq: 1 });
  await subscribed;
  expect(await next.next('unsubscribe')).toMatchObject({ room: ROOM });
  expect(room.subscribed).toBe(false);
});

test('a room left while there was no connection is not taken up again', async () => {
  const { client, peer } = await h.connected();
  const { room, events } = await h.subscribed(client, peer, 3);
  const waiting = client.once('waiting');
  peer.cut();
  const { delayMs } = await waiting;
  await room.unsubscribe();
  expect(await events.next()).toEqual(['unsubscribed', { code: 'client', action: 'none' }]);
  h.clock.advance(delayMs);
  const next = await h.server.peers.next();
  await next.welcome();
  const frame = await next.next('unsubscribe');
  next.error(frame, 'not_found');
  await h.handled(client, next);
  expect(next.frames.size).toBe(0);
});

test('two who subscribed share one subscription, and the first to unsubscribe leaves the other one', async () => {
  const { client, peer } = await h.connected();
  const { room, events } = await h.subscribed(client, peer, 1);
  expect(await client.room('lobby').subscribe()).toMatchObject({ room: ROOM, seq: 1 });
  await room.unsubscribe();
  expect(room.subscribed).toBe(true);
  peer.message(2);
  expect(await events.next()).toEqual(['message', 2]);
  const left = room.unsubscribe();
  const frame = await peer.next('unsubscribe');
  peer.send({ type: 'unsubscribed', id: frame['id'], room: ROOM, code: 'client', action: 'none' });
  await left;
  expect(room.subscribed).toBe(false);
});

test('two who subscribe at the same time cause one subscribe, and its refusal rejects both', async () => {
  const { client, peer } = await h.connected();
  const both = [client.room('lobby').subscribe(), client.room('lobby').subscribe()];
  peer.error(await peer.next('subscribe'), 'not_found');
  for (const one of both) await expect(one).rejects.toMatchObject({ code: 'not_found' });
  const again = client.room('lobby').subscribe();
  await peer.subscribed({ seq: 3 });
  expect((await again).seq).toBe(3);
  expect(peer.frames.size).toBe(0);
});

test('C1: a page of the history is asked for where URLSearchParams has no size', async () => {
  const size = Object.getOwnPropertyDescriptor(URLSearchParams.prototype, 'size');
  Reflect.deleteProperty(URLSearchParams.prototype, 'size');
  try {
    const page = h.client().room('lobby').history({ before: 50, limit: 3 });
    const call = await h.server.calls.next();
    expect(call.url).toBe('/v1/rooms/lobby/messages?before=50&limit=3');
    call.answer(200, { items: [], next_cursor: null, epoch: 'e1' });
    await page;
  } finally {
    if (size) Object.defineProperty(URLSearchParams.prototype, 'size', size);
  }
});
