/**
 * The counters of the monthly review, moved by real flows on two nodes: each counts what its name
 * says, once, and nothing else.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { badToken, expectClosed, live, open } from '../protocol/harness.js';
import { eventually } from '../support/eventually.js';
import { startCluster, startNode } from '../support/node-process.js';
import type { Cluster, NodeProcess } from '../support/node-process.js';
import { World, call } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { counted } from './read-metrics.js';

let cluster: Cluster;
let a: NodeProcess;
/** Its tokens live 2 s, and 1 s of grace. */
let short: NodeProcess;
let nodes: NodeProcess[];
let world: World;
let ada: SignedIn;

beforeAll(async () => {
  cluster = await startCluster(1);
  a = cluster.nodes[0]!;
  short = await startNode({ ...cluster.env, ACCESS_TTL_SECONDS: '2', AUTH_GRACE_SECONDS: '1' });
  nodes = [a, short];
  world = await World.create({ base: a.url, tenant: { allow_guests: true } });
  ada = await world.user('ada');
}, 60_000);

/** How much a counter has grown since; waits for the growth that is expected. */
async function watch(name: string, labels: Record<string, string> = {}) {
  const before = await counted(nodes, name, labels);
  return async (by: number): Promise<void> => {
    let now = before;
    await eventually(`${name} ${JSON.stringify(labels)} grew by ${by}, not ${now}`, async () => {
      now = await counted(nodes, name, labels);
      return now - before >= by;
    });
    expect(now - before).toBe(by);
  };
}

async function refreshed(user: SignedIn, node = a): Promise<string> {
  const { body } = await call(node.url, '/v1/auth/refresh', {
    body: { refresh_token: user.refresh },
  });
  user.refresh = body.refresh_token;
  return body.access_token;
}

describe('wardroom_logins_total', () => {
  test('tells methods and outcomes apart; guests are seen', async () => {
    const ok = await watch('wardroom_logins_total', { method: 'password', outcome: 'ok' });
    const wrong = await watch('wardroom_logins_total', { outcome: 'invalid_credentials' });
    const guests = await watch('wardroom_logins_total', { method: 'guest', outcome: 'ok' });
    const refusedGuests = await watch('wardroom_logins_total', {
      method: 'guest',
      outcome: 'not_found',
    });
    await world.login(ada);
    const body = { tenant: world.tenant.slug, email: ada.email, password: 'not it' };
    await call(a.url, '/v1/auth/login', { body, expect: 401 });
    await call(a.url, '/v1/auth/guest', { body: { tenant: world.tenant.slug } });
    await call(a.url, '/v1/auth/guest', { body: { tenant: 'nobody' }, expect: 404 });
    await Promise.all([ok(1), wrong(1), guests(1), refusedGuests(1)]);
  });
});

describe('wardroom_handshakes_total', () => {
  test('phase upgrade: the HTTP answer; phase auth: the first credential', async () => {
    const upgraded = await watch('wardroom_handshakes_total', {
      outcome: 'accepted',
      phase: 'upgrade',
    });
    const accepted = await watch('wardroom_handshakes_total', {
      outcome: 'accepted',
      phase: 'auth',
    });
    const refused = await watch('wardroom_handshakes_total', {
      outcome: 'auth_invalid',
      phase: 'upgrade',
    });
    const refusedLater = await watch('wardroom_handshakes_total', {
      outcome: 'auth_invalid',
      phase: 'auth',
    });
    const left = await watch('wardroom_handshakes_total', { outcome: 'left', phase: 'auth' });
    const byMessage = await watch('wardroom_carriers_total', { carrier: 'message' });
    await live(a.wsUrl, ada.token);
    await expect(open(a.wsUrl, { token: badToken() })).rejects.toMatchObject({ status: 401 });
    const stranger = await open(a.wsUrl);
    stranger.send({ type: 'auth', token: badToken() });
    await expectClosed(stranger, 'auth_invalid');
    const silent = await open(a.wsUrl);
    silent.close();
    await silent.closed;
    await Promise.all([upgraded(3), accepted(1), refused(1), refusedLater(1), left(1)]);
    await byMessage(2);
  });
});

describe('wardroom_reauth_total and wardroom_expiries_total', () => {
  test('a renewal in time is no expiry; the token in use, a bad one and that of another are told apart', async () => {
    const ok = await watch('wardroom_reauth_total', { outcome: 'ok' });
    const same = await watch('wardroom_reauth_total', { outcome: 'same_token' });
    const bad = await watch('wardroom_reauth_total', { outcome: 'auth_invalid' });
    const other = await watch('wardroom_reauth_total', { outcome: 'identity_mismatch' });
    const expiries = await watch('wardroom_expiries_total');
    const user = await world.login(ada);
    const ben = await world.user('ben');
    const client = await live(a.wsUrl, user.token);
    await client.ask({ type: 'auth_refresh', token: await refreshed(user) });
    await client.ask({ type: 'auth_refresh', token: user.token });
    const renewedToken = await refreshed(user);
    await client.ask({ type: 'auth_refresh', token: renewedToken });
    await client.ask({ type: 'auth_refresh', token: renewedToken });
    await client.ask({ type: 'auth_refresh', token: badToken() });
    client.send({ type: 'auth_refresh', token: ben.token });
    await expectClosed(client, 'identity_mismatch');
    await Promise.all([ok(3), same(1), bad(1), other(1)]);
    await expiries(0);
  });

  test('warned, expired, renewed, closed, and expired at the connect', async () => {
    const phase = (name: string) => watch('wardroom_expiries_total', { phase: name });
    const [warned, expired, renewed, closed, atConnect] = await Promise.all(
      ['warned', 'expired', 'renewed', 'closed', 'at_connect'].map(phase),
    );
    const reconnects = await watch('wardroom_reconnects_total', { after: 'expiry' });
    const user = await world.login(ada, short.url);
    const client = await open(short.wsUrl, { token: user.token });
    await client.next('auth_expired');
    await client.ask({ type: 'auth_refresh', token: await refreshed(user, short) });
    const last = await refreshed(user, short);
    await expectClosed(client, 'token_expired');
    await eventually('the last token is over, too', async () => {
      const { status } = await call(short.url, '/v1/me', { token: last }).catch(() => ({
        status: 401,
      }));
      return status === 401;
    });
    await expect(open(short.wsUrl, { token: last })).rejects.toMatchObject({ status: 401 });
    const late = await open(short.wsUrl);
    late.send({ type: 'auth', token: last });
    await expectClosed(late, 'token_expired');
    await Promise.all([warned!(2), expired!(2), renewed!(1), closed!(1), atConnect!(2)]);
    await reconnects(2);
  });
});

