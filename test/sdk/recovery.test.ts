import { expect, test } from '@jest/globals';
import { harness } from './harness.js';
import { event, ROOM } from './scripted-server.js';

const h = harness();

test('after a reconnect a room goes on from the last event seen, and duplicates are dropped', async () => {
  const { client, peer } = await h.connected();
  const { room, events } = await h.subscribed(client, peer, 4);
  peer.message(5, 6);
  expect([await events.next(), await events.next()]).toEqual([
    ['message', 5],
    ['message', 6],
  ]);
  const next = await h.reconnected(client, () => peer.cut());
  expect(await next.subscribed({ seq: 8, replayed: 2 })).toMatchObject({ room: ROOM, since: 6 });
  next.message(6, 7, 7, 8, 5, 9);
  for (const seq of [7, 8, 9]) expect(await events.next()).toEqual(['message', seq]);
  await h.handled(client, next);
  expect(events.size).toBe(0);
  expect(room.seq).toBe(9);
  await h.nothingSent(client, next);
});

test('edits, deletions and reactions share the seq of the messages', async () => {
  const { client, peer } = await h.connected();
  const { events } = await h.subscribed(client, peer, 0);
  peer.message(1);
  peer.send({ type: 'message_edited', ...event(2), body: 'new' });
  peer.send(
    { type: 'reaction', ...event(3), emoji: '+1', on: true },
    { type: 'message_deleted', ...event(4) },
  );
  for (const expected of [
    ['message', 1],
    ['message_edited', 2],
    ['reaction', 3],
    ['message_deleted', 4],
  ])
    expect(await events.next()).toEqual(expected);
});

test('P4: a jump in seq is repaired from the last event seen, in order and with one request', async () => {
  const { client, peer } = await h.connected();
  const { events } = await h.subscribed(client, peer, 1);
  peer.message(2, 5, 6);
  expect(await peer.subscribed({ seq: 6, replayed: 4 })).toMatchObject({ since: 2 });
  peer.message(3, 4, 5, 6, 7);
  for (const seq of [2, 3, 4, 5, 6, 7]) expect(await events.next()).toEqual(['message', seq]);
  await h.handled(client, peer);
  expect(peer.frames.size).toBe(0);
});

test('a repair that a lost connection interrupts is taken up once over the next', async () => {
  const { client, peer } = await h.connected();
  const { events } = await h.subscribed(client, peer, 1);
  peer.message(4, 5);
  await peer.next('subscribe');
  const next = await h.reconnected(client, () => peer.cut());
  expect(await next.subscribed({ seq: 5, replayed: 4 })).toMatchObject({ since: 1 });
  next.message(2, 3, 4, 5);
  for (const seq of [2, 3, 4, 5]) expect(await events.next()).toEqual(['message', seq]);
  await h.nothingSent(client, next);
});

test('a gap that a repair does not fill is announced instead of asked for again', async () => {
  const { client, peer } = await h.connected();
  const { events } = await h.subscribed(client, peer, 1);
  peer.message(4);
  await peer.subscribed({ seq: 4 });
  peer.message(4);
  expect(await events.next()).toEqual(['gap', { from: 2, to: 3 }]);
  expect(await events.next()).toEqual(['message', 4]);
  expect(peer.frames.size).toBe(0);
});

test('recovered:false is announced as a gap, whose messages the history brings', async () => {
  const { client, peer } = await h.connected();
  const { room, events } = await h.subscribed(client, peer, 10);
  const next = await h.reconnected(client, () => peer.cut());
  await next.subscribed({ seq: 5000, recovered: false });
  next.message(5001);
  expect(await events.next()).toEqual(['gap', { from: 11, to: 5000 }]);
  expect(await events.next()).toEqual(['message', 5001]);
  const page = room.history({ after: 10, before: 5001, limit: 100 });
  const call = await h.server.calls.next();
  expect(call).toMatchObject({
    method: 'GET',
    url: '/v1/rooms/lobby/messages?after=10&before=5001&limit=100',
  });
  // The token of the living connection; getToken was not asked for another.
  expect(call.headers['authorization']).toBe('Bearer token-2');
  call.answer(200, { items: [{ seq: 11 }], next_cursor: 'more' });
  expect(await page).toEqual({ items: [{ seq: 11 }], next_cursor: 'more' });
});

test('subscribe({since}) delivers what was missed before anything new', async () => {
  const { client, peer } = await h.connected();
  const room = client.room('lobby');
  const seen: number[] = [];
  room.on('message', (frame) => seen.push(frame.seq));
  const subscribed = room.subscribe({ since: 3 });
  expect(await peer.subscribed({ seq: 5, replayed: 2 })).toMatchObject({ since: 3 });
  peer.message(4, 5, 6);
  expect((await subscribed).replayed).toBe(2);
  await h.handled(client, peer);
  expect(seen).toEqual([4, 5, 6]);
  expect(room).toMatchObject({
    id: ROOM,
    role: 'member',
    can: ['read', 'publish'],
    seq: 6,
    subscribed: true,
  });
});

