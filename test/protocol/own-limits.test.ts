/**
 * CONNECT on a node of its own, behind https and with small limits: the deadline, `?token=`,
 * cookies, and the caps that are refused before the upgrade.
 */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { World } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { eventually, expectClosed, expectRefused, open } from './harness.js';
import type { RawClient } from '../support/raw-client.js';

const DEADLINE_MS = 1_500;
let node: NodeProcess;
let ada: SignedIn;

beforeAll(async () => {
  node = await startNode({
    PUBLIC_URL: 'https://rooms.example.com',
    AUTH_DEADLINE_MS: String(DEADLINE_MS),
    QUERY_TOKEN: 'on',
    TRUSTED_PROXIES: '127.0.0.0/8',
    MAX_CONNECTIONS: '5',
    MAX_CONNECTIONS_PER_IP: '3',
    MAX_UNAUTHENTICATED: '3',
    MAX_UNAUTHENTICATED_PER_IP: '2',
  });
  ada = await (await World.create({ base: node.url })).user('ada');
});

/** Connections of the test before are gone when the node has noticed. */
beforeEach(async () => {
  const metrics = async () => (await fetch(`${node.internalUrl}/metrics`)).text();
  await eventually(metrics, (text) => /^wardroom_connections 0$/m.test(text), 'no connection');
});

/** From an address of its own, as a trusted proxy tells it. */
const from = (ip: string, token?: string): Promise<RawClient> =>
  open(node.wsUrl, {
    headers: {
      'x-forwarded-for': ip,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
  });

describe('the deadline of the first auth', () => {
  test('is told in hello and ends in 1008 auth_timeout with a time to come back', async () => {
    const client = await open(node.wsUrl);
    expect(await client.next('hello')).toMatchObject({ auth_deadline_ms: DEADLINE_MS });
    const beganMs = performance.now();
    expect((await expectClosed(client, 'auth_timeout')).retry_after_ms).toBeGreaterThan(0);
    expect(performance.now() - beganMs).toBeGreaterThan(DEADLINE_MS / 2);
  });

  test('does not touch who has authenticated', async () => {
    const client = await open(node.wsUrl);
    await client.ask({ type: 'auth', token: ada.token });
    const late = await open(node.wsUrl);
    await expectClosed(late, 'auth_timeout');
    await client.settled();
  });
});

describe('?token= with QUERY_TOKEN=on', () => {
  test('is accepted', async () => {
    const client = await open(`${node.wsUrl}?token=${ada.token}`);
    expect(await client.next('auth_ok')).toMatchObject({ session_id: ada.session });
  });

  test('is one of the four that exclude each other', async () => {
    await expectRefused(
      open(`${node.wsUrl}?token=${ada.token}`, { token: ada.token }),
      'two_credentials',
      400,
    );
    await expectRefused(
      open(`${node.wsUrl}?token=${ada.token}&ticket=wr_tk_x`),
      'two_credentials',
      400,
    );
    await expectRefused(
      open(`${node.wsUrl}?token=${ada.token}&token=${ada.token}`),
      'two_credentials',
      400,
    );
  });

  test('is told and closed when it is not valid', async () => {
    await expectClosed(await open(`${node.wsUrl}?token=x`), 'auth_invalid');
  });
});

describe('over https', () => {
  const origin = 'https://rooms.example.com';

  test('the cookie that counts is __Host-wr_at, from the Origin of PUBLIC_URL', async () => {
    const client = await open(node.wsUrl, {
      origin,
      headers: { cookie: `wr_at=planted; __Host-wr_at=${ada.token}` },
    });
    expect(await client.next('auth_ok')).toMatchObject({ session_id: ada.session });
  });

  test('one without the prefix, which a sibling domain can plant, is no credential', async () => {
    const client = await open(node.wsUrl, { origin, headers: { cookie: `wr_at=${ada.token}` } });
    client.send({ type: 'ping' });
    await expectClosed(client, 'auth_missing');
  });
});

describe('caps', () => {
  test('MAX_CONNECTIONS_PER_IP: one more from that address is 429 too_many_connections; another address and a freed place are not', async () => {
    const mine = await Promise.all([1, 2, 3].map(() => from('198.51.100.1', ada.token)));
    await expectRefused(from('198.51.100.1', ada.token), 'too_many_connections');
    await from('198.51.100.2', ada.token);
    mine[0]!.close();
    await mine[0]!.closed;
    await from('198.51.100.1', ada.token);
  });

  test('MAX_CONNECTIONS: one more on the node is 503 overloaded', async () => {
    for (let i = 1; i <= 5; i += 1) await from(`198.51.100.${i}`, ada.token);
    await expectRefused(from('198.51.100.9', ada.token), 'overloaded');
  });

  test('MAX_UNAUTHENTICATED and _PER_IP count only who has not authenticated yet', async () => {
    const waiting = [await from('198.51.100.1'), await from('198.51.100.1')];
    await expectRefused(from('198.51.100.1'), 'too_many_connections');
    await from('198.51.100.2');
    await expectRefused(from('198.51.100.3'), 'overloaded');
    await waiting[0]!.ask({ type: 'auth', token: ada.token });
    await from('198.51.100.3');
  });

  test('an address that no trusted proxy told is not believed beyond the nearest untrusted hop', async () => {
    const spoofed = (i: number) => from(`203.0.113.${i}, 198.51.100.7`, ada.token);
    for (let i = 1; i <= 3; i += 1) await spoofed(i);
    await expectRefused(spoofed(4), 'too_many_connections');
  });
});
