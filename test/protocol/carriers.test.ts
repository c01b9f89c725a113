/**
 * CONNECT: every way a credential can come with a WebSocket (contract section 4) leads to the same
 * context.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { LIMITS } from '@wardroom/protocol';
import { World, call, nodeA, nodeB, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { expectClosed, open } from './harness.js';
import { RawSocket, jsonBytes } from './raw-socket.js';

type Opening = Parameters<typeof open>;

const origin = process.env['TEST_ALLOWED_ORIGIN']!;
const url = wsUrl(nodeA());
let world: World;
let ada: SignedIn;

beforeAll(async () => {
  world = await World.create();
  ada = await world.user('ada');
});

const ticketOf = async (user: SignedIn, headers: Record<string, string> = {}): Promise<string> =>
  (await call(nodeA(), '/v1/auth/ticket', { method: 'POST', token: user.token, headers })).body
    .ticket;
const uuid = expect.stringMatching(
  /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
);
const helloFrame = {
  type: 'hello',
  connection_id: uuid,
  server_time_ms: expect.any(Number),
  auth_deadline_ms: 5000,
  heartbeat_ms: expect.any(Number),
  protocol: 'wardroom.v1',
};
const authOk = (user: SignedIn) => ({
  type: 'auth_ok',
  session_id: user.session,
  user_id: user.id,
  tenant_id: user.tenant,
  expires_in_ms: expect.any(Number),
  refresh_after_ms: expect.any(Number),
  refresh_before_ms: expect.any(Number),
  server_time_ms: expect.any(Number),
});

describe('a credential in the handshake', () => {
  const carriers: [string, () => Promise<Opening>][] = [
    ['header', async () => [url, { token: ada.token }]],
    [
      'header, lower-case scheme',
      async () => [url, { headers: { authorization: `bearer ${ada.token}` } }],
    ],
    ['header, from an allowed Origin', async () => [url, { token: ada.token, origin }]],
    ['subprotocol', async () => [url, { protocols: ['wardroom.v1', `bearer.${ada.token}`] }]],
    [
      'subprotocol, the other way round',
      async () => [url, { protocols: [`bearer.${ada.token}`, 'wardroom.v1'] }],
    ],
    ['ticket', async () => [`${url}?ticket=${await ticketOf(ada)}`, {}]],
    [
      'ticket, on the other node',
      async () => [`${wsUrl(nodeB())}?ticket=${await ticketOf(ada)}`, {}],
    ],
    [
      'ticket, from the Origin that asked for it',
      async () => [`${url}?ticket=${await ticketOf(ada, { origin })}`, { origin }],
    ],
    [
      'cookie, from an allowed Origin',
      async () => [url, { origin, headers: { cookie: `theme=dark; wr_at=${ada.token}` } }],
    ],
  ];

  test.each(carriers)(
    'is accepted by %s; hello and auth_ok come first, and only wardroom.v1 is named',
    async (_, how) => {
      const client = await open(...(await how()));
      expect(client.ws.protocol).toBe('wardroom.v1');
      await client.next('auth_ok');
      expect(client.frames).toEqual([helloFrame, authOk(ada)]);
      const { expires_in_ms, refresh_after_ms, refresh_before_ms } = client.frames[1];
      expect([0, refresh_after_ms, refresh_before_ms, expires_in_ms, 300_001]).toEqual(
        [0, refresh_after_ms, refresh_before_ms, expires_in_ms, 300_001].sort((a, b) => a - b),
      );
    },
  );

  test('needs no subprotocol, and none is answered then', async () => {
    const client = await open(url, { protocols: [], token: ada.token });
    expect(client.ws.protocol).toBe('');
    expect(await client.next('auth_ok')).toMatchObject({ session_id: ada.session });
  });

  test('brings its own expiry: a ticket does not lengthen the life of the token behind it', async () => {
    const direct = await open(url, { token: ada.token });
    const byTicket = await open(`${url}?ticket=${await ticketOf(ada)}`);
    const [first, second] = [await direct.next('auth_ok'), await byTicket.next('auth_ok')];
    const end = (frame: any) => frame.server_time_ms + frame.expires_in_ms;
    expect(Math.abs(end(first) - end(second))).toBeLessThan(50);
  });

  test('lets frames in the same packet wait: they are answered in order after auth_ok', async () => {
    for (const path of [`/v1/ws?ticket=${await ticketOf(ada)}`, '/v1/ws']) {
      const headers =
        path === '/v1/ws' ? { 'Sec-WebSocket-Protocol': `wardroom.v1, bearer.${ada.token}` } : {};
      const peer = RawSocket.open(nodeA(), {
        path,
        headers: headers as Record<string, string>,
        more: jsonBytes({ type: 'ping', id: '1' }, { type: 'ping', id: '2' }),
      });
      await peer.until('two pongs', ({ frames }) => frames.length >= 4);
      expect(peer.frames.map((frame) => [frame.type, frame.id])).toEqual([
        ['hello', undefined],
        ['auth_ok', undefined],
        ['pong', '1'],
        ['pong', '2'],
      ]);
      peer.socket.destroy();
    }
  });
});

describe('a credential in the first message', () => {
  test('is accepted as token and as ticket, and auth_ok carries the id', async () => {
    for (const credential of [{ token: ada.token }, { ticket: await ticketOf(ada) }]) {
      const client = await open(url);
      expect(await client.ask({ type: 'auth', ...credential })).toEqual({
        ...authOk(ada),
        id: expect.any(String),
      });
    }
  });

  test('decides when a cookie came without an Origin, or with ?auth=message', async () => {
    const cookie = `wr_at=${(await world.user('ben')).token}`;
    for (const client of [
      await open(url, { headers: { cookie } }),
      await open(`${url}?auth=message`, { origin, headers: { cookie } }),
    ]) {
      expect(await client.ask({ type: 'auth', token: ada.token })).toMatchObject({
        type: 'auth_ok',
        user_id: ada.id,
      });
      expect(client.of('auth_ok')).toHaveLength(1);
    }
  });

  test('is asked again for nothing: a second auth is an invalid frame, and the connection lives', async () => {
    const client = await open(url, { token: ada.token });
    await client.next('auth_ok');
    expect(await client.ask({ type: 'auth', token: ada.token })).toMatchObject({
      type: 'error',
      code: 'invalid_frame',
      action: 'none',
    });
    await client.settled();
  });
});

describe('a cookie', () => {
  test('stands back behind every other carrier', async () => {
    const cookie = `wr_at=${(await world.user('ben')).token}`;
    const ticket = await ticketOf(ada, { origin });
    for (const client of [
      await open(url, { token: ada.token, origin, headers: { cookie } }),
      await open(`${url}?ticket=${ticket}`, { origin, headers: { cookie } }),
    ]) {
      expect(await client.next('auth_ok')).toMatchObject({ user_id: ada.id });
    }
  });

  test('of a name that is not ours on this server, or that came twice, is none', async () => {
    for (const cookie of [`__Host-wr_at=${ada.token}`, `wr_at=${ada.token}; wr_at=${ada.token}`]) {
      const client = await open(url, { origin, headers: { cookie } });
      client.send({ type: 'ping' });
      await expectClosed(client, 'auth_missing');
    }
  });
});

describe('a ticket', () => {
  test('is spent by its first use, whichever carrier and node that was', async () => {
    const ticket = await ticketOf(ada);
    const first = await open(url);
    await first.ask({ type: 'auth', ticket });
    await expectClosed(await open(`${wsUrl(nodeB())}?ticket=${ticket}`), 'auth_invalid');
  });

  test.each([
    ['without an Origin, asked for with one', { origin }, {}],
    ['with an Origin, asked for without one', {}, { origin }],
    ['with another allowed Origin', { origin }, { origin: nodeA() }],
  ])('is refused %s', async (_, asked, presented) => {
    const ticket = await ticketOf(ada, asked as Record<string, string>);
    await expectClosed(await open(`${url}?ticket=${ticket}`, presented), 'auth_invalid');
  });

  test('answers how long it lives, at most 30 s', async () => {
    const { body, headers } = await call(nodeA(), '/v1/auth/ticket', {
      method: 'POST',
      token: ada.token,
    });
    expect(body).toEqual({
      ticket: expect.stringMatching(/^\S{40,}$/),
      expires_in: expect.any(Number),
    });
    expect(body.expires_in).toBeGreaterThan(0);
    expect(body.expires_in).toBeLessThanOrEqual(30);
    expect(headers.get('cache-control')).toBe('no-store');
  });
});

test('an access token fits the first message with room to spare', () => {
  expect(JSON.stringify({ type: 'auth', token: ada.token }).length).toBeLessThan(
    LIMITS.authFrameBytes / 2,
  );
});

test.each(['/ws', '/ws?auth=message'])('%s is the same endpoint', async (path) => {
  const client = await open(`${nodeA().replace(/^http/, 'ws')}${path}`, { token: ada.token });
  expect(await client.next('hello')).toEqual(helloFrame);
  expect(await client.next('auth_ok')).toEqual(authOk(ada));
});

test('/ws takes a ticket and a first message, too', async () => {
  const alias = `${nodeB().replace(/^http/, 'ws')}/ws`;
  await (await open(`${alias}?ticket=${await ticketOf(ada)}`)).next('auth_ok');
  const byMessage = await open(alias);
  byMessage.send({ type: 'auth', token: ada.token });
  await byMessage.next('auth_ok');
});
