/** Cookie mode: against a scripted server, and against a real node with a cookie jar. */
import { expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { memoryStorage, WardroomClient, WardroomSession } from '@wardroom/client';
import { systemClock } from '../../sdk/src/clock.js';
import { World, nodeA } from '../support/world.js';
import { harness } from './harness.js';
import { tokens } from './scripted-server.js';

const h = harness();
const ORIGIN = 'https://app.example.com';
const alice = { tenant: 'acme', email: 'alice@acme.test', password: 'a password' };
const answer = (n: number, fields = {}) => {
  const { access_token: _a, refresh_token: _r, ...rest } = tokens(n, fields);
  return rest;
};

/** The tabs of one origin share the cookies that a script sees, and a storage. */
function browser() {
  const shared = { cookie: '', storage: { ...memoryStorage(), name: `tabs-${Math.random()}` } };
  return {
    shared,
    tab: () =>
      new WardroomSession({
        url: h.server.url,
        clock: h.clock,
        transport: 'cookie',
        storage: shared.storage,
        readCookies: () => shared.cookie,
      }),
    async signedIn() {
      const session = this.tab();
      const login = session.login(alice);
      const call = await h.server.calls.next();
      expect(call).toMatchObject({
        url: '/v1/auth/login',
        body: { ...alice, transport: 'cookie' },
      });
      shared.cookie = 'theme=dark; wr_csrf=wr_csrf_1; other=1';
      call.answer(200, answer(1));
      await login;
      return session;
    },
  };
}

test('C5: an unsafe call carries the CSRF token and no access token, a safe one neither', async () => {
  const session = await browser().signedIn();
  const made = session.call('/v1/rooms', { method: 'POST', body: { name: 'x' } });
  const post = await h.server.calls.next();
  expect(post.headers).toMatchObject({ 'x-csrf-token': 'wr_csrf_1' });
  expect(post.headers).not.toHaveProperty('authorization');
  post.answer(201, {});
  await made;
  const me = session.call('/v1/me');
  const get = await h.server.calls.next();
  expect(get.headers).not.toHaveProperty('x-csrf-token');
  get.answer(200, {});
  await me;
});

test('nothing that a script can read is a credential', async () => {
  const at = browser();
  const session = await at.signedIn();
  await expect((async () => session.accessToken())()).rejects.toThrow(/cookie mode/);
  const kept = JSON.parse((await at.shared.storage.get())!) as object;
  expect(Object.keys(kept).sort()).toEqual(['expires_at', 'refresh_at', 'session_id']);
});

test('a connection is opened and renewed with tickets', async () => {
  const session = await browser().signedIn();
  const client = h.client({ session });
  void client.connect();
  const ticket = await h.server.calls.next();
  expect(ticket).toMatchObject({ method: 'POST', url: '/v1/auth/ticket' });
  expect(ticket.headers).toMatchObject({ 'x-csrf-token': 'wr_csrf_1' });
  ticket.answer(200, { ticket: 't1', expires_in: 30 });
  const peer = await h.server.peers.next();
  expect(await peer.welcome({ refresh_after_ms: 1000 })).toEqual({ type: 'auth', ticket: 't1' });
  await client.connect();
  h.clock.advance(1000);
  const refresh = await h.server.calls.next();
  expect(refresh).toMatchObject({ url: '/v1/auth/refresh', body: {} });
  expect(refresh.headers).toMatchObject({ 'x-csrf-token': 'wr_csrf_1' });
  refresh.answer(200, answer(2));
  (await h.server.calls.next()).answer(200, { ticket: 't2', expires_in: 30 });
  expect(await peer.next('auth_refresh')).toMatchObject({ ticket: 't2' });
});

test('of two tabs one refreshes, and the other learns the new times from the storage', async () => {
  const at = browser();
  const first = await at.signedIn();
  const second = at.tab();
  h.clock.advance(200_000);
  const both = [first.call('/v1/me'), second.call('/v1/me')];
  const refresh = await h.server.calls.next();
  expect(refresh.url).toBe('/v1/auth/refresh');
  refresh.answer(200, answer(2));
  for (let count = 0; count < 2; count++) {
    const call = await h.server.calls.next();
    expect(call.url).toBe('/v1/me');
    call.answer(200, {});
  }
  await Promise.all(both);
});

test('a page that finds the cookies of an earlier visit goes on with them, one that finds none is signed out', async () => {
  const at = browser();
  await expect(at.tab().call('/v1/me')).rejects.toMatchObject({ code: 'signed_out' });
  at.shared.cookie = 'wr_csrf=wr_csrf_1';
  const session = at.tab();
  const me = session.call('/v1/me');
  const refresh = await h.server.calls.next();
  expect(refresh.url).toBe('/v1/auth/refresh');
  refresh.answer(200, answer(3));
  (await h.server.calls.next()).answer(200, {});
  await me;
  expect(session.sessionId).toBe(answer(3).session_id);
});

test('nothing is done in the name of somebody who signed in over the cookies in another tab', async () => {
  const at = browser();
  const session = await at.signedIn();
  const signedOut = session.once('signed_out');
  const other = at.tab();
  const login = other.login(alice);
  at.shared.cookie = 'wr_csrf=wr_csrf_2';
  (await h.server.calls.next()).answer(200, answer(9, { session_id: 'another' }));
  await login;
  const deleted = session.call('/v1/rooms/lobby', { method: 'DELETE' });
  await expect(deleted).rejects.toMatchObject({ code: 'session_replaced' });
  expect(await signedOut).toMatchObject({ code: 'session_replaced' });
  expect(h.server.calls.size).toBe(0);
  const me = other.call('/v1/me');
  (await h.server.calls.next()).answer(200, {});
  await me;
});

/** The cookies of a browser on the page of a node; `visible` is what `document.cookie` shows. */
function jar() {
  const cookies = new Map<string, { value: string; hidden: boolean }>();
  const text = (which: (hidden: boolean) => boolean) =>
    [...cookies]
      .filter(([, { hidden }]) => which(hidden))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ');
  return {
    visible: () => text((hidden) => !hidden),
    all: () => text(() => true),
    fetch: async (url: string, init: RequestInit) => {
      const headers = { ...(init.headers as Record<string, string>), origin: ORIGIN };
      const cookie = text(() => true);
      const response = await fetch(url, {
        ...init,
        headers: init.credentials === 'include' ? { ...headers, cookie } : headers,
      });
      for (const line of response.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
        if (value === '') cookies.delete(name!);
        else cookies.set(name!, { value: value!, hidden: /httponly/i.test(line) });
      }
      return response;
    },
  };
}

test('on a real node: login, connection, unsafe calls, a refresh and logout over cookies alone', async () => {
  const world = await World.create();
  const { email, password } = await world.user('ada');
  const cookies = jar();
  let aheadMs = 0;
  const session = new WardroomSession({
    url: nodeA(),
    transport: 'cookie',
    storage: memoryStorage(),
    fetch: cookies.fetch,
    clock: { ...systemClock, now: () => Date.now() + aheadMs },
    readCookies: cookies.visible,
  });
  const client = new WardroomClient({
    url: nodeA(),
    session,
    webSocket: class extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, { origin: ORIGIN });
      }
    },
  });
  try {
    await client.login({ tenant: world.tenant.slug, email, password });
    expect(cookies.visible()).toMatch(/^wr_csrf=[^;]+$/);
    await client.connect();
    const room = await client.api.rooms.create({ name: 'cookies', visibility: 'private' });
    await client.room(room.id).subscribe();
    expect((await client.room(room.id).publish('hello')).seq).toBe(1);
    const before = cookies.all();
    aheadMs = 600_000;
    expect((await client.api.me()).email).toBe(email);
    expect(cookies.all()).not.toBe(before);
    const signedOut = client.once('signed_out');
    expect(await session.logout()).toMatchObject({ effective: true });
    await signedOut;
    expect(cookies.all()).toBe('');
  } finally {
    client.close();
  }
});
