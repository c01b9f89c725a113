import { expect, test } from '@jest/globals';
import { type Locks, type SessionStorage, WardroomSession, webStorage } from '@wardroom/client';
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

test.each([
  ['register', { ...alice, name: 'Alice', invite: 'code' }, 201],
  ['guest', { tenant: 'acme', device: 'kiosk' }, 201],
  ['exchange', { tenant: 'acme', id_token: 'eyJ', device: 'laptop' }, 200],
] as const)('%s opens a session like a login', async (way, fields, status) => {
  const client = h.client({ session: makeSession() });
  const done = client[way](fields as never);
  const call = await h.server.calls.next();
  expect(call).toMatchObject({ method: 'POST', url: `/v1/auth/${way}`, body: fields });
  call.answer(status, tokens(1));
  expect(await done).toEqual({ sessionId: tokens(1).session_id });
  expect(await client.session!.accessToken()).toBe('access-1');
});

test('C3: a session that REST says is over is forgotten, and the client is signed out without a connection', async () => {
  const storage = sharedArea();
  const session = await signedIn(storage);
  const client = h.client({ session });
  const told: unknown[] = [];
  client.on('signed_out', (why) => told.push(why.code));
  const me = client.rest('/v1/me');
  (await h.server.calls.next()).answer(401, { code: 'session_revoked', action: 'login' });
  await expect(me).rejects.toMatchObject({ code: 'session_revoked' });
  expect([told, await storage.get(), client.state]).toEqual([['session_revoked'], null, 'closed']);
  await expect(client.rest('/v1/me')).rejects.toMatchObject({ code: 'signed_out' });
  expect(h.server.calls.size).toBe(0);
});

test('a client with getToken is signed out by REST, too, also after it was closed', async () => {
  const { client } = await h.connected();
  client.close();
  const signedOut = client.once('signed_out');
  const me = client.rest('/v1/me');
  (await h.server.calls.next()).answer(401, { code: 'session_expired', action: 'login' });
  await expect(me).rejects.toMatchObject({ code: 'session_expired' });
  expect(await signedOut).toMatchObject({ code: 'session_expired' });
});

test('a refusal of an old token does not end the session that was signed in meanwhile', async () => {
  const session = await signedIn();
  const me = session.call('/v1/me');
  const late = await h.server.calls.next();
  const login = session.login(alice);
  (await h.server.calls.next()).answer(200, tokens(5, { session_id: 'another' }));
  await login;
  late.answer(401, { code: 'session_revoked', action: 'login' });
  await expect(me).rejects.toMatchObject({ code: 'session_revoked' });
  expect(await session.accessToken()).toBe('access-5');
});

test('C4: the fields that the server refused are on the error', async () => {
  const session = await signedIn();
  const errors = [{ path: 'name', message: 'Too short' }];
  const made = session.call('/v1/rooms', { method: 'POST', body: {} });
  (await h.server.calls.next()).answer(422, { code: 'invalid_request', action: 'none', errors });
  await expect(made).rejects.toMatchObject({ code: 'invalid_request', errors });
});

test('C14: a storage that cannot be written costs no session: it lives on in memory', async () => {
  let full = false;
  const values = new Map<string, string>();
  const area = {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => {
      if (full) throw new DOMException('full', 'QuotaExceededError');
      values.set(key, value);
    },
    removeItem: (key: string) => void values.delete(key),
  };
  const session = await signedIn(webStorage(area));
  const failures: unknown[] = [];
  session.on('storage_failed', ({ cause }) => failures.push(cause));
  full = true;
  for (const n of [2, 3]) {
    const token = session.accessToken({ stale: `access-${n - 1}` });
    const call = await h.server.calls.next();
    expect(call.body).toEqual({ refresh_token: `refresh-${n - 1}` });
    call.answer(200, tokens(n));
    expect(await token).toBe(`access-${n}`);
  }
  expect(failures).toHaveLength(2);
  // No tab presents a refresh token that was used.
  expect(values.size).toBe(0);
});

test('a storage that the browser forbids costs no session', async () => {
  const session = await signedIn(
    webStorage(() => {
      throw new DOMException('denied', 'SecurityError');
    }),
  );
  expect(await session.accessToken()).toBe('access-1');
  const token = session.accessToken({ stale: 'access-1' });
  (await h.server.calls.next()).answer(200, tokens(2));
  expect(await token).toBe('access-2');
});

test('two servers do not share what is kept in one storage', async () => {
  const values = new Map<string, string>();
  const area = {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
  };
  await signedIn(webStorage(area));
  expect([...values.keys()]).toEqual([`wardroom:${h.server.url}`]);
  const other = new WardroomSession({ url: 'https://other.test', storage: webStorage(area) });
  await expect(other.accessToken()).rejects.toMatchObject({ code: 'signed_out' });
  expect(await makeSession(webStorage(area)).accessToken()).toBe('access-1');
});

test('C9: a lock that another tab never gives back is waited for 2 s at most', async () => {
  const never: Locks = { request: () => new Promise(() => {}) };
  const session = new WardroomSession({ url: h.server.url, clock: h.clock, locks: never });
  const login = session.login(alice);
  h.clock.advance(1999);
  expect(h.server.calls.size).toBe(0);
  h.clock.advance(1);
  (await h.server.calls.next()).answer(200, tokens(1));
  await login;
});

test('locks that are refused, or given late, change nothing', async () => {
  const late: (() => Promise<unknown>)[] = [];
  const locks: Locks = {
    request: (_, run) => {
      late.push(run);
      return late.length === 1 ? Promise.reject(new Error('no')) : (new Promise(() => {}) as never);
    },
  };
  const session = new WardroomSession({ url: h.server.url, clock: h.clock, locks });
  const login = session.login(alice);
  (await h.server.calls.next()).answer(200, tokens(1));
  await login;
  const token = session.accessToken({ stale: 'access-1' });
  h.clock.advance(2000);
  (await h.server.calls.next()).answer(200, tokens(2));
  expect(await token).toBe('access-2');
  await late[1]!();
  expect(h.server.calls.size).toBe(0);
});

test('a forgotten password is asked for and set without a session', async () => {
  const session = makeSession();
  const asked = session.forgotPassword({ tenant: 'acme', email: 'a@acme.test' });
  const forgot = await h.server.calls.next();
  expect(forgot).toMatchObject({
    method: 'POST',
    url: '/v1/auth/password/forgot',
    body: { tenant: 'acme', email: 'a@acme.test' },
  });
  forgot.answer(202, {});
  await asked;
  const fields = { token: 'from-the-link', new: 'a new password' };
  const done = session.resetPassword(fields);
  const reset = await h.server.calls.next();
  expect(reset).toMatchObject({ method: 'POST', url: '/v1/auth/password/reset', body: fields });
  reset.answer(200, { id: 'receipt' });
  expect(await done).toEqual({ id: 'receipt' });
});
