/** The person signed in on a page, against a scripted server. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { memoryStorage } from '@wardroom/client';
import { CookieSession } from '../../../web/model/cookie-session.js';
import { ManualClock } from '../../sdk/manual-clock.js';
import { ScriptedServer, tokens } from '../../sdk/scripted-server.js';

const alice = { tenant: 'acme', email: 'alice@acme.test', password: 'a password' };
const me = {
  user_id: 'u',
  tenant_id: 't',
  session_id: 's',
  tenant: { id: 't', slug: 'acme', name: 'Acme' },
  role: 'member',
  email: alice.email,
  name: 'Alice',
  avatar: null,
  status: null,
};
const answer = (n: number) => {
  const { access_token: _a, refresh_token: _r, ...rest } = tokens(n);
  return rest;
};

let server: ScriptedServer;
let clock: ManualClock;
let session: CookieSession;
let cookie = '';

beforeEach(async () => {
  server = await ScriptedServer.start();
  clock = new ManualClock();
  cookie = '';
  session = new CookieSession({
    url: server.url,
    clock,
    webSocket: WebSocket,
    storage: memoryStorage(),
    readCookies: () => cookie,
  });
});
afterEach(async () => {
  session.stop();
  await server.stop();
});

async function signIn(n = 1): Promise<void> {
  const signingIn = session.signIn(alice);
  cookie = `wr_csrf=csrf_${n}`;
  const login = await server.calls.next();
  expect(login.body).toEqual({ ...alice, transport: 'cookie' });
  login.answer(200, answer(n));
  (await server.calls.next()).answer(200, me);
  await signingIn;
}

describe('a page', () => {
  test('without cookies has nobody signed in, and no reason to tell', async () => {
    await session.start();
    expect([session.state.value, session.why.value]).toEqual(['signed_out', null]);
  });

  test('goes on with the cookies of an earlier visit', async () => {
    cookie = 'wr_csrf=csrf_1';
    const started = session.start();
    (await server.calls.next()).answer(200, answer(1));
    const call = await server.calls.next();
    expect(call.headers).not.toHaveProperty('authorization');
    call.answer(200, me);
    await started;
    expect([session.state.value, session.me.value]).toEqual(['signed_in', me]);
  });

  test('of a server that does not answer says so, and does not say that nobody is signed in', async () => {
    cookie = 'wr_csrf=csrf_1';
    const started = session.start();
    (await server.calls.next()).answer(503, { code: 'unavailable', action: 'retry' });
    await started;
    expect(session.state.value).toBe('away');
  });
});

describe('signing in and out', () => {
  test('a wrong password is thrown, and changes nothing', async () => {
    const signingIn = session.signIn(alice);
    (await server.calls.next()).answer(401, { code: 'invalid_credentials', action: 'none' });
    await expect(signingIn).rejects.toMatchObject({ code: 'invalid_credentials' });
    expect(session.state.value).toBe('starting');
  });

  test('a sign-out of one’s own has no reason, and the person is still known', async () => {
    await signIn();
    const leaving = session.signOut();
    (await server.calls.next()).answer(200, { id: 'r', effective: true });
    await leaving;
    expect([session.state.value, session.why.value]).toEqual(['signed_out', null]);
    expect(session.known.value).toEqual({ tenant: 'acme', email: alice.email });
  });

  test('a session that was ended elsewhere is over with the reason, learned from any call', async () => {
    await signIn();
    const call = session.client.api.me();
    (await server.calls.next()).answer(401, { code: 'session_revoked', action: 'login' });
    await expect(call).rejects.toMatchObject({ code: 'session_revoked' });
    expect(session.state.value).toBe('signed_out');
    expect(session.why.value?.code).toBe('session_revoked');
  });
});
