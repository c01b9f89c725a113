/**
 * Which pages may come: exact origins of any scheme, in development every page of this machine; a
 * refused one can be found in the log.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { World, call } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

const corsOf = async ({ url }: NodeProcess, origin: string) =>
  (await fetch(`${url}/livez`, { headers: { origin } })).headers.get('access-control-allow-origin');

async function connects({ wsUrl }: NodeProcess, origin: string): Promise<boolean> {
  try {
    (await RawClient.open(wsUrl, { origin })).close();
    return true;
  } catch (error) {
    expect(error).toMatchObject({ status: 403, body: { code: 'origin_refused' } });
    return false;
  }
}

describe('an origin of another scheme than http, listed in ALLOWED_ORIGINS', () => {
  const listed = [
    'capacitor://localhost',
    'ionic://localhost',
    'tauri://localhost',
    'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
    'app://x',
  ];
  let node: NodeProcess;
  let world: World;
  let ada: SignedIn;
  beforeAll(async () => {
    node = await startNode({ ALLOWED_ORIGINS: listed.join(', ') });
    world = await World.create({ base: node.url });
    ada = await world.user('ada');
  });

  test.each(listed)('%s: REST, sockets, tickets and cookies', async (origin) => {
    expect(await corsOf(node, origin)).toBe(origin);
    const { body } = await call(node.url, '/v1/auth/ticket', {
      method: 'POST',
      token: ada.token,
      headers: { origin },
    });
    const client = await RawClient.open(`${node.wsUrl}?ticket=${body.ticket}`, { origin });
    await client.next('auth_ok');
    client.close();
    const { headers } = await call(node.url, '/v1/auth/login', {
      body: {
        tenant: world.tenant.slug,
        email: ada.email,
        password: ada.password,
        transport: 'cookie',
      },
      headers: { origin },
    });
    const cookie = headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ');
    const byCookie = await RawClient.open(node.wsUrl, { origin, headers: { cookie } });
    await byCookie.next('auth_ok');
    byCookie.close();
  });

  test('is exact: another host, scheme, case or an opaque origin is refused', async () => {
    for (const origin of [
      'capacitor://localhost.evil',
      'capacitor://localhos',
      'http://localhost',
      'Capacitor://localhost',
      'app://x/',
      'null',
    ]) {
      expect([origin, await corsOf(node, origin), await connects(node, origin)]).toEqual([
        origin,
        null,
        false,
      ]);
    }
  });
});

describe('in development', () => {
  let node: NodeProcess;
  beforeAll(async () => {
    node = await startNode({ NODE_ENV: 'development' });
  });

  test.each([
    'http://localhost:5173',
    'http://127.0.0.1:8080',
    'https://127.9.9.9',
    'http://[::1]:3000',
    'https://localhost',
  ])('a page at %s may call and connect', async (origin) => {
    expect(await corsOf(node, origin)).toBe(origin);
    expect(await connects(node, origin)).toBe(true);
  });

  test('no other may: names that begin like this machine, other addresses, forms that no browser sends', async () => {
    for (const origin of [
      'http://localhost.evil.test',
      'http://127.0.0.1.evil.test',
      'http://128.0.0.1',
      'http://127.1',
      'http://LOCALHOST:80',
      'http://[::2]',
      'file://localhost',
    ]) {
      expect([origin, await corsOf(node, origin), await connects(node, origin)]).toEqual([
        origin,
        null,
        false,
      ]);
    }
  });

  test('a refused origin is one warning, which names ALLOWED_ORIGINS, however often it comes', async () => {
    const origin = 'http://192.0.2.7:5173';
    for (let i = 0; i < 3; i += 1) expect(await connects(node, origin)).toBe(false);
    await corsOf(node, origin);
    const lines = node
      .logs()
      .split('\n')
      .filter((line) => line.includes(origin) && line.includes('ALLOWED_ORIGINS'));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'warn', origin });
  });
});

test('elsewhere a page of this machine is a page like any other', async () => {
  const node = await startNode();
  expect(await connects(node, 'http://localhost:5173')).toBe(false);
});
