import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Timeline, type TimelineOptions, WardroomClient } from '@wardroom/client';
import { ManualClock } from '../manual-clock.js';
import { ME, ModelServer, OTHER, ROOM } from './model-server.js';

let server: ModelServer;
let clock: ManualClock;
let client: WardroomClient;
beforeEach(() => {
  server = new ModelServer();
  clock = new ManualClock();
  client = new WardroomClient({
    url: 'http://model.test',
    getToken: () => 'token',
    webSocket: server.Socket as never,
    fetch: server.fetch,
    clock,
    random: () => 0.5,
  });
});
afterEach(() => client.close());

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Everything that is on its way arrives. */
async function flow(): Promise<void> {
  await settled();
  for (let count = 0; count < 200 && !server.isQuiet; count++) {
    server.handleOne();
    server.deliverOne();
    server.readOne();
    server.answerOne();
    await settled();
  }
}

async function opened(messages: number, options: TimelineOptions = {}): Promise<Timeline<unknown>> {
  for (let count = 1; count <= messages; count++) server.publish(OTHER, `op-${count}`, count);
  const timeline = client.room<unknown>(ROOM).timeline(options);
  timeline.subscribe(() => {});
  void client.connect();
  await flow();
  return timeline;
}

const bodies = (timeline: Timeline<unknown>) =>
  timeline.getSnapshot().messages.map(({ body }) => body);

