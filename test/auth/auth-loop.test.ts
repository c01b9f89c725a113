/**
 * Issue 4: a client that ignores what it is told and presents a refused credential again at once is
 * held to ten tries a minute, on all nodes together, with one log line and one count; nothing else
 * of the user is touched.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { startCluster } from '../support/node-process.js';
import type { Cluster, NodeProcess } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { World, call } from '../support/world.js';
import { auditUntil, named } from '../audit/read.js';
import type { SignedIn } from '../support/world.js';

const PROXY = { TRUSTED_PROXIES: '127.0.0.0/8' };
const from = (ip: string) => ({ 'x-forwarded-for': ip });

let cluster: Cluster;
let world: World;
let a: NodeProcess;
let b: NodeProcess;

beforeAll(async () => {
  cluster = await startCluster(2, PROXY);
  [a, b] = cluster.nodes as [NodeProcess, NodeProcess];
  world = await World.create({ base: a.url });
}, 60_000);

/** A user who lost one session and has another. */
async function loser(): Promise<{ user: SignedIn; lost: string; other: SignedIn }> {
  const user = await world.user('u');
  const other = await world.login(user);
  await call(a.url, '/v1/auth/logout', { token: user.token, body: {} });
  return { user, lost: user.token, other };
}

let addresses = 0;
const newAddress = () => `203.0.113.${(addresses += 1)}`;

const rest = async (
  node: NodeProcess,
  token: string,
  ip: string,
): Promise<{
  code: string;
  retryAfterMs: number | undefined;
  status: number;
  retryAfter: string | null;
}> => {
  const response = await fetch(`${node.url}/v1/me`, {
    headers: { authorization: `Bearer ${token}`, ...from(ip) },
  });
  const body = (await response.json()) as any;
  return {
    code: body.code ?? 'ok',
    retryAfterMs: body.retry_after_ms,
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
  };
};

/** By first message, as a browser would; answers the close. */
async function connect(node: NodeProcess, frame: object, ip: string) {
  const socket = await RawClient.open(node.wsUrl, { headers: from(ip) });
  socket.send({ type: 'auth', ...frame });
  return socket.closed;
}

const tally = (codes: string[]) =>
  codes.reduce<Record<string, number>>(
    (sum, code) => ({ ...sum, [code]: (sum[code] ?? 0) + 1 }),
    {},
  );
const lines = (token: string) =>
  [a, b]
    .flatMap((node) => node.logs().split('\n'))
    .filter((line) => line.includes('presented again and again') && line.includes(token));

async function loopsCounted(): Promise<number> {
  const texts = await Promise.all(
    [a, b].map(async (node) => (await fetch(`${node.internalUrl}/metrics`)).text()),
  );
  return texts
    .flatMap((text) => [...text.matchAll(/^wardroom_auth_loops_total\{.*\} (\d+)$/gm)])
    .reduce((sum, [, count]) => sum + Number(count), 0);
}

