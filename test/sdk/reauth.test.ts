import { expect, test } from '@jest/globals';
import { ERROR_CODES, type ErrorCode } from '@wardroom/protocol/codes';
import { harness } from './harness.js';
import type { Json, Peer } from './scripted-server.js';

const h = harness();

const refuse = (peer: Peer, frame: Json, code: ErrorCode, fields: Json = {}) => {
  const { action, message } = ERROR_CODES[code];
  peer.send({ type: 'auth_error', id: frame['id'], code, action, message, ...fields });
};

test('P3: the token is renewed in place at refresh_after_ms, again and again', async () => {
  const { client, peer } = await h.connected({}, { refresh_after_ms: 1000 });
  await h.subscribed(client, peer, 1);
  for (const token of ['token-2', 'token-3']) {
    h.clock.advance(999);
    expect(peer.frames.size).toBe(0);
    h.clock.advance(1);
    const frame = await peer.next('auth_refresh');
    expect(frame['token']).toBe(token);
    const refreshed = client.once('refreshed');
    peer.authOk({ id: frame['id'], refresh_after_ms: 1000 });
    await refreshed;
    // The subscription goes on as it was.
    await h.nothingSent(client, peer);
  }
  expect(h.asked).toEqual(['connect', 'refresh', 'refresh']);
  expect(h.server.peers.size).toBe(0);
});

test('warning, expiry and refused requests together cause one auth_refresh', async () => {
  let give!: (token: string) => void;
  const asked: string[] = [];
  const getToken = (reason: string) => {
    asked.push(reason);
    return asked.length === 1 ? 'first' : new Promise<string>((resolve) => (give = resolve));
  };
  const { client, peer } = await h.connected({ getToken });
  const errors = new Set<string>();
  client.on('error', ({ message }) => errors.add(message));
  const published = client.room('lobby').publish('survives');
  const refused = await peer.next('publish');
  peer.send({ type: 'auth_expiring_soon', expires_in_ms: 500, refresh_after_ms: 200 });
  await h.handled(client, peer);
  h.clock.advance(200);
  peer.send({ type: 'auth_expired', grace_ms: 30_000 });
  peer.error(refused, 'token_expired');
  peer.send({ type: 'auth_expiring_soon', expires_in_ms: 0, refresh_after_ms: 0 });
  await h.handled(client, peer);
  expect([client.state, client.pausedBy]).toEqual(['paused', 'token']);
  expect(asked).toEqual(['connect', 'refresh']);
  give('second');
  const frame = await peer.next('auth_refresh');
  expect(frame['token']).toBe('second');
  peer.send({ type: 'auth_expired', grace_ms: 30_000 });
  await h.handled(client, peer);
  expect(asked).toEqual(['connect', 'refresh']);
  peer.authOk({ id: frame['id'] });
  const again = await peer.next('publish');
  expect(again).toEqual(refused);
  peer.ack(again, 1);
  await published;
  expect(client.state).toBe('live');
  expect([...errors]).toEqual(['a mark of the test']);
});

test('auth_error refresh: a newer token is got and presented', async () => {
  const { client, peer } = await h.connected({}, { refresh_after_ms: 1000 });
  h.clock.advance(1000);
  const failed = client.once('error');
  refuse(peer, await peer.next('auth_refresh'), 'token_revoked');
  expect(await failed).toMatchObject({ code: 'token_revoked', action: 'refresh' });
  h.clock.advance(500);
  expect(await peer.next('auth_refresh')).toMatchObject({ token: 'token-3' });
  expect(h.asked).toEqual(['connect', 'refresh', 'rejected']);
});

test('auth_error retry: the same token is presented again after retry_after_ms, whatever comes between', async () => {
  const { client, peer } = await h.connected({}, { refresh_after_ms: 1000 });
  h.clock.advance(1000);
  const failed = client.once('error');
  refuse(peer, await peer.next('auth_refresh'), 'auth_unavailable', { retry_after_ms: 300 });
  await failed;
  peer.send({ type: 'auth_expiring_soon', expires_in_ms: 100, refresh_after_ms: 0 });
  await h.handled(client, peer);
  h.clock.advance(299);
  await h.nothingSent(client, peer);
  peer.send({ type: 'auth_expired', grace_ms: 30_000 });
  await h.handled(client, peer);
  h.clock.advance(1);
  expect(await peer.next('auth_refresh')).toMatchObject({ token: 'token-2' });
  expect(h.asked).toEqual(['connect', 'refresh']);
});

test('auth_error none: the connection lives on to the end of its token', async () => {
  const { client, peer } = await h.connected({}, { refresh_after_ms: 1000 });
  h.clock.advance(1000);
  const failed = client.once('error');
  refuse(peer, await peer.next('auth_refresh'), 'identity_mismatch');
  expect(await failed).toMatchObject({ code: 'identity_mismatch' });
  h.clock.advance(20_000);
  expect(client.state).toBe('live');
  expect(h.asked).toEqual(['connect', 'refresh']);
  peer.send({ type: 'auth_expired', grace_ms: 1000 });
  await peer.next('auth_refresh');
});

test.each([
  ['session_revoked', 'login'],
  ['user_suspended', 'stop'],
] as const)('auth_error %s: %s ends the client', async (code, action) => {
  const { client, peer } = await h.connected({}, { refresh_after_ms: 1000 });
  h.clock.advance(1000);
  const closed = client.once('closed');
  refuse(peer, await peer.next('auth_refresh'), code);
  expect(await closed).toMatchObject({ code, action });
  expect(client.state).toBe('closed');
});

test('a getToken that answers the old token is asked again with a pause, never in a loop', async () => {
  const asked: string[] = [];
  const getToken = (reason: string) => (asked.push(reason), 'always the same');
  const { client, peer } = await h.connected({ getToken }, { refresh_after_ms: 1000 });
  for (const pauseMs of [1000, 500, 1000]) {
    const failed = client.once('error');
    h.clock.advance(pauseMs);
    expect(await failed).toMatchObject({ code: 'token_unavailable' });
  }
  expect(asked).toEqual(['connect', 'refresh', 'refresh', 'refresh']);
  expect(peer.frames.size).toBe(0);
});