test('it begins with the newest messages, follows, and loads older ones until there are none', async () => {
  const timeline = await opened(5, { pageSize: 2 });
  expect(bodies(timeline)).toEqual([4, 5]);
  expect(timeline.getSnapshot()).toMatchObject({ state: 'ready', hasOlder: true, hasNewer: false });
  server.publish(OTHER, 'op-6', 6);
  await flow();
  for (let count = 0; count < 2; count++) {
    const loaded = timeline.loadOlder();
    expect(timeline.getSnapshot().loadingOlder).toBe(true);
    await flow();
    await loaded;
  }
  expect(bodies(timeline)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(timeline.getSnapshot()).toMatchObject({ hasOlder: false, loadingOlder: false });
});

test('the snapshot and each message stay the same objects until they change', async () => {
  const timeline = await opened(3);
  const before = timeline.getSnapshot();
  expect(timeline.getSnapshot()).toBe(before);
  server.edit(OTHER, server.messages[1]!.message_id, 'two');
  await flow();
  const after = timeline.getSnapshot();
  expect(after).not.toBe(before);
  expect(after.messages.map((message, at) => message === before.messages[at])).toEqual([
    true,
    false,
    true,
  ]);
});

test('a listener runs once for all changes of one step, and not after its removal', async () => {
  const timeline = await opened(1);
  let runs = 0;
  const off = timeline.subscribe(() => runs++);
  timeline.send('a');
  timeline.send('b');
  await settled();
  expect(runs).toBe(1);
  off();
  timeline.send('c');
  await settled();
  expect(runs).toBe(1);
});

test('a send is shown at once, keeps its key when it is stored, and is there once', async () => {
  const timeline = await opened(1);
  const key = timeline.send({ text: 'mine' });
  const sending = timeline.getSnapshot().messages.at(-1)!;
  expect(sending).toMatchObject({ key, state: 'sending', mine: true, body: { text: 'mine' } });
  await flow();
  expect(timeline.getSnapshot().messages.at(-1)).toMatchObject({ key, state: 'stored', seq: 2 });
  expect(timeline.getSnapshot().messages).toHaveLength(2);
});

test('a send that was given up is kept with its reason, sent again under its op_id, or discarded', async () => {
  const timeline = await opened(1);
  const key = timeline.send('mine');
  const other = timeline.send('never');
  client.close();
  await settled();
  const failed = timeline.getSnapshot().messages.slice(1);
  expect(failed.map(({ state, error }) => [state, error?.code])).toEqual([
    ['failed', 'closed'],
    ['failed', 'closed'],
  ]);
  timeline.discard(other);
  // It arrived all the same.
  server.publish(ME, failed[0]!.opId, 'mine');
  void client.connect();
  timeline.retry(key);
  await flow();
  expect(timeline.getSnapshot().messages.map((message) => [message.body, message.state])).toEqual([
    [1, 'stored'],
    ['mine', 'stored'],
  ]);
  expect(server.seq).toBe(2);
});

test('around a message it shows both sides, and goes on to the end, where it follows again', async () => {
  const timeline = await opened(12, { pageSize: 4, around: 5 });
  expect(bodies(timeline)).toEqual([4, 5, 6, 7]);
  expect(timeline.getSnapshot()).toMatchObject({ hasOlder: true, hasNewer: true });
  server.publish(OTHER, 'op-13', 13);
  await flow();
  expect(bodies(timeline)).toEqual([4, 5, 6, 7]);
  while (timeline.getSnapshot().hasNewer) {
    const loaded = timeline.loadNewer();
    await flow();
    await loaded;
  }
  server.publish(OTHER, 'op-14', 14);
  await flow();
  expect(bodies(timeline).at(-1)).toBe(14);
  timeline.jump(2);
  await flow();
  expect(bodies(timeline)).toEqual([1, 2, 3, 4]);
  timeline.jump();
  await flow();
  expect(bodies(timeline)).toEqual([11, 12, 13, 14]);
});

test('no more messages are kept than maxMessages; the other end is forgotten', async () => {
  const timeline = await opened(6, { pageSize: 3, maxMessages: 4 });
  for (const n of [7, 8, 9]) server.publish(OTHER, `op-${n}`, n);
  await flow();
  expect(bodies(timeline)).toEqual([6, 7, 8, 9]);
  void timeline.loadOlder();
  await flow();
  expect(bodies(timeline)).toEqual([3, 4, 5, 6]);
  expect(timeline.getSnapshot().hasNewer).toBe(true);
});

test('a reader at the end loses none of the newest to a page that many messages overtook', async () => {
  const timeline = await opened(6, { pageSize: 3, maxMessages: 4 });
  void timeline.loadOlder({ keepNewest: true });
  for (const n of [7, 8, 9]) server.publish(OTHER, `op-${n}`, n);
  await flow();
  expect(bodies(timeline)).toEqual([6, 7, 8, 9]);
  expect(timeline.getSnapshot()).toMatchObject({ hasOlder: true, hasNewer: false });
});

test('a page that fails is told, and a beginning that fails is tried again', async () => {
  for (let count = 1; count <= 3; count++) server.publish(OTHER, `op-${count}`, count);
  const timeline = client.room<unknown>(ROOM).timeline();
  timeline.subscribe(() => {});
  void client.connect();
  await settled();
  server.deliverOne();
  await settled();
  server.handleOne();
  server.deliverOne();
  await settled();
  server.failOne();
  await settled();
  expect(timeline.getSnapshot()).toMatchObject({ state: 'loading', error: { code: 'network' } });
  clock.advance(1000);
  await flow();
  expect(timeline.getSnapshot()).toMatchObject({ state: 'ready', error: undefined });
  expect(bodies(timeline)).toEqual([1, 2, 3]);
});

test('two mounts in a row are one subscription, which ends with the last listener', async () => {
  const room = client.room<unknown>(ROOM);
  const timeline = room.timeline();
  // As StrictMode does.
  timeline.subscribe(() => {})();
  const off = timeline.subscribe(() => {});
  void client.connect();
  await flow();
  expect([room.subscribed, server.subscribes]).toEqual([true, 1]);
  off();
  clock.advance(0);
  await flow();
  expect(room.subscribed).toBe(false);
  timeline.subscribe(() => {});
  server.publish(OTHER, 'op-later', 'later');
  await flow();
  expect(bodies(timeline)).toEqual(['later']);
});

test('a room that closes to the user ends it with the reason, and what was seen stays', async () => {
  const timeline = await opened(2);
  server.tell({ type: 'unsubscribed', room: ROOM, code: 'removed', action: 'none' });
  await flow();
  expect(timeline.getSnapshot()).toMatchObject({
    state: 'ended',
    ended: { code: 'removed', action: 'none' },
  });
  expect(bodies(timeline)).toEqual([1, 2]);
});

test('nothing is left for whoever signs in next', async () => {
  const timeline = await opened(2);
  timeline.send('unsent');
  server.tell({
    type: 'goodbye',
    code: 'session_revoked',
    action: 'login',
    close_id: 'c',
    message: 'ended',
  });
  server.deliverOne();
  server.cut();
  await settled();
  expect(client.state).toBe('closed');
  expect(timeline.getSnapshot().messages).toEqual([]);
  void client.connect();
  await flow();
  expect(bodies(timeline)).toEqual([1, 2]);
  expect(timeline.getSnapshot().state).toBe('ready');
});

test('reactions are counted, and mine are known', async () => {
  const timeline = await opened(1);
  const { message_id } = server.messages[0]!;
  server.react(OTHER, message_id, '+1');
  server.react(ME, message_id, '+1');
  await flow();
  const reactions = () => timeline.getSnapshot().messages[0]!.reactions;
  expect(reactions()).toEqual([{ emoji: '+1', count: 2, users: [OTHER, ME], mine: true }]);
  server.react(ME, message_id, '+1');
  await flow();
  expect(reactions()).toEqual([{ emoji: '+1', count: 1, users: [OTHER], mine: false }]);
  server.react(OTHER, message_id, '+1');
  await flow();
  expect(reactions()).toEqual([]);
});

test('people: who types is known until they stop, send, or 12 s have passed', async () => {
  void client.connect();
  const people = client.room(ROOM).people();
  people.subscribe(() => {});
  await flow();
  const typing = async (frame: object) => {
    server.tell({ type: 'typing', room: ROOM, sender: OTHER, on: true, ...frame });
    await flow();
    return people.getSnapshot().typing;
  };
  expect(await typing({})).toEqual([OTHER]);
  expect(await typing({ on: false })).toEqual([]);
  expect(await typing({ sender: ME })).toEqual([]);
  expect(await typing({})).toEqual([OTHER]);
  server.publish(OTHER, 'op', 'said');
  await flow();
  expect(people.getSnapshot().typing).toEqual([]);
  await typing({});
  clock.advance(11_999);
  expect(people.getSnapshot().typing).toEqual([OTHER]);
  clock.advance(1);
  expect(people.getSnapshot().typing).toEqual([]);
});

test('people: presence is asked for once and kept up by what is told', async () => {
  void client.connect();
  const people = client.room(ROOM).people();
  people.subscribe(() => {});
  await flow();
  expect(people.getSnapshot()).toMatchObject({ count: 1, present: [ME] });
  server.tell({ type: 'presence', room: ROOM, count: 2, joined: [OTHER] });
  await flow();
  expect(people.getSnapshot()).toMatchObject({ count: 2, present: [ME, OTHER] });
  server.tell({ type: 'presence', room: ROOM, count: 1, left: [ME] });
  await flow();
  expect(people.getSnapshot()).toMatchObject({ count: 1, present: [OTHER] });
  server.tell({ type: 'presence', room: ROOM, count: 300 });
  await flow();
  expect(people.getSnapshot()).toMatchObject({ count: 300, present: undefined });
});

test('people: typing is said at once, again after 5 s, and taken back after a pause of 6 s', async () => {
  void client.connect();
  const people = client.room(ROOM).people();
  people.subscribe(() => {});
  await flow();
  for (const ms of [0, 1000, 1000, 3000]) {
    clock.advance(ms);
    people.typed();
  }
  clock.advance(6000);
  await flow();
  expect(server.typing).toEqual([true, true, false]);
  people.typed();
  people.stopped();
  await flow();
  expect(server.typing.slice(3)).toEqual([true, false]);
});

test("the list of one's rooms is loaded, goes on, and is loaded again over a new connection", async () => {
  const rooms = client.rooms(2);
  rooms.subscribe(() => {});
  server.rooms = ['a', 'b', 'c'];
  await flow();
  const ids = () => rooms.getSnapshot().rooms.map(({ room }) => room.id);
  expect([ids(), rooms.getSnapshot().hasMore]).toEqual([['a', 'b'], true]);
  void rooms.loadMore();
  expect(rooms.getSnapshot().loading).toBe(true);
  await flow();
  expect([ids(), rooms.getSnapshot().hasMore]).toEqual([['a', 'b', 'c'], false]);
  server.rooms = ['c', 'a', 'b'];
  void client.connect();
  await flow();
  expect(ids()).toEqual(['c', 'a', 'b']);
  void rooms.refresh();
  await settled();
  server.failOne();
  await settled();
  expect(rooms.getSnapshot()).toMatchObject({ loading: false, error: { code: 'network' } });
});

test('the list of rooms is kept up by watch: counts at once, the rest soon', async () => {
  void client.connect();
  await flow();
  server.rooms = ['a', 'b', 'c'];
  const rooms = client.rooms();
  rooms.subscribe(() => {});
  await flow();
  const shown = () => rooms.getSnapshot().rooms.map(({ room, unread }) => [room.id, unread]);
  expect([shown(), server.watches]).toEqual([
    [
      ['a', undefined],
      ['b', undefined],
      ['c', undefined],
    ],
    1,
  ]);
  const news = { type: 'activity', n: 5, seq: 9, sender: OTHER, unread: 2, mentions: 1, at: 'now' };
  server.tell({ ...news, room: 'c' });
  await flow();
  expect(shown()[0]).toEqual(['c', 2]);
  // News without a message: it was read on another device.
  server.tell({ ...news, room: 'a', n: 0, unread: 0 });
  await flow();
  expect(shown()).toEqual([
    ['c', 2],
    ['a', 0],
    ['b', undefined],
  ]);
  server.rooms = ['c', 'a', 'd'];
  server.tell({ type: 'rooms_changed', room: 'b', change: 'removed' });
  await flow();
  expect(shown().map(([id]) => id)).toEqual(['c', 'a']);
  server.tell({ type: 'rooms_changed', room: 'd', change: 'added' });
  await flow();
  clock.advance(250);
  await flow();
  expect(shown().map(([id]) => id)).toEqual(['c', 'a', 'd']);
  const waiting = client.once('waiting');
  server.cut();
  clock.advance((await waiting).delayMs);
  await flow();
  expect(server.watches).toBe(2);
});

test('watch is asked for once for a connection, and not for whoever signs in next', async () => {
  void client.connect();
  const heard: unknown[] = [];
  client.on('activity', ({ room }) => heard.push(room));
  const both = Promise.all([client.watch(), client.watch()]);
  await flow();
  expect((await both).map(({ type }) => type)).toEqual(['watching', 'watching']);
  expect(server.watches).toBe(1);
  server.tell({ type: 'activity', room: 'a', n: 1, seq: 1 });
  await flow();
  expect(heard).toEqual(['a']);
  const why = { code: 'session_revoked', action: 'login', close_id: 'c', message: 'ended' };
  server.tell({ type: 'goodbye', ...why });
  server.deliverOne();
  server.cut();
  void client.connect();
  await flow();
  expect([client.state, server.watches]).toEqual(['live', 1]);
});

test('a thread is the replies to one message: loaded, followed, and sent into', async () => {
  const root = server.publish(OTHER, 'op-root', 'root')['message_id'] as string;
  server.publish(OTHER, 'op-reply', 'reply', root);
  server.publish(OTHER, 'op-beside', 'beside');
  const thread = client.room<unknown>(ROOM).timeline({ thread: root, pageSize: 1 });
  thread.subscribe(() => {});
  void client.connect();
  await flow();
  expect(bodies(thread)).toEqual(['reply']);
  server.publish(OTHER, 'op-live-beside', 'live beside');
  const live = server.publish(OTHER, 'op-live', 'live', root)['message_id'] as string;
  server.edit(OTHER, live, 'edited');
  thread.send('mine');
  await flow();
  expect(bodies(thread)).toEqual(['reply', 'edited', 'mine']);
  expect(server.messages.at(-1)).toMatchObject({ sender: ME, reply_to: root });
  expect(thread.getSnapshot().messages.every(({ state }) => state === 'stored')).toBe(true);
  server.publish(OTHER, 'op-later', 'later', root);
  server.cut();
  clock.advance(60_000);
  await flow();
  expect(bodies(thread).at(-1)).toBe('later');
});