test('wardroom_denials_total: a subscribe, a publish and a read by REST are told apart', async () => {
  const labels = (action: string, code: string) =>
    watch('wardroom_denials_total', { action, code });
  const subscribe = await labels('subscribe', 'not_found');
  const read = await labels('read', 'not_found');
  const publish = await labels('publish', 'read_only');
  const admin = await labels('list_tenants', 'role_required');
  const viewer = await world.user('viewer');
  const secret = await world.room(ada);
  const shown = await world.room(ada, {}, [[viewer, 'viewer']]);
  const client = await live(a.wsUrl, viewer.token);
  expect(await client.subscribe(secret)).toMatchObject({ code: 'not_found' });
  expect(await client.publish(shown, 'no')).toMatchObject({ code: 'read_only' });
  await call(a.url, `/v1/rooms/${secret}/messages`, { token: viewer.token, expect: 404 });
  await call(a.url, '/v1/admin/tenants', { token: viewer.token, expect: 403 });
  await Promise.all([subscribe(1), read(1), publish(1), admin(1)]);
});

describe('wardroom_reconnects_total', () => {
  const causes = ['expiry', 'revocation', 'restart', 'transport', 'other'] as const;

  test('a first connection of a session is none; each other one is counted by its last end, over nodes', async () => {
    const grown = Object.fromEntries(
      await Promise.all(
        causes.map(async (after) => [after, await watch('wardroom_reconnects_total', { after })]),
      ),
    ) as Record<(typeof causes)[number], (by: number) => Promise<void>>;

    const expiring = await world.login(ada, short.url);
    await expectClosed(await live(short.wsUrl, expiring.token), 'token_expired');
    await live(a.wsUrl, await refreshed(expiring));

    const revoked = await world.login(ada);
    const client = await live(short.wsUrl, revoked.token);
    await call(a.url, '/v1/auth/logout', { token: revoked.token, body: {} });
    await client.closed;
    // Refused, as it must be; it has come back although it was told not to.
    await expect(open(a.wsUrl, { token: revoked.token })).rejects.toMatchObject({ status: 401 });

    const cut = await world.login(ada);
    const broken = await live(a.wsUrl, cut.token);
    broken.ws.terminate();
    await broken.closed;
    await live(short.wsUrl, cut.token);

    const leaving = await world.login(ada);
    const left = await live(a.wsUrl, leaving.token);
    left.close();
    await left.closed;
    await live(a.wsUrl, leaving.token);

    const stopped = await startNode(cluster.env);
    const restarted = await world.login(ada);
    const served = await live(stopped.wsUrl, restarted.token);
    const stopping = stopped.stop();
    await expectClosed(served, 'restarting');
    await live(a.wsUrl, restarted.token);
    await stopping;

    await Promise.all(causes.map((after) => grown[after](1)));
  }, 60_000);
});

describe('wardroom_auth_loops_total', () => {
  test('kind reconnect: ten connections of a session within five minutes, each over within 30 s, once', async () => {
    // A status of its own choice is no label.
    const loops = await watch('wardroom_auth_loops_total', { kind: 'reconnect', code: '4xxx' });
    const user = await world.login(ada);
    for (let i = 0; i < 12; i += 1) {
      const client = await live(i % 2 === 0 ? a.wsUrl : short.wsUrl, user.token);
      client.ws.close(4_321);
      await client.closed;
      if (i === 8) await loops(0);
    }
    await loops(1);
  });

  test('kind refresh: thirty refreshes of a session within a minute, once', async () => {
    const loops = await watch('wardroom_auth_loops_total', { kind: 'refresh' });
    const user = await world.login(ada);
    for (let i = 0; i < 31; i += 1) {
      if (i === 29) await loops(0);
      await refreshed(user, i % 2 === 0 ? a : short);
    }
    await loops(1);
  });

  test('kind credential: the tenth refusal of one credential within a minute', async () => {
    const loops = await watch('wardroom_auth_loops_total', { kind: 'credential' });
    const token = badToken();
    for (let i = 0; i < 9; i += 1) await call(a.url, '/v1/me', { token, expect: 401 });
    await loops(0);
    await call(a.url, '/v1/me', { token, expect: 401 });
    await loops(1);
  });
});
