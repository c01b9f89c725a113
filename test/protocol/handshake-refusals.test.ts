/**
 * CONNECT: what is refused before the upgrade, readable as HTTP, and what is accepted, told and
 * closed (contract section 4).
 */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { CLOSE_CODES } from '@wardroom/protocol';
import { World, call, nodeA, unique, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { badToken, expectClosed, expectProblem, expectRefused, open, within } from './harness.js';
import { RawSocket } from './raw-socket.js';

const origin = process.env['TEST_ALLOWED_ORIGIN']!;
const url = wsUrl(nodeA());
let ada: SignedIn;
let world: World;

beforeAll(async () => {
  world = await World.create();
  ada = await world.user('ada');
});

describe('refused before the upgrade', () => {
  const token = () => ada.token;
  test.each<[string, () => Parameters<typeof open>]>([
    [
      'header and subprotocol',
      () => [url, { token: token(), protocols: ['wardroom.v1', `bearer.${token()}`] }],
    ],
    ['header and ticket', () => [`${url}?ticket=wr_tk_x`, { token: token() }]],
    [
      'subprotocol and ticket',
      () => [`${url}?ticket=wr_tk_x`, { protocols: ['wardroom.v1', `bearer.${token()}`] }],
    ],
    ['two tickets', () => [`${url}?ticket=wr_tk_x&ticket=wr_tk_y`, {}]],
    [
      'two bearer subprotocols',
      () => [url, { protocols: ['wardroom.v1', `bearer.${token()}`, `bearer.${badToken()}`] }],
    ],
  ])('two credentials are 400 two_credentials: %s', async (_, how) => {
    await expectRefused(open(...how()), 'two_credentials', 400);
  });

  test('bearer. without wardroom.v1 is 400', async () => {
    await expectRefused(open(url, { protocols: [`bearer.${ada.token}`] }), 'invalid_request', 400);
  });

  test('?token= while QUERY_TOKEN is off is 400 for a client without an Origin, and the detail says what to do', async () => {
    const refused = await open(`${url}?token=${ada.token}`).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', action: 'none', detail: CLOSE_CODES.carrier_off.message },
    });
    expect(CLOSE_CODES.carrier_off.message).toMatch(
      /switched off.*`auth` frame.*subprotocol.*ticket/,
    );
  });

  test.each([
    'https://evil.example.com',
    'https://app.example.com.evil.org',
    'http://app.example.com',
    'null',
  ])('Origin %s is 403 origin_refused, whatever the credential', async (foreign) => {
    await expectRefused(open(url, { origin: foreign, token: ada.token }), 'origin_refused');
    await expectRefused(
      open(url, { origin: foreign, headers: { cookie: `wr_at=${ada.token}` } }),
      'origin_refused',
    );
  });

  test.each([
    ...[
      '/v1/ws/',
      '/v1/wss',
      '/',
      '/wss',
      '/ws/',
      '/WS',
      '/v2/ws',
      '//ws',
      '/x/../ws',
      '//',
      '/v1/WS',
      '/V1/ws',
      '/v1/%77s',
      '/v1/ws#',
      '/v1/ws;a',
      '/v1\\ws',
      'http://evil/v1/ws',
    ],
    ...[
      '//evil/v1/ws',
      '/public/../v1/ws',
      '/v1/./ws',
      '/v1//ws',
      '/public/%2e%2e/v1/ws',
      '//evil/v1/ws?ticket=x',
    ],
  ])('path %s is 404: a target is compared as it stands', async (path) => {
    const peer = RawSocket.open(nodeA(), { path });
    await peer.ended;
    expectRawProblem(peer, 'not_found', 404);
  });

  test.each([
    ['of no shape', `Bearer ${unique('not-a-token')}`],
    ['with a wrong signature', `Bearer ${badToken()}`],
    ['of another scheme', 'Basic YTpi'],
    ['without a token', 'Bearer error="invalid_token"'],
    ['of two tokens', 'Bearer a b'],
  ])('a bad Authorization %s, without an Origin, is 401 auth_invalid', async (_, authorization) => {
    await expectRefused(open(url, { headers: { authorization } }), 'auth_invalid');
  });

  test('a good token without a scheme, or under another, is 401 auth_invalid', async () => {
    for (const authorization of [token(), `Token ${token()}`, `Bearer${token()}`])
      await expectRefused(open(url, { headers: { authorization } }), 'auth_invalid');
    (await open(url, { headers: { authorization: `BEARER ${token()}` } })).close();
  });

  test('a revoked session in the header, without an Origin, is 401 with its own code', async () => {
    const ben = await world.user('ben');
    await call(nodeA(), '/v1/auth/logout', { method: 'POST', token: ben.token });
    await expectRefused(open(url, { token: ben.token }), 'session_revoked');
  });

  test.each<[string, Parameters<typeof RawSocket.open>[1]]>([
    ['without a key', { headers: { 'Sec-WebSocket-Key': '' } }],
    ['of WebSocket version 12', { headers: { 'Sec-WebSocket-Version': '12' } }],
  ])('a handshake %s is a problem, 400', async (_, how) => {
    const peer = RawSocket.open(nodeA(), how);
    await peer.ended;
    expectRawProblem(peer, 'invalid_request', 400);
    expect(peer.head.toLowerCase()).toContain('sec-websocket-version: 13');
  });
});

