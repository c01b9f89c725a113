/**
 * W17: who types stops: after ten seconds, with the subscription, with the connection - on all
 * nodes.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { LIMITS } from '@wardroom/protocol';
import { World, call, nodeA, nodeB, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import type { RawClient } from '../support/raw-client.js';
import { live } from './harness.js';

let world: World;
let ada: SignedIn;
let ben: SignedIn;

beforeAll(async () => {
  world = await World.create();
  [ada, ben] = (await world.users('ada', 'ben')) as [SignedIn, SignedIn];
});

const isTyping =
  (room: string, on: boolean) =>
  (frame: any): boolean =>
    frame.type === 'typing' && frame.room === room && frame.sender === ben.id && frame.on === on;

/** Ben types on node a; ada hears it there and on node b. */
async function scene(): Promise<{ room: string; typist: RawClient; ears: RawClient[] }> {
  const room = await world.room(ada, {}, [[ben, 'member']]);
  const ears = [await live(wsUrl(nodeA()), ada.token), await live(wsUrl(nodeB()), ada.token)];
  for (const ear of ears) await ear.subscribe(room);
  const typist = await live(wsUrl(nodeA()), (await world.login(ben)).token);
  await typist.subscribe(room);
  typist.send({ type: 'typing', room, on: true });
  for (const ear of ears) await ear.next(isTyping(room, true));
  return { room, typist, ears };
}

describe('`typing` `on` is followed by `on: false` to all, on every node', () => {
  test.each<[string, (typist: RawClient, room: string) => unknown]>([
    ['when the connection closes', (typist) => typist.close()],
    ['when the connection dies', (typist) => typist.ws.terminate()],
    ['when the subscription ends', (typist, room) => typist.send({ type: 'unsubscribe', room })],
    [
      'when its session is ended',
      (typist) =>
        call(nodeB(), '/v1/auth/sessions/' + typist.of('auth_ok')[0].session_id, {
          token: ben.token,
          method: 'DELETE',
        }),
    ],
    [
      'when the member is removed',
      (_, room) =>
        call(nodeB(), `/v1/rooms/${room}/members/${ben.id}`, {
          token: ada.token,
          method: 'DELETE',
        }),
    ],
    ['when the client says so', (typist, room) => typist.send({ type: 'typing', room, on: false })],
  ])('%s', async (_, end) => {
    const { room, typist, ears } = await scene();
    await end(typist, room);
    for (const ear of ears) await ear.next(isTyping(room, false), 3_000);
    for (const ear of ears) {
      await ear.settled();
      expect(ear.frames.filter(isTyping(room, false))).toHaveLength(1);
    }
  });

  test(`by itself ${LIMITS.typingMs / 1000} s after it was said last, and not before`, async () => {
    const { room, ears, typist } = await scene();
    // Subscribing again is no end.
    await typist.subscribe(room, 0);
    const beganMs = performance.now();
    await ears[1]!.next(isTyping(room, false), LIMITS.typingMs + 3_000);
    expect(performance.now() - beganMs).toBeGreaterThan(LIMITS.typingMs - 1_500);
    await ears[0]!.next(isTyping(room, false), 1_000);
  });
});
