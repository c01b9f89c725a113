import { expect, test } from '@jest/globals';
import { WardroomSession } from '@wardroom/client';
import { harness } from './harness.js';
import { tokens } from './scripted-server.js';

const h = harness();

async function signedIn(): Promise<WardroomSession> {
  const session = new WardroomSession({ url: h.server.url, clock: h.clock });
  const done = session.login({ tenant: 'acme', email: 'a@acme.test', password: 'a password' });
  (await h.server.calls.next()).answer(200, tokens(1));
  await done;
  return session;
}

test('waking cuts the wait for the next attempt short', async () => {
  const { client, peer } = await h.connected();
  const waiting = client.once('waiting');
  peer.cut();
  expect((await waiting).delayMs).toBeGreaterThan(0);
  client.wake();
  h.clock.advance(0);
  await (await h.server.peers.next()).welcome();
});

test('a delay that the server asked for is not cut short by waking', async () => {
  const { client, peer } = await h.connected();
  const waiting = client.once('waiting');
  peer.goodbye('overloaded', { retry_after_ms: 5000 });
  expect((await waiting).delayMs).toBe(5000);
  h.clock.advance(1000);
  client.wake();
  h.clock.advance(3999);
  expect(client.state).toBe('waiting');
  h.clock.advance(1);
  expect(client.state).toBe('connecting');
});

test('after waking a connection that gives no sign of life is replaced within 3 s', async () => {
  const { client, peer } = await h.connected();
  h.clock.advance(20_000);
  client.wake();
  await peer.next('ping');
  const waiting = client.once('waiting');
  h.clock.advance(1500);
  const { why, delayMs } = await waiting;
  expect(why.code).toBe('connection_lost');
  expect(delayMs).toBeLessThanOrEqual(250);
});

test('after waking a connection that answers is kept', async () => {
  const { client, peer } = await h.connected();
  client.wake();
  await peer.next('ping');
  peer.send({ type: 'pong', id: 'ping', server_time_ms: 1 });
  await h.handled(client, peer);
  h.clock.advance(1500);
  expect(client.state).toBe('live');
});

test('a token that came due during the sleep is renewed at once', async () => {
  const session = await signedIn();
  const { client, peer } = await h.connected({ session }, { refresh_after_ms: 200_000 });
  h.clock.sleep(250_000);
  client.wake();
  (await h.server.calls.next()).answer(200, tokens(2));
  const frames = [await peer.frames.next(), await peer.frames.next()];
  expect(frames).toContainEqual(expect.objectContaining({ type: 'ping' }));
  expect(frames).toContainEqual(
    expect.objectContaining({ type: 'auth_refresh', token: 'access-2' }),
  );
});

test('after waking a new connection presents a renewed token, never the one of before the sleep', async () => {
  const session = await signedIn();
  const { client, peer } = await h.connected({ session }, { refresh_after_ms: 200_000 });
  const waiting = client.once('waiting');
  peer.cut();
  await waiting;
  h.clock.sleep(250_000);
  client.wake();
  h.clock.advance(0);
  (await h.server.calls.next()).answer(200, tokens(2));
  const next = await h.server.peers.next();
  expect(await next.welcome()).toMatchObject({ token: 'access-2' });
});

test('an attempt that hangs since before the waking is replaced after 1.5 s', async () => {
  const client = h.client();
  void client.connect();
  const hung = await h.server.peers.next();
  client.wake();
  const waiting = client.once('waiting');
  h.clock.advance(1500);
  h.clock.advance((await waiting).delayMs);
  await hung.closed;
  await (await h.server.peers.next()).welcome();
});

test('a refresh that hangs since before the waking is given up after 1.5 s and asked for again', async () => {
  const session = await signedIn();
  h.clock.advance(300_000);
  const client = h.client({ session });
  void client.connect();
  await h.server.calls.next();
  client.wake();
  const waiting = client.once('waiting');
  h.clock.advance(1500);
  h.clock.advance((await waiting).delayMs);
  (await h.server.calls.next()).answer(200, tokens(2));
  expect(await (await h.server.peers.next()).welcome()).toMatchObject({ token: 'access-2' });
});

test('a page wakes its client when the network is back or it becomes visible', async () => {
  const page = Object.assign(new EventTarget(), { visibilityState: 'hidden' });
  const window = new EventTarget();
  const before = Object.getOwnPropertyDescriptors(globalThis);
  Object.assign(globalThis, {
    document: page,
    addEventListener: window.addEventListener.bind(window),
    removeEventListener: window.removeEventListener.bind(window),
  });
  try {
    const { client, peer } = await h.connected();
    page.dispatchEvent(new Event('visibilitychange'));
    expect(peer.frames.size).toBe(0);
    page.visibilityState = 'visible';
    for (const wake of [
      () => page.dispatchEvent(new Event('visibilitychange')),
      () => window.dispatchEvent(new Event('online')),
      () => window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true })),
    ]) {
      wake();
      await peer.next('ping');
    }
    client.close();
    window.dispatchEvent(new Event('online'));
    expect(client.state).toBe('closed');
  } finally {
    for (const name of ['document', 'addEventListener', 'removeEventListener'])
      if (before[name as keyof typeof before] === undefined)
        Reflect.deleteProperty(globalThis, name);
  }
});

test('a request without an answer hurries the ping: a dead transport is noticed within 15 s', async () => {
  const { client, peer } = await h.connected();
  const published = client.room('lobby').publish('into the void');
  await peer.next('publish');
  h.clock.advance(5000);
  await peer.next('ping');
  const waiting = client.once('waiting');
  h.clock.advance(5000);
  h.clock.advance((await waiting).delayMs);
  const next = await h.server.peers.next();
  await next.welcome();
  next.ack(await next.next('publish'), 1);
  expect((await published).seq).toBe(1);
});

test('a slow answer over a living transport costs one ping and no connection', async () => {
  const { client, peer } = await h.connected();
  const published = client.room('lobby').publish('slow');
  const frame = await peer.next('publish');
  h.clock.advance(5000);
  await peer.next('ping');
  peer.send({ type: 'pong', id: 'ping', server_time_ms: 1 });
  await h.handled(client, peer);
  h.clock.advance(10_000);
  peer.ack(frame, 1);
  await published;
  expect([client.state, peer.frames.size]).toEqual(['live', 0]);
});
