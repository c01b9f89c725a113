/** Timelines over two real nodes. */
import { expect, test } from '@jest/globals';
import type { Timeline } from '@wardroom/client';
import { connected } from '../../support/sdk-client.js';
import { call, nodeA, nodeB, World } from '../../support/world.js';

/** Waits until the snapshot is as wanted. */
async function until(
  timeline: Timeline<unknown>,
  isTrue: (snapshot: ReturnType<Timeline<unknown>['getSnapshot']>) => boolean,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const fail = () => reject(new Error(JSON.stringify(timeline.getSnapshot())));
    const timer = setTimeout(fail, 10_000);
    const look = () => {
      if (!isTrue(timeline.getSnapshot())) return;
      clearTimeout(timer);
      off();
      resolve();
    };
    const off = timeline.subscribe(look);
    queueMicrotask(look);
  });
}

test('two users on two nodes see the same list: sends, edits, reactions, deletions and what came before', async () => {
  const world = await World.create();
  const [ada, ben] = await world.users('ada', 'ben');
  const room = await world.room(ada!, {}, [[ben!, 'member']]);
  for (const body of ['one', 'two', 'three'])
    await call(nodeA(), `/v1/rooms/${room}/messages`, { token: ada!.token, body: { body } });
  const [a, b] = [await connected(nodeA(), ada!), await connected(nodeB(), ben!)];
  const lists = [a, b].map((client) => client.room<unknown>(room).timeline({ pageSize: 2 }));
  const [hers, his] = lists as [Timeline<unknown>, Timeline<unknown>];
  for (const list of lists) {
    list.subscribe(() => {});
    await until(list, ({ state }) => state === 'ready');
  }
  hers.send({ text: 'hello' });
  await until(his, ({ messages }) => messages.at(-1)?.mine === false && messages.length === 3);
  const id = his.getSnapshot().messages.at(-1)!.id!;
  await b.room(room).react(id, '+1');
  await a.room(room).edit(id, { text: 'hello all' });
  const first = hers.getSnapshot().messages[0]!.id!;
  await a.room(room).delete(first);
  for (const list of lists) {
    await until(list, ({ messages }) => messages[0]?.deletedAt !== null);
    void list.loadOlder();
    await until(list, ({ hasOlder }) => !hasOlder);
  }
  const shown = (list: Timeline<unknown>) =>
    list.getSnapshot().messages.map(({ body, deletedAt, reactions, state, n }) => ({
      body,
      isDeleted: deletedAt !== null,
      reactions: reactions.map(({ emoji, count, users }) => ({ emoji, count, users })),
      state,
      n,
    }));
  expect(shown(hers)).toEqual(shown(his));
  expect(shown(his).map(({ body }) => body)).toEqual(['one', null, 'three', { text: 'hello all' }]);
  expect(shown(his).at(-1)!.reactions).toEqual([{ emoji: '+1', count: 1, users: [ben!.id] }]);
});

test('a page of the history names the last durable event that it shows', async () => {
  const world = await World.create();
  const ada = await world.user('ada');
  const room = await world.room(ada);
  const path = `/v1/rooms/${room}/messages`;
  expect((await call(nodeA(), path, { token: ada.token })).body).toMatchObject({ seq: 0 });
  const { body } = await call(nodeA(), path, { token: ada.token, body: { body: 'one' } });
  const edit = { method: 'PATCH', token: ada.token, body: { body: 'two' } };
  await call(nodeA(), `${path}/${body.message_id}`, edit);
  for (const query of ['', '?after=0', '?before=2'])
    expect((await call(nodeB(), path + query, { token: ada.token })).body).toMatchObject({
      seq: 2,
      items: [{ seq: 1, body: 'two' }],
    });
});
