import { expect, test } from '@jest/globals';
import { harness } from './harness.js';
import { ROOM } from './scripted-server.js';

const h = harness();

test('P4: a publish without an answer is sent again under the same op_id until it is acknowledged', async () => {
  const { client, peer } = await h.connected();
  const body = { text: 'hello' };
  const published = client.room('lobby').publish(body);
  const first = await peer.next('publish');
  body.text = 'changed after the call';
  const second = await h.reconnected(client, () => peer.cut());
  const again = await second.next('publish');
  expect(again).toEqual(first);
  expect(again['body']).toEqual({ text: 'hello' });
  const third = await h.reconnected(client, () => second.cut());
  third.ack(await third.next('publish'), 9, true);
  expect(await published).toMatchObject({ op_id: first['op_id'], seq: 9, duplicate: true });
});

test('publishes made while there is no connection wait, in order', async () => {
  const client = h.client();
  const acks = Promise.all([1, 2, 3].map((n) => client.room('lobby').publish(n)));
  void client.connect();
  const peer = await h.server.peers.next();
  await peer.welcome();
  for (const n of [1, 2, 3]) {
    const frame = await peer.next('publish');
    expect(frame['body']).toBe(n);
    peer.ack(frame, n);
  }
  expect((await acks).map((ack) => ack.seq)).toEqual([1, 2, 3]);
});

test('a denied publish rejects with the code, the action and the decision, and is not repeated', async () => {
  const { client, peer } = await h.connected();
  const published = client.room('lobby').publish('x');
  peer.error(await peer.next('publish'), 'muted', { decision_id: ROOM });
  await expect(published).rejects.toMatchObject({
    name: 'WardroomError',
    code: 'muted',
    action: 'none',
    kind: 'denied',
    decisionId: ROOM,
  });
  expect(client.state).toBe('live');
  expect(peer.frames.size).toBe(0);
});

test('`retry` sends the same publish again after retry_after_ms, not before, and keeps later ones behind it', async () => {
  const { client, peer } = await h.connected();
  const room = client.room('lobby');
  const published = room.publish('a');
  const first = await peer.next('publish');
  peer.error(first, 'rate_limited', { retry_after_ms: 700 });
  await h.handled(client, peer);
  const later = room.publish('b');
  h.clock.advance(699);
  void room.signal('mark', null).catch(() => {});
  await peer.next('signal');
  h.clock.advance(1);
  expect(await peer.next('publish')).toEqual(first);
  peer.ack(first, 1);
  peer.ack(await peer.next('publish'), 2);
  expect([(await published).seq, (await later).seq]).toEqual([1, 2]);
});

test('a body over the limit is refused here, where it costs no connection', async () => {
  const { client, peer } = await h.connected();
  await expect(client.room('lobby').publish('ä'.repeat(16 * 1024))).rejects.toMatchObject({
    code: 'too_big',
  });
  expect(peer.frames.size).toBe(0);
});

test('more than pendingMax unanswered requests are refused', async () => {
  const client = h.client({ pendingMax: 1 });
  const waits = client.room('lobby').publish(1);
  await expect(client.room('lobby').publish(2, { opId: 'two' })).rejects.toMatchObject({
    code: 'queue_full',
    opId: 'two',
  });
  void client.connect();
  const peer = await h.server.peers.next();
  await peer.welcome();
  peer.ack(await peer.next('publish'), 1);
  expect((await waits).seq).toBe(1);
});

test('of what was sent and lost, only what may be repeated is repeated', async () => {
  const { client, peer } = await h.connected();
  const room = client.room('lobby');
  const deleted = room.delete(ROOM);
  const signalled = room.signal('wave', null);
  const reacted = room.react(ROOM, '+1');
  await peer.next('delete');
  await peer.next('signal');
  await peer.next('react');
  const rejected = Promise.all([
    expect(deleted).rejects.toMatchObject({ code: 'connection_lost', kind: 'transport' }),
    expect(signalled).rejects.toMatchObject({ code: 'connection_lost', kind: 'transport' }),
  ]);
  const next = await h.reconnected(client, () => peer.cut());
  await rejected;
  const frame = await next.next('react');
  expect(frame).toMatchObject({ emoji: '+1', on: true });
  next.ack(frame, 3);
  expect((await reacted).seq).toBe(3);
});
