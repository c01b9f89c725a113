import { expect, test } from '@jest/globals';
import { CLOSE_CODES } from '@wardroom/protocol/codes';
import { WardroomError } from '@wardroom/client';
import { ACTION_OF_STATUS } from '../../sdk/src/connection/read-close.js';
import { harness } from './harness.js';

const h = harness();

test.each([
  'session_revoked',
  'session_expired',
  'token_reuse',
  'auth_invalid',
  'identity_mismatch',
] as const)('login: a close with %s signs out, and nothing is tried again', async (code) => {
  const { client, peer } = await h.connected();
  const { room, events } = await h.subscribed(client, peer, 1);
  const signedOut = client.once('signed_out');
  const pending = room.publish('x');
  await peer.next('publish');
  peer.goodbye(code);
  expect(await signedOut).toMatchObject({ code, action: 'login', kind: 'auth' });
  await expect(pending).rejects.toMatchObject({ code });
  expect(await events.next()).toEqual(['unsubscribed', { code, action: 'login' }]);
  expect(client.state).toBe('closed');
  h.clock.advance(3_600_000);
  expect(h.asked).toEqual(['connect']);
});

test.each([
  'user_suspended',
  'tenant_disabled',
  'forbidden',
  'policy_violation',
  'too_big',
] as const)('stop: a close with %s closes the client, and nothing is tried again', async (code) => {
  const { client, peer } = await h.connected();
  let signedOut = false;
  client.on('signed_out', () => (signedOut = true));
  const closed = client.once('closed');
  peer.goodbye(code);
  expect(await closed).toMatchObject({ code, action: 'stop', kind: 'denied' });
  expect(signedOut).toBe(false);
  h.clock.advance(3_600_000);
  expect(h.asked).toEqual(['connect']);
});

test.each(['token_expired', 'token_revoked'] as const)(
  'refresh: a close with %s comes back at once with a new token',
  async (code) => {
    const { client, peer } = await h.connected();
    const waiting = client.once('waiting');
    peer.goodbye(code);
    expect(await waiting).toMatchObject({ delayMs: 0, why: { code, kind: 'auth' } });
    h.clock.advance(0);
    const next = await h.server.peers.next();
    expect(await next.welcome()).toMatchObject({ token: 'token-2' });
    expect(h.asked).toEqual(['connect', 'rejected']);
  },
);

test.each([
  ['auth_unavailable', 'temporary'],
  ['overloaded', 'temporary'],
  ['rate_limited', 'temporary'],
  ['internal', 'temporary'],
  ['draining', 'temporary'],
  ['slow_consumer', 'temporary'],
] as const)(
  'retry and reconnect: a close with %s comes back after retry_after_ms and not before',
  async (code, kind) => {
    const { client, peer } = await h.connected();
    const waiting = client.once('waiting');
    peer.goodbye(code, { retry_after_ms: 4000 });
    expect(await waiting).toMatchObject({
      delayMs: 4000,
      attempt: 1,
      why: { code, kind, retryAfterMs: 4000 },
    });
    h.clock.advance(3999);
    expect(client.state).toBe('waiting');
    h.clock.advance(1);
    expect(client.state).toBe('connecting');
    await (await h.server.peers.next()).welcome();
    expect(h.asked).toEqual(['connect', 'connect']);
  },
);

test('a lost transport is no auth failure: a random wait that doubles until a connection was stable', async () => {
  const { client, peer: first } = await h.connected();
  let peer = first;
  for (const [attempt, delayMs] of [500, 1500, 3000, 6000, 12_000, 22_500, 22_500].entries()) {
    const waiting = client.once('waiting');
    peer.cut();
    expect(await waiting).toMatchObject({
      attempt: attempt + 1,
      delayMs,
      why: { code: 'connection_lost', kind: 'transport', status: 1006 },
    });
    h.clock.advance(delayMs);
    peer = await h.server.peers.next();
    const connected = client.once('connected');
    await peer.welcome();
    await connected;
  }
  h.clock.advance(5000);
  const waiting = client.once('waiting');
  peer.cut();
  expect(await waiting).toMatchObject({ attempt: 1, delayMs: 500 });
});

test('the close reason is enough when the goodbye was lost, and a foreign close means the transport', async () => {
  const { client, peer } = await h.connected();
  const first = client.once('waiting');
  peer.socket.close(
    1012,
    JSON.stringify({ code: 'restarting', action: 'reconnect', close_id: 'c', retry_after_ms: 50 }),
  );
  expect(await first).toMatchObject({ delayMs: 50, why: { code: 'restarting', status: 1012 } });
  h.clock.advance(50);
  const next = await h.server.peers.next();
  const connected = client.once('connected');
  await next.welcome();
  await connected;
  const second = client.once('waiting');
  next.socket.close(1001, 'proxy restart');
  expect((await second).why).toMatchObject({
    code: 'connection_lost',
    kind: 'transport',
    status: 1001,
  });
});

test('a goodbye without a close is enough', async () => {
  const { client, peer } = await h.connected();
  peer.send({
    type: 'goodbye',
    code: 'draining',
    action: 'reconnect',
    close_id: 'c',
    message: 'leaving',
  });
  await h.handled(client, peer);
  const waiting = client.once('waiting');
  h.clock.advance(1000);
  expect((await waiting).why).toMatchObject({ code: 'draining', message: 'leaving' });
});

test('connect keeps trying while trouble is temporary and rejects when it is not', async () => {
  const client = h.client();
  const live = client.connect();
  const waiting = client.once('waiting');
  const first = await h.server.peers.next();
  await first.next('auth');
  first.goodbye('overloaded', { retry_after_ms: 10 });
  h.clock.advance((await waiting).delayMs);
  const second = await h.server.peers.next();
  await second.next('auth');
  second.goodbye('auth_invalid');
  await expect(live).rejects.toMatchObject({ code: 'auth_invalid', action: 'login' });
});

test('getToken: an error is tried again, null signs out', async () => {
  const answers: (() => string | null)[] = [
    () => {
      throw new Error('no network');
    },
    () => null,
  ];
  const client = h.client({ getToken: () => answers.shift()!() });
  const live = client.connect();
  const { why, delayMs } = await client.once('waiting');
  expect(why).toBeInstanceOf(WardroomError);
  expect(why).toMatchObject({ code: 'token_unavailable', action: 'retry' });
  h.clock.advance(delayMs);
  await expect(live).rejects.toMatchObject({ code: 'signed_out', action: 'login' });
});

test('closes with a status that only Wardroom uses are understood without their words, as the table says', () => {
  const own = Object.values(CLOSE_CODES).filter(({ status }) => status >= 4000);
  expect(own.length).toBeGreaterThan(0);
  for (const { status, action } of own) expect(ACTION_OF_STATUS[status]).toBe(action);
});
