/**
 * Caps and limits by client network, seen through a proxy: what it writes is read alike for
 * WebSockets and for REST.
 */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { outcome } from '../support/sign-in.js';
import { World } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { auditOf } from '../audit/read.js';
import { eventually, open } from './harness.js';

const PLACES = 5;
let node: NodeProcess;
let world: World;
let ada: SignedIn;

beforeAll(async () => {
  node = await startNode({
    TRUSTED_PROXIES: '127.0.0.0/8',
    MAX_UNAUTHENTICATED_PER_IP: String(PLACES),
    MAX_CONNECTIONS_PER_IP: String(PLACES + 2),
    AUTH_DEADLINE_MS: '2000',
    LOGIN_FAILURES_PER_MINUTE: '10',
  });
  world = await World.create({ base: node.url });
  ada = await world.user('ada');
});

beforeEach(async () => {
  const metrics = async () => (await fetch(`${node.internalUrl}/metrics`)).text();
  await eventually(metrics, (text) => /^wardroom_connections 0$/m.test(text), 'no connection');
});

/** `accepted`, or the code of the refusal. */
const handshake = (forwardedFor: string, token?: string): Promise<string> =>
  open(node.wsUrl, {
    headers: { 'x-forwarded-for': forwardedFor },
    ...(token === undefined ? {} : { token }),
  }).then(
    () => 'accepted',
    (refused: any) => refused.body.code as string,
  );
const counted = (outcomes: string[]) => ({
  accepted: outcomes.filter((one) => one === 'accepted').length,
  refused: outcomes.filter((one) => one === 'too_many_connections').length,
});
const twelve = (from: (i: number) => string): string[] =>
  Array.from({ length: 12 }, (_, i) => from(i + 1));

describe('a handshake counts for', () => {
  test('its IPv6 /64: of twelve addresses of one, five come in without a credential', async () => {
    const outcomes = await Promise.all(
      twelve((i) => `2001:db8:7:7:${i}::${i}`).map((ip) => handshake(ip)),
    );
    expect(counted(outcomes)).toEqual({ accepted: PLACES, refused: 12 - PLACES });
  });

  test('its IPv6 /64 with a credential too', async () => {
    const outcomes = await Promise.all(
      twelve((i) => `[2001:db8:7:8::${i}]:${i}`).map((ip) => handshake(ip, ada.token)),
    );
    expect(counted(outcomes)).toEqual({ accepted: PLACES + 2, refused: 12 - PLACES - 2 });
  });

  test.each<[string, (i: number) => string]>([
    ['its address, without the port that a proxy writes', (i) => `198.51.100.9:${40_100 + i}`],
    ['its address, whatever was forged before it', (i) => `203.0.113.${i}, 198.51.100.10:${i}`],
    ['the proxy, where that knows no address', (i) => `203.0.113.${i}, unknown`],
    ['the proxy, where that writes no address we read', (i) => `::198.51.100.${i}`],
  ])('%s', async (_, from) => {
    expect(counted(await Promise.all(twelve(from).map((ip) => handshake(ip))))).toEqual({
      accepted: PLACES,
      refused: 12 - PLACES,
    });
  });

  test('itself alone: twelve addresses of twelve networks all come in', async () => {
    expect(
      counted(await Promise.all(twelve((i) => `2001:db8:7:${i}::1`).map((ip) => handshake(ip)))),
    ).toEqual({ accepted: 12, refused: 0 });
    expect(
      counted(await Promise.all(twelve((i) => `198.51.100.${i}:5`).map((ip) => handshake(ip)))),
    ).toEqual({ accepted: 12, refused: 0 });
  });
});

describe('a wrong password counts for', () => {
  const guess = (forwardedFor: string, email: string) =>
    outcome(
      node.url,
      '/v1/auth/login',
      { tenant: world.tenant.slug, email, password: 'wrong' },
      { 'x-forwarded-for': forwardedFor },
    );

  test.each<[string, (i: number) => string]>([
    [
      'its address: fourteen, each with another port, are ten',
      (i) => `198.51.100.21:${40_100 + i}`,
    ],
    ['its IPv6 /64', (i) => `[2001:db8:9:9::${i}]:443`],
    ['its address, whatever was forged before it', (i) => `203.0.113.${i}, 198.51.100.22:${i}`],
  ])('%s', async (_, from) => {
    const { email } = await world.user('guessed');
    const outcomes = [];
    for (let i = 1; i <= 14; i += 1) outcomes.push(await guess(from(i), email));
    expect(outcomes).toEqual([
      ...Array(10).fill('invalid_credentials'),
      ...Array(4).fill('rate_limited'),
    ]);
  });
});

test('the audit names the same address for REST and for a WebSocket', async () => {
  const user = await world.user('where');
  const headers = { 'x-forwarded-for': '203.0.113.1, [2001:DB8::42]:8443' };
  const login = await outcome(
    node.url,
    '/v1/auth/login',
    { tenant: world.tenant.slug, email: user.email, password: user.password },
    headers,
  );
  expect(login).toBe('ok');
  const client = await open(node.wsUrl, { headers, token: user.token });
  await client.next('auth_ok');
  const records = await eventually(
    () => auditOf(world, { user: user.id }),
    (all) => all.some(({ event }) => event === 'connection_opened'),
    'the record of the connection',
  );
  const ips = records.filter(({ ip }) => ip === '2001:db8::42').map(({ event }) => event);
  expect(ips).toEqual(
    expect.arrayContaining(['authn_login_success', 'session_created', 'connection_opened']),
  );
});
