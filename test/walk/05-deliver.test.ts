/**
 * DELIVER: to every subscriber on every node, in order, once; what was missed comes back in order.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { collect, connected } from '../support/sdk-client.js';
import { World, nodeA, nodeB } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

describe('deliver', () => {
  let world: World;
  let ada: SignedIn;
  let ben: SignedIn;

  beforeAll(async () => {
    world = await World.create();
    [ada, ben] = (await world.users('ada', 'ben')) as [SignedIn, SignedIn];
  });

  test('message, edit, reaction and deletion reach the other node in one order of seq', async () => {
    const room = await world.room(ada, {}, [[ben, 'member']]);
    const [a, b] = [await connected(nodeA(), ada), await connected(nodeB(), ben)];
    const seen = collect<{ type: string; seq: number }>((listener) => {
      for (const type of ['message', 'message_edited', 'reaction', 'message_deleted'] as const)
        b.room(room).on(type, listener as never);
    });
    await b.room(room).subscribe();
    const mine = a.room(room);
    const { message_id } = await mine.publish({ text: 'first' });
    await mine.edit(message_id, { text: 'second' });
    await b.room(room).react(message_id, '👍');
    await mine.delete(message_id);
    expect((await seen.until(4)).map(({ type, seq }) => [type, seq])).toEqual([
      ['message', 1],
      ['message_edited', 2],
      ['reaction', 3],
      ['message_deleted', 4],
    ]);
    expect(seen.items[1]).toMatchObject({ message_id, sender: ada.id, body: { text: 'second' } });
    expect(seen.items[2]).toMatchObject({ message_id, sender: ben.id, emoji: '👍', on: true });
  });

  test('subscribe since replays what was missed, in order, then goes live', async () => {
    const room = await world.room(ada, {}, [[ben, 'member']]);
    const a = await connected(nodeA(), ada);
    for (let i = 1; i <= 30; i += 1) await a.room(room).publish(i);
    const b = await connected(nodeB(), ben);
    const seen = collect<{ seq: number; body: unknown }>((listener) =>
      b.room(room).on('message', listener as never),
    );
    const answer = await b.room(room).subscribe({ since: 10 });
    expect(answer).toMatchObject({ seq: 30, recovered: true, replayed: 20 });
    await a.room(room).publish(31);
    expect((await seen.until(21)).map((event) => event.body)).toEqual(
      Array.from({ length: 21 }, (_, i) => i + 11),
    );
  });

  test('signals and typing reach who is there and leave no trace', async () => {
    const room = await world.room(ada, {}, [[ben, 'member']]);
    const [a, b] = [await connected(nodeA(), ada), await connected(nodeB(), ben)];
    const signals = collect<{ sender: string; kind: string; body: unknown }>((listener) =>
      b.room(room).on('signal', listener as never),
    );
    const typing = collect<{ sender: string; on: boolean }>((listener) =>
      b.room(room).on('typing', listener as never),
    );
    await b.room(room).subscribe();
    await a.room(room).subscribe();
    await a.room(room).signal('cursor', { x: 1 });
    a.room(room).typing(true);
    expect((await signals.until(1))[0]).toMatchObject({
      sender: ada.id,
      kind: 'cursor',
      body: { x: 1 },
    });
    expect((await typing.until(1))[0]).toMatchObject({ sender: ada.id, on: true });
    expect((await b.room(room).history({})).items).toEqual([]);
  });

  test('presence joins both nodes, as deltas and when asked', async () => {
    const room = await world.room(ada, {}, [[ben, 'member']]);
    const [a, b] = [await connected(nodeA(), ada), await connected(nodeB(), ben)];
    const deltas = collect<{ joined?: string[]; left?: string[] }>((listener) =>
      a.room(room).on('presence', listener as never),
    );
    await a.room(room).subscribe();
    await deltas.until(1);
    await b.room(room).subscribe();
    await deltas.until(2);
    expect(deltas.items.flatMap((delta) => delta.joined ?? []).sort()).toEqual(
      [ada.id, ben.id].sort(),
    );
    expect(await a.room(room).presence()).toMatchObject({
      count: 2,
      users: expect.arrayContaining([ada.id, ben.id]),
    });
    b.close();
    await deltas.until(3);
    expect(deltas.items[2]).toMatchObject({ left: [ben.id] });
  });
});
