/**
 * Closes that the WebSocket layer starts itself carry the same JSON reason and `goodbye` as ours
 * (contract section 6).
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { CLOSE_CODES, LIMITS, closeReasonSchema } from '@wardroom/protocol';
import type { CloseCode } from '@wardroom/protocol';
import { World, nodeA, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { expectClosed, expectLegalFrames, live, within } from './harness.js';
import { OP, RawSocket, bytesOf } from './raw-socket.js';

const FRAME_BYTES_MAX = 65_536;
let ada: SignedIn;

beforeAll(async () => {
  ada = await (await World.create()).user('ada');
});

async function liveSocket(): Promise<RawSocket> {
  const peer = RawSocket.open(nodeA(), { headers: { Authorization: `Bearer ${ada.token}` } });
  await peer.until('auth_ok', ({ frames }) => frames.some(({ type }) => type === 'auth_ok'));
  return peer;
}

describe('a peer that breaks the transport is told why', () => {
  const text = JSON.stringify({ type: 'ping' });
  test.each<[string, CloseCode, () => Buffer]>([
    ['an unmasked frame', 'protocol_error', () => bytesOf(text, { mask: false })],
    ['a reserved bit', 'protocol_error', () => bytesOf(text, { reserved: 4 })],
    [
      'a compressed frame without the extension',
      'protocol_error',
      () => bytesOf(text, { reserved: 4, op: OP.text }),
    ],
    ['an unknown opcode', 'protocol_error', () => bytesOf(text, { op: 3 })],
    ['a continuation of nothing', 'protocol_error', () => bytesOf(text, { op: 0 })],
    ['a fragmented ping', 'protocol_error', () => bytesOf('x', { op: OP.ping, fin: false })],
    ['a ping of 126 bytes', 'protocol_error', () => bytesOf('x'.repeat(126), { op: OP.ping })],
    [
      'a close code that may not be sent',
      'protocol_error',
      () => bytesOf(Buffer.from([0x03, 0xed]), { op: OP.close }),
    ],
    [
      'a text frame that is no UTF-8',
      'invalid_utf8',
      () => bytesOf(Buffer.from([0xff, 0xfe, 0x22])),
    ],
    [
      'a surrogate as UTF-8 bytes',
      'invalid_utf8',
      () => bytesOf(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])),
    ],
    ['a binary frame', 'unsupported_data', () => bytesOf(text, { op: OP.binary })],
    ['a frame one byte too big', 'too_big', () => bytesOf('x'.repeat(FRAME_BYTES_MAX + 1))],
    [
      'fragments that are too big together',
      'too_big',
      () =>
        Buffer.concat([
          bytesOf('x'.repeat(40_000), { fin: false }),
          bytesOf('x'.repeat(40_000), { op: 0 }),
        ]),
    ],
    [
      'more than 64 fragments',
      'policy_violation',
      () =>
        Buffer.concat([
          bytesOf('x', { fin: false }),
          ...Array.from({ length: 65 }, () => bytesOf('x', { op: 0, fin: false })),
        ]),
    ],
  ])('%s: %s', async (_, code, bytes) => {
    const peer = await liveSocket();
    peer.socket.write(bytes());
    const { code: status, reason } = await peer.untilClosed();
    expect(status).toBe(CLOSE_CODES[code].status);
    expect(Buffer.byteLength(peer.close!.raw)).toBeLessThanOrEqual(LIMITS.closeReasonBytes);
    expect(closeReasonSchema.parse(reason)).toMatchObject({
      code,
      action: CLOSE_CODES[code].action,
    });
    expect(peer.frames.at(-1)).toEqual({
      type: 'goodbye',
      message: CLOSE_CODES[code].message,
      ...reason,
    });
    expectLegalFrames(peer.frames);
    await within(peer.ended, 'end of the TCP connection', 3_000);
  });

  test('the largest frame that is allowed is read', async () => {
    const client = await live(wsUrl(nodeA()), ada.token);
    client.send('{"type":"ping","id":"big"}'.padEnd(FRAME_BYTES_MAX, ' '));
    expect(await client.next('pong')).toMatchObject({ id: 'big' });
    client.send(' '.repeat(FRAME_BYTES_MAX + 1));
    await expectClosed(client, 'too_big');
  });

  test('a message in 64 fragments is read', async () => {
    const peer = await liveSocket();
    const parts = JSON.stringify({ type: 'ping', id: 'f' }).padEnd(64, ' ').split('');
    peer.socket.write(
      Buffer.concat(
        parts.map((part, i) =>
          bytesOf(part, { op: i === 0 ? OP.text : 0, fin: i === parts.length - 1 }),
        ),
      ),
    );
    await peer.until('pong', ({ frames }) => frames.some(({ id }) => id === 'f'));
    peer.socket.destroy();
  });
});

describe('the end of a closed connection', () => {
  test('comes within a second also when the peer does not answer the close', async () => {
    const peer = await liveSocket();
    peer.socket.write(bytesOf('x', { op: OP.binary }));
    await peer.untilClosed();
    const beganMs = performance.now();
    await within(peer.ended, 'end of the TCP connection');
    expect(performance.now() - beganMs).toBeLessThan(1_500);
  });

  test('nothing that is sent after goodbye is handled', async () => {
    const peer = await liveSocket();
    peer.socket.write(
      Buffer.concat([
        bytesOf('x', { op: OP.binary }),
        bytesOf(JSON.stringify({ type: 'ping', id: 'late' })),
      ]),
    );
    await peer.untilClosed();
    peer.send({ type: 'ping', id: 'later' });
    await peer.ended;
    expect(peer.frames.filter(({ type }) => type === 'pong')).toEqual([]);
  });

  test.each([1000, 1001, 4999])(
    'a client that closes with %s gets its status back, without its text',
    async (status) => {
      const client = await live(wsUrl(nodeA()), ada.token);
      client.ws.close(status, 'eyJ my own words');
      expect(await client.closed).toMatchObject({ code: status, raw: '' });
      expect(client.of('goodbye')).toEqual([]);
    },
  );

  test('a client that closes without a status gets none', async () => {
    const client = await live(wsUrl(nodeA()), ada.token);
    client.ws.close();
    expect(await client.closed).toMatchObject({ code: 1005, raw: '' });
  });
});
