/** The headers that a browser gets, and those that the WebSocket handshake takes and gives. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { RawSocket, bytesOf } from '../protocol/raw-socket.js';
import { World, nodeA } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

const ORIGIN = 'https://app.example.com';
let ada: SignedIn;

beforeAll(async () => {
  ada = await (await World.create()).user('ada');
});

const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(nodeA() + path, { method, headers });

describe('every answer', () => {
  test.each([
    ['good', () => get('/v1/me', { authorization: `Bearer ${ada.token}` }), 200],
    ['a problem', () => get('/v1/me'), 401],
    ['of no route', () => get('/nowhere'), 404],
    ['a document', () => get('/openapi.json'), 200],
  ])('%s: may not be framed, sniffed, or load anything', async (_, ask, status) => {
    const { headers, status: answered } = await ask();
    expect(answered).toBe(status);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('strict-transport-security')).toMatch(/max-age=\d{7,}/);
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('CORS', () => {
  test('an allowed origin is named, with credentials, and caches are told', async () => {
    const { headers } = await get('/v1/me', { origin: ORIGIN });
    expect(headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(headers.get('vary')).toContain('Origin');
  });

  test.each([
    'https://evil.example.com',
    `${ORIGIN}.evil.org`,
    'http://app.example.com',
    'null',
    'https://APP.example.com.',
  ])('%s is not', async (origin) => {
    for (const method of ['GET', 'OPTIONS']) {
      const { headers } = await get(
        '/v1/me',
        { origin, 'access-control-request-method': 'POST' },
        method,
      );
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});

describe('the handshake', () => {
  const answered = async (headers: Record<string, string>): Promise<RawSocket> => {
    const peer = RawSocket.open(nodeA(), { headers });
    await peer.until('answer', ({ head }) => head !== '');
    peer.socket.destroy();
    return peer;
  };

  test('takes no compression, whatever is offered: what is sent beside a secret says nothing of it', async () => {
    const { head } = await answered({
      'Sec-WebSocket-Extensions':
        'permessage-deflate; client_max_window_bits, x-webkit-deflate-frame',
    });
    expect(head).toContain(' 101 ');
    expect(head.toLowerCase()).not.toContain('sec-websocket-extensions');
  });

  test.each([
    ['a version before RFC 6455', { 'Sec-WebSocket-Version': '0' }],
    [
      'hixie-76 keys',
      {
        'Sec-WebSocket-Version': '',
        'Sec-WebSocket-Key': '',
        'Sec-WebSocket-Key1': '4 @1  46546xW%0l 1 5',
        'Sec-WebSocket-Key2': '12998 5 Y3 1  .P00',
      },
    ],
    ['a key of the wrong length', { 'Sec-WebSocket-Key': 'AAAA' }],
  ])('refuses %s, and names the version it speaks', async (_, headers) => {
    const { head } = await answered(headers as unknown as Record<string, string>);
    expect(head).toMatch(/^HTTP\/1\.1 400 /);
    expect(head).toMatch(/sec-websocket-version: 13/i);
  });

  test('takes the origin as it stands: another case, a port, a path or a space is another origin', async () => {
    for (const origin of [
      ORIGIN.toUpperCase(),
      `${ORIGIN}:443`,
      `${ORIGIN}/`,
      `${ORIGIN} https://evil.example.com`,
      `https://evil.example.com/${ORIGIN}`,
    ]) {
      expect((await answered({ Origin: origin })).head).toMatch(/^HTTP\/1\.1 403 /);
    }
    expect((await answered({ Origin: ORIGIN })).head).toContain(' 101 ');
  });

  test('masks nothing it sends and takes nothing unmasked', async () => {
    const peer = RawSocket.open(nodeA());
    await peer.until('hello', ({ frames }) => frames.length > 0);
    peer.socket.write(bytesOf('{"type":"ping"}', { mask: false }));
    expect(await peer.untilClosed()).toMatchObject({
      code: 1002,
      reason: { code: 'protocol_error' },
    });
  });

  test('a header of more than 16 KiB is refused before anything is read of it', async () => {
    const { head } = await answered({ 'X-Filler': 'x'.repeat(17_000) });
    expect(head).toMatch(/^HTTP\/1\.1 431 /);
  });
});