describe('a refused credential that comes again at once', () => {
  test('is judged ten times a minute on two nodes together, then answered `auth_loop`; REST and WebSocket count as one', async () => {
    const { user, lost, other } = await loser();
    const ip = newAddress();
    const live = await RawClient.live(b.wsUrl, other.token, { headers: from(ip) });
    const counted = await loopsCounted();
    const codes: string[] = [];
    for (let i = 0; i < 40; i += 1) {
      const node = i % 2 === 0 ? a : b;
      if (i % 4 < 2) codes.push((await rest(node, lost, ip)).code);
      else codes.push((await connect(node, { token: lost }, ip)).reason.code);
    }
    expect(codes.slice(0, 10)).toEqual(Array(10).fill('session_revoked'));
    expect(tally(codes)).toEqual({ session_revoked: 10, auth_loop: 30 });
    expect(lines(user.session)).toHaveLength(1);
    expect(await loopsCounted()).toBe(counted + 1);
    // Of the same user, from the same address: what was open, and what opens now.
    await live.settled();
    expect(await rest(a, other.token, ip)).toMatchObject({ code: 'ok' });
    const again = await RawClient.live(a.wsUrl, other.token, { headers: from(ip) });
    await again.settled();
  });

  test('is held to ten when it comes forty times at once', async () => {
    const { lost } = await loser();
    const ip = newAddress();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => rest(i % 2 === 0 ? a : b, lost, ip)),
    );
    expect(tally(answers.map(({ code }) => code))).toEqual({ session_revoked: 10, auth_loop: 30 });
  });

  test('is told when to come back: 429 with Retry-After, 1013 with retry_after_ms, HTTP 429 before the upgrade', async () => {
    const { lost } = await loser();
    const ip = newAddress();
    for (let i = 0; i < 10; i += 1) await rest(a, lost, ip);
    const answer = await rest(a, lost, ip);
    expect(answer).toMatchObject({ status: 429, code: 'auth_loop' });
    expect(answer.retryAfterMs).toBeGreaterThan(50_000);
    expect(answer.retryAfterMs).toBeLessThanOrEqual(60_000);
    expect(Number(answer.retryAfter)).toBeGreaterThanOrEqual(answer.retryAfterMs! / 1000);
    for (const node of [a, b]) {
      const closed = await connect(node, { token: lost }, ip);
      expect(closed).toMatchObject({ code: 1013, reason: { code: 'auth_loop', action: 'retry' } });
      expect(closed.reason.retry_after_ms).toBeGreaterThan(50_000);
      const refused = await RawClient.open(node.wsUrl, { token: lost, headers: from(ip) }).catch(
        (error: { status: number; body: any }) => error,
      );
      expect(refused).toMatchObject({ status: 429, body: { code: 'auth_loop', action: 'retry' } });
    }
  });

  test('is blocked for its address and as itself: the true user at home is told the truth, and a good token is never asked', async () => {
    const { user, lost, other } = await loser();
    const [attacker, home] = [newAddress(), newAddress()];
    for (let i = 0; i < 12; i += 1) await rest(i % 2 === 0 ? a : b, lost, attacker);
    expect((await rest(a, lost, attacker)).code).toBe('auth_loop');
    for (const node of [a, b]) expect((await rest(node, lost, home)).code).toBe('session_revoked');
    for (const ip of [attacker, home]) expect((await rest(a, other.token, ip)).code).toBe('ok');
    expect((await world.login(user)).session).not.toBe(user.session);
  });

  test('counts garbage, spent tickets and refresh tokens, too', async () => {
    const { user } = await loser();
    const ip = newAddress();
    const { ticket } = (
      await call(a.url, '/v1/auth/ticket', { token: (await world.login(user)).token, body: {} })
    ).body;
    await RawClient.open(`${a.wsUrl}?ticket=${ticket}`).then((socket) => socket.next('auth_ok'));
    const tickets: string[] = [];
    const garbage: string[] = [];
    const refreshes: string[] = [];
    for (let i = 0; i < 12; i += 1) {
      const node = i % 2 === 0 ? a : b;
      tickets.push((await connect(node, { ticket }, ip)).reason.code);
      garbage.push((await rest(node, 'garbage', ip)).code);
      const response = await fetch(`${node.url}/v1/auth/refresh`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...from(ip) },
        body: JSON.stringify({ refresh_token: user.refresh }),
      });
      refreshes.push(((await response.json()) as any).code);
    }
    expect(tally(tickets)).toEqual({ auth_invalid: 10, auth_loop: 2 });
    expect(tally(garbage)).toEqual({ auth_invalid: 10, auth_loop: 2 });
    expect(tally(refreshes)).toEqual({ session_revoked: 10, auth_loop: 2 });
  });

  test('on a live connection is an `auth_error`; the connection and others of the session go on', async () => {
    const { lost, other } = await loser();
    const ip = newAddress();
    const [first, second] = await Promise.all(
      [a, b].map((node) => RawClient.live(node.wsUrl, other.token, { headers: from(ip) })),
    );
    const codes: string[] = [];
    for (let i = 0; i < 14; i += 1)
      codes.push(
        (await (i % 2 === 0 ? first! : second!).ask({ type: 'auth_refresh', token: lost })).code,
      );
    expect(tally(codes)).toEqual({ session_revoked: 10, auth_loop: 4 });
    const { access_token } = (
      await call(a.url, '/v1/auth/refresh', { body: { refresh_token: other.refresh } })
    ).body;
    expect(await first!.ask({ type: 'auth_refresh', token: access_token })).toMatchObject({
      type: 'auth_ok',
    });
    await second!.settled();
    expect((await rest(a, lost, ip)).code).toBe('session_revoked');
  });

  test('leaves one record in the audit for the period, and no credential anywhere', async () => {
    const { user, lost } = await loser();
    const ip = newAddress();
    for (let i = 0; i < 15; i += 1) await rest(i % 2 === 0 ? a : b, lost, ip);
    const records = await auditUntil(
      world,
      (all) =>
        named(all, 'excess_rate_limit_exceeded').length > 0 &&
        named(all, 'session_use_after_expire').length >= 10,
      {
        user: user.id,
      },
    );
    expect(named(records, 'session_use_after_expire')).toHaveLength(10);
    expect(named(records, 'excess_rate_limit_exceeded')).toMatchObject([
      { detail: { limit: 'auth_loop', code: 'session_revoked' } },
    ]);
    for (const node of [a, b]) expect(node.logs()).not.toContain(lost);
  });
});

describe('without Redis', () => {
  test('each node holds it to ten by itself', async () => {
    const alone = await startCluster(1, { ...PROXY, REDIS_URL: 'redis://127.0.0.1:1' });
    const node = alone.nodes[0]!;
    const ip = newAddress();
    const codes: string[] = [];
    for (let i = 0; i < 13; i += 1) codes.push((await rest(node, 'garbage', ip)).code);
    expect(tally(codes)).toEqual({ auth_invalid: 10, auth_loop: 3 });
  });
});
