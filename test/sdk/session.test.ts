import { expect, test } from '@jest/globals';
import { type SessionStorage, WardroomSession, webStorage } from '@wardroom/client';
import { harness } from './harness.js';
import { tokens } from './scripted-server.js';

const h = harness();
const alice = {
  tenant: 'acme',
  email: 'alice@acme.test',
  password: 'a password',
  device: 'laptop',
};

const makeSession = (storage?: SessionStorage) =>
  new WardroomSession({ url: h.server.url, clock: h.clock, ...(storage ? { storage } : {}) });

async function signedIn(storage?: SessionStorage): Promise<WardroomSession> {
  const session = makeSession(storage);
  const done = session.login(alice);
  const call = await h.server.calls.next();
  expect(call).toMatchObject({ method: 'POST', url: '/v1/auth/login', body: alice });
  call.answer(200, tokens(1));
  await done;
  return session;
}

/** Shared by several sessions, as `localStorage` is by the tabs of an origin. */
function sharedArea(): SessionStorage {
  const values = new Map<string, string>();
  const area = {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
  };
  return webStorage(area, `test-${Math.random()}`);
}

test('many callers at once cause one refresh, and all get its token', async () => {
  const session = await signedIn();
  expect(await session.accessToken()).toBe('access-1');
  h.clock.advance(200_000);
  const all = Promise.all(Array.from({ length: 100 }, () => session.accessToken()));
  const call = await h.server.calls.next();
  expect(call).toMatchObject({ url: '/v1/auth/refresh', body: { refresh_token: 'refresh-1' } });
  expect(call.headers['authorization']).toBeUndefined();
  call.answer(200, tokens(2));
  expect(new Set(await all)).toEqual(new Set(['access-2']));
  expect(h.server.calls.size).toBe(0);
});

test('of two tabs one refreshes, and the other takes the token of the winner from the storage', async () => {
  const storage = sharedArea();
  const first = await signedIn(storage);
  const second = makeSession(storage);
  expect(await second.accessToken()).toBe('access-1');
  const both = Promise.all([
    first.accessToken({ stale: 'access-1' }),
    second.accessToken({ stale: 'access-1' }),
  ]);
  (await h.server.calls.next()).answer(200, tokens(2));
  expect(await both).toEqual(['access-2', 'access-2']);
  expect(h.server.calls.size).toBe(0);
});

test('a tab whose storage belongs to another session by now is signed out and leaves that session alone', async () => {
  const storage = sharedArea();
  const first = await signedIn(storage);
  const second = makeSession(storage);
  const login = second.login(alice);
  (await h.server.calls.next()).answer(200, tokens(5, { session_id: 'another' }));
  await login;
  const signedOut = first.once('signed_out');
  await expect(first.accessToken({ stale: 'access-1' })).rejects.toMatchObject({
    code: 'session_replaced',
    action: 'login',
  });
  await signedOut;
  expect(await makeSession(storage).accessToken()).toBe('access-5');
});

test('while the server is away a token that still lives is better than none', async () => {
  const session = await signedIn();
  h.clock.advance(200_000);
  const token = session.accessToken();
  (await h.server.calls.next()).answer(503, {
    code: 'unavailable',
    action: 'retry',
    retry_after_ms: 100,
  });
  expect(await token).toBe('access-1');
  h.clock.advance(100_000);
  const late = session.accessToken();
  (await h.server.calls.next()).answer(503, {
    code: 'unavailable',
    action: 'retry',
    retry_after_ms: 100,
  });
  await expect(late).rejects.toMatchObject({
    code: 'unavailable',
    action: 'retry',
    retryAfterMs: 100,
    status: 503,
  });
});

test('a refused refresh ends the session, the stored tokens and the client', async () => {
  const storage = sharedArea();
  const session = await signedIn(storage);
  const { client, peer } = await h.connected({ session }, { refresh_after_ms: 1000 });
  const signedOut = client.once('signed_out');
  h.clock.advance(1000);
  (await h.server.calls.next()).answer(401, {
    code: 'token_reuse',
    action: 'login',
    detail: 'used twice',
  });
  expect(await signedOut).toMatchObject({
    code: 'token_reuse',
    message: 'used twice',
    kind: 'auth',
  });
  await peer.closed;
  expect(client.state).toBe('closed');
  expect(await storage.get()).toBeNull();
  await expect(session.accessToken()).rejects.toMatchObject({ code: 'signed_out' });
});

test('a session renews a connection in place with the refreshed token', async () => {
  const session = await signedIn();
  const { peer } = await h.connected({ session }, { refresh_after_ms: 1000 });
  h.clock.advance(1000);
  (await h.server.calls.next()).answer(200, tokens(2));
  expect(await peer.next('auth_refresh')).toMatchObject({ token: 'access-2' });
});

test('a server that ends the session by close ends it here too', async () => {
  const session = await signedIn();
  const { peer } = await h.connected({ session });
  const signedOut = session.once('signed_out');
  peer.goodbye('session_revoked');
  expect(await signedOut).toMatchObject({ code: 'session_revoked' });
  expect(session.sessionId).toBeUndefined();
});

test('logout tells the server first, forgets the tokens and closes the client', async () => {
  const session = await signedIn();
  const { client } = await h.connected({ session });
  const signedOut = client.once('signed_out');
  const done = session.logout();
  const call = await h.server.calls.next();
  expect(call).toMatchObject({
    method: 'POST',
    url: '/v1/auth/logout',
    body: { scope: 'session' },
  });
  expect(call.headers['authorization']).toBe('Bearer access-1');
  call.answer(200, { id: 'receipt' });
  expect(await done).toEqual({ id: 'receipt' });
  await signedOut;
  await expect(client.rest('/v1/me')).rejects.toMatchObject({ code: 'signed_out' });
});

test('REST refused with refresh is called once more with a newer token', async () => {
  const session = await signedIn();
  const client = h.client({ session });
  const me = client.rest('/v1/me');
  (await h.server.calls.next()).answer(401, { code: 'token_revoked', action: 'refresh' });
  (await h.server.calls.next()).answer(200, tokens(2));
  const again = await h.server.calls.next();
  expect(again.headers['authorization']).toBe('Bearer access-2');
  again.answer(200, { user: 'alice' });
  expect(await me).toEqual({ user: 'alice' });
});

test('getToken runs once for all who ask at the same time', async () => {
  let give!: (token: string) => void;
  let asked = 0;
  const client = h.client({
    getToken: () => new Promise((resolve) => ((give = resolve), asked++)),
  });
  const all = Promise.all([client.rest('/v1/me'), client.rest('/v1/rooms')]);
  expect(asked).toBe(1);
  give('shared');
  for (let i = 0; i < 2; i++) {
    const call = await h.server.calls.next();
    expect(call.headers['authorization']).toBe('Bearer shared');
    call.answer(200, {});
  }
  await all;
  expect(asked).toBe(1);
});

test('a wrong password rejects and changes nothing', async () => {
  const session = makeSession();
  const done = session.login(alice);
  (await h.server.calls.next()).answer(401, { code: 'invalid_credentials', action: 'none' });
  await expect(done).rejects.toMatchObject({
    code: 'invalid_credentials',
    action: 'none',
    kind: 'denied',
    status: 401,
  });
  expect(session.sessionId).toBeUndefined();
});