test('a handshake by another method is 405 and names GET', async () => {
  const peer = RawSocket.open(nodeA(), { method: 'POST', headers: { 'Content-Length': '0' } });
  await peer.ended;
  expectRawProblem(peer, 'method_not_allowed', 405);
  expect(peer.head).toMatch(/^Allow: GET$/m);
});

describe('accepted, told and closed, because a browser cannot read an HTTP status', () => {
  test.each<[string, () => Parameters<typeof open>]>([
    ['header, with an Origin', () => [url, { origin, token: badToken() }]],
    [
      'header of another scheme, with an Origin',
      () => [url, { origin, headers: { authorization: 'Basic YTpi' } }],
    ],
    ['subprotocol', () => [url, { protocols: ['wardroom.v1', `bearer.${badToken()}`] }]],
    ['empty subprotocol', () => [url, { protocols: ['wardroom.v1', 'bearer.'] }]],
    ['ticket', () => [`${url}?ticket=wr_tk_${badToken().slice(-43)}`, {}]],
    ['empty ticket', () => [`${url}?ticket=`, {}]],
    ['cookie', () => [url, { origin, headers: { cookie: `wr_at=${badToken()}` } }]],
  ])('a bad credential by %s is 1008 auth_invalid', async (_, how) => {
    const client = await open(...how());
    expect(await expectClosed(client, 'auth_invalid')).not.toHaveProperty('retry_after_ms');
    expect(client.of('auth_ok')).toEqual([]);
  });

  test.each([
    ['a token that is none', { token: unique('x') }],
    ['a token with a wrong signature', { token: badToken() }],
    ['a ticket that is none', { ticket: unique('x') }],
  ])('a first message with %s is 1008 auth_invalid', async (_, credential) => {
    const client = await open(url);
    client.send({ type: 'auth', ...credential });
    await expectClosed(client, 'auth_invalid');
  });

  test.each(['a good token', 'a bad one', 'none'])(
    '?token= with %s from a page, while QUERY_TOKEN is off, is 1008 carrier_off: stop',
    async (what) => {
      const token = { 'a good token': ada.token, 'a bad one': badToken(), none: '' }[what]!;
      const client = await open(`${url}?token=${token}`, { origin });
      expect(await expectClosed(client, 'carrier_off')).toMatchObject({ action: 'stop' });
      expect(client.frames.map(({ type }) => type)).toEqual(['hello', 'goodbye']);
    },
  );

  test('a revoked session by subprotocol and by first message is 1008 session_revoked', async () => {
    const ben = await world.user('ben');
    await call(nodeA(), '/v1/auth/logout', { method: 'POST', token: ben.token });
    const byMessage = await open(url);
    byMessage.send({ type: 'auth', token: ben.token });
    for (const client of [
      byMessage,
      await open(url, { protocols: ['wardroom.v1', `bearer.${ben.token}`] }),
    ])
      await expectClosed(client, 'session_revoked');
  });
});

function expectRawProblem(
  peer: RawSocket,
  code: Parameters<typeof expectProblem>[3],
  status: number,
): void {
  const [statusLine, ...lines] = peer.head.split('\r\n');
  expect(statusLine).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  const headers = new Map(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  expectProblem(status, (name) => headers.get(name) ?? null, JSON.parse(peer.body), code);
}

test.each(['as soon as it is refused', 'before it knows'])(
  'a refused client that keeps its connection and talks on, %s, is cut off within a second or two',
  async (when) => {
    const address = new URL(nodeA());
    const socket = connect({
      port: Number(address.port),
      host: address.hostname,
      allowHalfOpen: true,
    });
    const over = new Promise<void>((resolve) =>
      socket.on('error', () => undefined).once('close', () => resolve()),
    );
    const heard = new Promise<string>((resolve) =>
      socket.once('data', (chunk: Buffer) => resolve(chunk.toString())),
    );
    const talk = (): boolean => socket.write('more ');
    socket.write(
      `GET /v1/ws HTTP/1.1\r\nHost: ${address.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
        `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer ${unique('not-a-token')}\r\n\r\n`,
    );
    if (when === 'before it knows') talk();
    expect(await heard).toMatch(/^HTTP\/1\.1 401 /);
    const talking = setInterval(talk, 50);
    await within(over, 'the end of the connection').finally(() => clearInterval(talking));
  },
);

describe('an offer to upgrade to something else', () => {
  test('is ignored: the call is answered as plain HTTP, with its body', async () => {
    const address = new URL(nodeA());
    const body = JSON.stringify({ visibility: 'private', name: unique('offered') });
    const socket = connect(Number(address.port), address.hostname);
    socket.write(
      `POST /v1/rooms HTTP/1.1\r\nHost: ${address.host}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n` +
        `Authorization: Bearer ${ada.token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 10)}`,
    );
    // The rest comes when the server has the first part: it reads both in their order.
    await new Promise((resolve) => socket.write('', resolve));
    socket.write(body.slice(10));
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 201 /);
    expect(answer).toContain('"visibility":"private"');
  });
});
