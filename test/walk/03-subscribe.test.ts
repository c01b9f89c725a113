/** SUBSCRIBE: the policy of this moment decides, and rooms of others do not exist. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { connected } from '../support/sdk-client.js';
import { World, call, nodeA, nodeB, unique } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

describe('subscribe', () => {
  let world: World;
  let ada: SignedIn;
  let ben: SignedIn;

  beforeAll(async () => {
    world = await World.create();
    [ada, ben] = (await world.users('ada', 'ben')) as [SignedIn, SignedIn];
  });

  test('a member subscribes by id or slug and learns role, rights and seq', async () => {
    const slug = unique('room');
    const room = await world.room(ada, { slug }, [[ben, 'member']]);
    const client = await connected(nodeB(), ben);
    const answer = await client.room(slug).subscribe();
    expect(answer).toMatchObject({ room, role: 'member', seq: 0, recovered: true, replayed: 0 });
    expect(answer.can).toEqual(expect.arrayContaining(['read', 'publish', 'react', 'edit_own']));
    expect(answer.can).not.toContain('manage_room');
  });

  test('a private room of others and a room that does not exist are the same to a stranger', async () => {
    const room = await world.room(ada);
    const client = await connected(nodeA(), ben);
    await expect(client.room(room).subscribe()).rejects.toMatchObject({
      code: 'not_found',
      action: 'none',
    });
    await expect(client.room('no-such-room').subscribe()).rejects.toMatchObject({
      code: 'not_found',
      action: 'none',
    });
    expect(client.state).toBe('live');
  });

  test('another tenant sees nothing of it, whatever its visibility', async () => {
    const room = await world.room(ada, { visibility: 'public' });
    const stranger = await (await World.create()).user('eve', 'admin');
    const client = await connected(nodeA(), stranger);
    await expect(client.room(room).subscribe()).rejects.toMatchObject({ code: 'not_found' });
    await call(nodeA(), `/v1/rooms/${room}`, { token: stranger.token, expect: 404 });
  });

  test('an invitation is seen at once, on the other node too', async () => {
    const room = await world.room(ada);
    const client = await connected(nodeB(), ben);
    await expect(client.room(room).subscribe()).rejects.toMatchObject({ code: 'not_found' });
    await call(nodeA(), `/v1/rooms/${room}/members`, {
      token: ada.token,
      body: { user: ben.id, role: 'viewer' },
    });
    expect(await client.room(room).subscribe()).toMatchObject({ role: 'viewer' });
  });
});
