/**
 * CONNECT by first message: nothing but `auth` is heard before it, and what comes with it waits, in
 * order and bounded.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { LIMITS } from '@wardroom/protocol';
import { World, call, nodeA, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { expectClosed, open } from './harness.js';
import { RawSocket, bytesOf, jsonBytes } from './raw-socket.js';

const url = wsUrl(nodeA());
let world: World;
let ada: SignedIn;

beforeAll(async () => {
  world = await World.create();
  ada = await world.user('ada');
});

/**
 * Verified through Redis, so the frames behind it in the same packet arrive while it is being
 * verified.
 */
const ticket = async (): Promise<string> =>
  (await call(nodeA(), '/v1/auth/ticket', { method: 'POST', token: ada.token })).body.ticket;
const pings = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ type: 'ping', id: String(i + 1) }));

describe('before authentication', () => {
  test.each([
    ['ping', { type: 'ping', id: 'p' }],
    ['auth_refresh', () => ({ type: 'auth_refresh', token: ada.token })],
    ['subscribe', { type: 'subscribe', room: 'lobby' }],
    ['publish', { type: 'publish', room: 'lobby', op_id: 'o', body: 1 }],
    ['an unknown type', { type: 'hello' }],
    ['no JSON', 'hello'],
    ['an auth without a credential', { type: 'auth' }],
    ['an auth with two credentials', () => ({ type: 'auth', token: ada.token, ticket: 'wr_tk_x' })],
    ['an auth with an unknown field', () => ({ type: 'auth', token: ada.token, room: 'lobby' })],
  ])('%s as the first frame is 1008 auth_missing, without a hint', async (_, frame) => {
    const client = await open(url);
    client.send(typeof frame === 'function' ? frame() : frame);
    await expectClosed(client, 'auth_missing');
    expect(client.frames.map(({ type }) => type)).toEqual(['hello', 'goodbye']);
  });

  test('a first frame of more than 4 KiB is 1008 auth_missing, even a valid one; one of exactly 4 KiB is read', async () => {
    const padded = (bytes: number) =>
      JSON.stringify({ type: 'auth', token: ada.token }).padEnd(bytes, ' ');
    const tooBig = await open(url);
    tooBig.send(padded(LIMITS.authFrameBytes + 1));
    await expectClosed(tooBig, 'auth_missing');
    const fits = await open(url);
    fits.send(padded(LIMITS.authFrameBytes));
    await fits.next('auth_ok');
  });

  test('nothing is handled: a publish sent ahead of auth in one packet leaves no trace', async () => {
    const room = await world.room(ada);
    const peer = RawSocket.open(nodeA(), {
      more: jsonBytes(
        { type: 'publish', room, op_id: 'o', body: 'early' },
        { type: 'auth', token: ada.token },
      ),
    });
    expect((await peer.untilClosed()).reason).toMatchObject({ code: 'auth_missing' });
    const { body } = await call(nodeA(), `/v1/rooms/${room}/messages`, { token: ada.token });
    expect(body.items).toEqual([]);
  });

  test('nor is anything behind a credential that is refused', async () => {
    const room = await world.room(ada);
    const spent = await ticket();
    const first = await open(`${url}?ticket=${spent}`);
    await first.next('auth_ok');
    const peer = RawSocket.open(nodeA(), {
      more: jsonBytes(
        { type: 'auth', ticket: spent },
        { type: 'publish', room, op_id: 'o', body: 'early' },
      ),
    });
    expect((await peer.untilClosed()).reason).toMatchObject({ code: 'auth_invalid' });
    const { body } = await call(nodeA(), `/v1/rooms/${room}/messages`, { token: ada.token });
    expect(body.items).toEqual([]);
    expect(peer.frames.map(({ type }) => type)).toEqual(['hello', 'goodbye']);
  });
});

describe('while the credential is verified', () => {
  test(`${LIMITS.waitingFrames} frames wait and are answered in order`, async () => {
    const peer = RawSocket.open(nodeA(), {
      more: jsonBytes(
        { type: 'auth', ticket: await ticket(), id: 'a' },
        ...pings(LIMITS.waitingFrames),
      ),
    });
    await peer.until('all answers', ({ frames }) => frames.length === LIMITS.waitingFrames + 2);
    expect(peer.frames.slice(1).map(({ type, id }) => [type, id])).toEqual([
      ['auth_ok', 'a'],
      ...pings(LIMITS.waitingFrames).map(({ id }) => ['pong', id]),
    ]);
    peer.socket.destroy();
  });

  test('one more is 1013 rate_limited, and none of them is handled', async () => {
    const room = await world.room(ada);
    const publish = { type: 'publish', room, op_id: 'o', body: 'early' };
    const peer = RawSocket.open(nodeA(), {
      more: jsonBytes(
        { type: 'auth', ticket: await ticket() },
        publish,
        ...pings(LIMITS.waitingFrames),
      ),
    });
    expect(await peer.untilClosed()).toMatchObject({
      code: 1013,
      reason: { code: 'rate_limited', action: 'retry', retry_after_ms: expect.any(Number) },
    });
    expect(peer.frames.at(-1)).toMatchObject({ type: 'goodbye', code: 'rate_limited' });
    const { body } = await call(nodeA(), `/v1/rooms/${room}/messages`, { token: ada.token });
    expect(body.items).toEqual([]);
  });

  test('16 KiB wait, one byte more is 1013 rate_limited; behind a handshake credential too', async () => {
    const ping = '{"type":"ping","id":"x"}';
    const frames = (bytes: number) => [
      bytesOf(ping.padEnd(bytes - 100, ' ')),
      bytesOf(ping.padEnd(100, ' ')),
    ];
    const fits = RawSocket.open(nodeA(), {
      path: `/v1/ws?ticket=${await ticket()}`,
      more: Buffer.concat(frames(LIMITS.waitingBytes)),
    });
    await fits.until(
      'two pongs',
      (peer) => peer.frames.filter(({ type }) => type === 'pong').length === 2,
    );
    const tooMuch = RawSocket.open(nodeA(), {
      path: `/v1/ws?ticket=${await ticket()}`,
      more: Buffer.concat(frames(LIMITS.waitingBytes + 1)),
    });
    expect((await tooMuch.untilClosed()).reason).toMatchObject({ code: 'rate_limited' });
    fits.socket.destroy();
  });

  test('a subscribe and a publish sent with auth work as if they had waited for auth_ok', async () => {
    const room = await world.room(ada);
    const more = jsonBytes(
      { type: 'auth', ticket: await ticket() },
      { type: 'subscribe', room, id: 's' },
      { type: 'publish', room, op_id: 'o', body: 'hi', id: 'p' },
    );
    const peer = RawSocket.open(nodeA(), { more });
    await peer.until('ack and message', ({ frames }) =>
      ['ack', 'message'].every((wanted) => frames.some(({ type }) => type === wanted)),
    );
    expect(peer.frames.slice(0, 3).map(({ type }) => type)).toEqual([
      'hello',
      'auth_ok',
      'subscribed',
    ]);
    peer.socket.destroy();
  });
});
