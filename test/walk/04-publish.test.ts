/** PUBLISH: acknowledged after the commit, exactly once whatever is retried, refused by name. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { collect, connected } from '../support/sdk-client.js';
import { World, call, nodeA, nodeB } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

describe('publish', () => {
  let world: World;
  let ada: SignedIn;
  let ben: SignedIn;

  beforeAll(async () => {
    world = await World.create();
    [ada, ben] = (await world.users('ada', 'ben')) as [SignedIn, SignedIn];
  });

  test('an acknowledged publish is in history, with the value that was sent', async () => {
    const room = await world.room(ada);
    const client = await connected(nodeA(), ada);
    const body = { text: 'héllo ☂', nested: [1, 1.5, null, true, { '': '\u2028' }] };
    const ack = await client.room(room).publish(body);
    expect(ack).toMatchObject({ room, seq: 1, duplicate: false });
    const { body: page } = await call(nodeB(), `/v1/rooms/${room}/messages`, { token: ada.token });
    expect(page.items).toHaveLength(1);
    expect(page.items[0]).toMatchObject({
      message_id: ack.message_id,
      seq: 1,
      body,
      sender: ada.id,
    });
  });

  test('the same op_id has one effect through WebSocket and REST on both nodes; other content under it is a conflict', async () => {
    const room = await world.room(ada);
    const [a, b] = [await connected(nodeA(), ada), await connected(nodeB(), ada)];
    const first = await a.room(room).publish('hi', { opId: 'op-1' });
    const again = await b.room(room).publish('hi', { opId: 'op-1' });
    expect(again).toMatchObject({ message_id: first.message_id, seq: first.seq, duplicate: true });
    const rest = await call(nodeA(), `/v1/rooms/${room}/messages`, {
      token: ada.token,
      body: { body: 'hi' },
      headers: { 'idempotency-key': 'op-1' },
    });
    expect(rest.body).toMatchObject({ message_id: first.message_id, duplicate: true });
    await expect(b.room(room).publish('other', { opId: 'op-1' })).rejects.toMatchObject({
      code: 'op_conflict',
    });
  });

  test('publishes of one connection keep their order; seq has no hole over two nodes', async () => {
    const room = await world.room(ada, {}, [[ben, 'member']]);
    const [a, b] = [await connected(nodeA(), ada), await connected(nodeB(), ben)];
    const seen = collect<{ seq: number; body: unknown }>((listener) =>
      a.room(room).on('message', listener as never),
    );
    await a.room(room).subscribe();
    const burst = (client: typeof a, name: string) =>
      Promise.all(Array.from({ length: 20 }, (_, i) => client.room(room).publish(`${name}${i}`)));
    await Promise.all([burst(a, 'a'), burst(b, 'b')]);
    const events = await seen.until(40);
    expect(events.map((event) => event.seq)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    for (const name of ['a', 'b']) {
      expect(
        events.map((event) => String(event.body)).filter((body) => body.startsWith(name)),
      ).toEqual(Array.from({ length: 20 }, (_, i) => `${name}${i}`));
    }
  });

  test('every missing right has its own code', async () => {
    const [viewer, muted, plain] = (await world.users('vic', 'mia', 'pia')) as [
      SignedIn,
      SignedIn,
      SignedIn,
    ];
    const room = await world.room(ada, { visibility: 'public' }, [
      [viewer, 'viewer'],
      [muted, 'member'],
    ]);
    await call(nodeA(), `/v1/rooms/${room}/members/${muted.id}`, {
      method: 'PATCH',
      token: ada.token,
      body: { muted_until: new Date(Date.now() + 60_000).toISOString() },
    });
    const refusal = async (user: SignedIn) =>
      (await connected(nodeB(), user))
        .room(room)
        .publish('x')
        .then(
          () => 'accepted',
          (error) => error.code,
        );
    expect(await refusal(viewer)).toBe('read_only');
    expect(await refusal(muted)).toBe('muted');
    expect(await refusal(plain)).toBe('not_a_member');
    await call(nodeA(), `/v1/rooms/${room}/members`, {
      token: ada.token,
      body: { user: plain.id, role: 'member' },
    });
    expect(await refusal(plain)).toBe('accepted');
    await call(nodeA(), `/v1/rooms/${room}`, {
      method: 'PATCH',
      token: ada.token,
      body: { posting: 'moderators' },
    });
    expect(await refusal(plain)).toBe('read_only');
  });
});