test('another past of the room is told before its events, which begin where both pasts are the same', async () => {
  const { client, peer } = await h.connected();
  const { room, events } = await h.subscribed(client, peer, 3);
  peer.message(4, 5);
  peer.send({ type: 'reset', room: ROOM, epoch: 'e2', seq: 3, lost: { from: 4, to: 5 } });
  peer.message(4, 5, 6);
  for (const seq of [4, 5]) expect(await events.next()).toEqual(['message', seq]);
  expect(await events.next()).toEqual(['reset', { epoch: 'e2', lost: { from: 4, to: 5 } }]);
  for (const seq of [4, 5, 6]) expect(await events.next()).toEqual(['message', seq]);
  expect(room).toMatchObject({ seq: 6, epoch: 'e2' });
  const next = await h.reconnected(client, () => peer.cut());
  expect(await next.subscribed({ seq: 6, epoch: 'e2' })).toMatchObject({ since: 6, epoch: 'e2' });
  await h.handled(client, next);
  expect(events.size).toBe(0);
});

test('a new past without a loss goes on, and what it leaves out is announced as a gap', async () => {
  const { client, peer } = await h.connected();
  const { events } = await h.subscribed(client, peer, 3);
  peer.send({ type: 'reset', room: ROOM, epoch: 'e2', seq: 3 });
  peer.message(4);
  peer.send({ type: 'reset', room: ROOM, epoch: 'e3', seq: 5_000, lost: { from: 2, to: 4 } });
  peer.message(5_001);
  expect(await events.next()).toEqual(['reset', { epoch: 'e2', lost: null }]);
  expect(await events.next()).toEqual(['message', 4]);
  expect(await events.next()).toEqual(['reset', { epoch: 'e3', lost: { from: 2, to: 4 } }]);
  expect(await events.next()).toEqual(['gap', { from: 2, to: 5_000 }]);
  expect(await events.next()).toEqual(['message', 5_001]);
});

test('a position of another epoch is not gone on from: everything that was seen may be lost', async () => {
  const { client, peer } = await h.connected();
  const { room, events } = await h.subscribed(client, peer, 10);
  const next = await h.reconnected(client, () => peer.cut());
  expect(
    await next.subscribed({ seq: 12, epoch: 'e2', recovered: false, reset: true }),
  ).toMatchObject({ since: 10, epoch: 'e1' });
  next.message(13);
  expect(await events.next()).toEqual(['reset', { epoch: 'e2', lost: { from: 1, to: 10 } }]);
  expect(await events.next()).toEqual(['gap', { from: 1, to: 12 }]);
  expect(await events.next()).toEqual(['message', 13]);
  expect(room).toMatchObject({ seq: 13, epoch: 'e2' });
});

test('subscribe({since, epoch}) names the past that the position was kept with', async () => {
  const { client, peer } = await h.connected();
  const subscribed = client.room('lobby').subscribe({ since: 3, epoch: 'e0' });
  expect(await peer.next('subscribe')).toMatchObject({ since: 3, epoch: 'e0' });
  client.close();
  await expect(subscribed).rejects.toMatchObject({ code: 'closed' });
});

test('changed rights are known before they are told, and a removal ends the subscription for good', async () => {
  const { client, peer } = await h.connected();
  const { room, events } = await h.subscribed(client, peer, 1);
  const access = room.once('access');
  peer.send({ type: 'access', room: ROOM, role: 'viewer', can: ['read'] });
  await access;
  expect(room.role).toBe('viewer');
  peer.send({ type: 'unsubscribed', room: ROOM, code: 'removed', action: 'none' });
  expect(await events.next()).toEqual(['unsubscribed', { code: 'removed', action: 'none' }]);
  const next = await h.reconnected(client, () => peer.cut());
  await h.handled(client, next);
  expect(next.frames.size).toBe(0);
  expect(room.subscribed).toBe(false);
});

test('a room that is refused after a reconnect is told to the application', async () => {
  const { client, peer } = await h.connected();
  const { events } = await h.subscribed(client, peer, 1);
  const next = await h.reconnected(client, () => peer.cut());
  next.error(await next.next('subscribe'), 'not_found');
  expect(await events.next()).toEqual(['unsubscribed', { code: 'not_found', action: 'none' }]);
});

test('unsubscribe waits for the answer and stops the events', async () => {
  const { client, peer } = await h.connected();
  const { room, events } = await h.subscribed(client, peer, 1);
  const done = room.unsubscribe();
  const frame = await peer.next('unsubscribe');
  peer.message(2);
  peer.send({ type: 'unsubscribed', id: frame['id'], room: ROOM, code: 'client', action: 'none' });
  await done;
  expect(await events.next()).toEqual(['unsubscribed', { code: 'client', action: 'none' }]);
  expect(events.size).toBe(0);
});
