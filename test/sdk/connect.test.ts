import { expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { WardroomClient, WardroomSession } from '@wardroom/client';
import { harness } from './harness.js';
import { tokens } from './scripted-server.js';

const h = harness();

test('connect sends the token as the first message and never in the URL', async () => {
  const client = h.client();
  const states: string[] = [];
  client.on('state', ({ state }) => states.push(state));
  const live = client.connect();
  const peer = await h.server.peers.next();
  expect(peer.url).toBe('/v1/ws?auth=message');
  expect(peer.socket.protocol).toBe('wardroom.v1');
  expect(await peer.welcome()).toEqual({ type: 'auth', token: 'token-1' });
  const auth = await live;
  expect(client.auth).toEqual(auth);
  expect(auth.expires_in_ms).toBe(300_000);
  expect(states).toEqual(['connecting', 'authenticating', 'live']);
  expect(h.asked).toEqual(['connect']);
});

test('a ticket is presented as a ticket', async () => {
  void h.client({ getToken: () => ({ ticket: 'once' }) }).connect();
  const peer = await h.server.peers.next();
  expect(await peer.next('auth')).toEqual({ type: 'auth', ticket: 'once' });
});

test('connect called twice opens one connection', async () => {
  const client = h.client();
  const both = Promise.all([client.connect(), client.connect()]);
  await (await h.server.peers.next()).welcome();
  const [first, second] = await both;
  expect(first).toBe(second);
  expect(await client.connect()).toBe(first);
  expect(h.server.peers.size).toBe(0);
});

test('unknown frame types, unknown fields and unreadable frames are ignored', async () => {
  const { client, peer } = await h.connected();
  const { room, events } = await h.subscribed(client, peer, 4);
  peer.send(
    { type: 'from_the_future', room: room.id, seq: 99 },
    { type: 'another', id: 'r1' },
    { no: 'type' },
  );
  peer.socket.send('{not json');
  peer.socket.send(Buffer.from([1, 2, 3]));
  peer.send({ type: 'presence', room: room.id, count: 1, mood: 'fine' });
  peer.message(5);
  expect(await events.next()).toEqual(['message', 5]);
  expect(client.state).toBe('live');
});

test('silence is answered with a ping, and a ping without an answer with a new connection', async () => {
  const client = h.client();
  void client.connect();
  const peer = await h.server.peers.next();
  const connected = client.once('connected');
  await peer.welcome({}, 10_000);
  await connected;
  h.clock.advance(10_000);
  await peer.next('ping');
  peer.send({ type: 'pong', id: 'ping', server_time_ms: 1 });
  await h.handled(client, peer);
  h.clock.advance(10_000);
  await peer.next('ping');
  const waiting = client.once('waiting');
  h.clock.advance(10_000);
  expect((await waiting).why).toMatchObject({ code: 'connection_lost', kind: 'transport' });
});

test('a node that cannot prove its authority pauses the client, and requests wait', async () => {
  const { client, peer } = await h.connected();
  const paused = client.once('state');
  peer.send({ type: 'paused', code: 'auth_unavailable' });
  expect(await paused).toEqual({ state: 'paused', previous: 'live' });
  expect(client.pausedBy).toBe('authority');
  const published = client.room('lobby').publish('later');
  await expect(client.room('lobby').signal('wave', 1)).rejects.toMatchObject({
    code: 'not_connected',
  });
  expect(peer.frames.size).toBe(0);
  peer.send({ type: 'resumed', code: 'auth_unavailable' });
  peer.ack(await peer.next('publish'), 1);
  expect((await published).seq).toBe(1);
  expect(client.pausedBy).toBeUndefined();
});

test('close rejects what is pending with a clear code, and connect takes the rooms up again', async () => {
  const { client, peer } = await h.connected();
  const { room } = await h.subscribed(client, peer, 7);
  const published = room.publish('unanswered', { opId: 'mine' });
  await peer.next('publish');
  client.close();
  await expect(published).rejects.toMatchObject({ code: 'closed', opId: 'mine', kind: 'client' });
  await expect(room.publish('late')).rejects.toMatchObject({ code: 'closed' });
  await peer.closed;
  void client.connect();
  const next = await h.server.peers.next();
  await next.welcome();
  expect(await next.subscribed({ seq: 7 })).toMatchObject({ since: 7 });
});

test('a wrong option is refused at once', () => {
  const url = 'https://rooms.example';
  const getToken = () => 'token';
  expect(
    () => new WardroomClient({ url: 'ftp://rooms.example', getToken, webSocket: WebSocket }),
  ).toThrow(/ftp/);
  expect(
    () => new WardroomClient({ url: `${url}?token=x`, getToken, webSocket: WebSocket }),
  ).toThrow(/query/);
  expect(() => new WardroomClient({ url, getToken, webSocket: WebSocket, pendingMax: 0 })).toThrow(
    /pendingMax/,
  );
});

test('without a WebSocket the client is made, calls REST, and says what is missing when it connects', async () => {
  const global = globalThis as { WebSocket?: unknown };
  const before = global.WebSocket;
  delete global.WebSocket;
  try {
    const client = new WardroomClient({ url: h.server.url, getToken: () => 'token' });
    const me = client.rest('/v1/me');
    (await h.server.calls.next()).answer(200, {});
    expect(await me).toEqual({});
    await expect(client.connect()).rejects.toMatchObject({
      code: 'no_web_socket',
      action: 'stop',
      message: expect.stringContaining('pass webSocket'),
    });
  } finally {
    if (before) global.WebSocket = before;
  }
});

test('after maxAttempts failures in a row the client gives up, and connect takes the rooms up again', async () => {
  const { client, peer } = await h.connected({ maxAttempts: 2 });
  const { events } = await h.subscribed(client, peer, 7);
  const closed = client.once('closed');
  const attempts: number[] = [];
  client.on('waiting', ({ attempt }) => attempts.push(attempt));
  let last = peer;
  for (let count = 0; count < 2; count++) {
    const waiting = client.once('waiting');
    last.cut();
    h.clock.advance((await waiting).delayMs);
    last = await h.server.peers.next();
  }
  last.cut();
  const why = await closed;
  expect(why).toMatchObject({ code: 'gave_up', action: 'none', kind: 'client' });
  expect(why.cause).toMatchObject({ code: 'connection_lost' });
  expect([attempts, events.size]).toEqual([[1, 2], 0]);
  void client.connect();
  const next = await h.server.peers.next();
  await next.welcome();
  expect(await next.subscribed({ seq: 7 })).toMatchObject({ since: 7 });
});

test('debug writes each step and neither a token nor a body', async () => {
  const lines: string[] = [];
  const session = new WardroomSession({
    url: h.server.url,
    clock: h.clock,
    debug: (line) => lines.push(line),
  });
  const login = session.login({ tenant: 'acme', email: 'a@acme.test', password: 'a-password' });
  (await h.server.calls.next()).answer(200, tokens(1));
  await login;
  const debug = (line: string) => lines.push(line);
  const { client, peer } = await h.connected({ session, debug }, { refresh_after_ms: 1000 });
  const published = client.room('lobby').publish('a-body', { opId: 'op-1' });
  peer.ack(await peer.next('publish'), 3);
  await published;
  const refreshed = client.once('refreshed');
  h.clock.advance(1000);
  (await h.server.calls.next()).answer(200, tokens(2));
  await peer.next('auth_refresh');
  peer.authOk();
  await refreshed;
  for (const line of [
    'POST /v1/auth/login: 200',
    'idle -> connecting',
    '-> auth',
    'authenticating -> live',
    '-> publish id=r1 room=lobby op_id=op-1',
    'POST /v1/auth/refresh: 200',
    '-> auth_refresh id=auth1',
  ])
    expect(lines).toContain(line);
  expect(lines.join('\n')).not.toMatch(/access-|refresh-\d|a-password|a-body/);
});
