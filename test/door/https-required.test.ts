/**
 * Plain HTTP in production, and behind a proxy that says how it was asked, is refused unless an
 * operator allows it.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { startCluster, startNode } from '../support/node-process.js';
import type { Cluster } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { nodeA, wsUrl } from '../support/world.js';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster(1, {
    PUBLIC_URL: 'https://rooms.example.com',
    TRUSTED_PROXIES: '127.0.0.1',
  });
});

const ask = (base: string, proto: string | undefined) =>
  fetch(`${base}/livez`, { headers: proto === undefined ? {} : { 'x-forwarded-proto': proto } });

describe('a request that a trusted proxy took', () => {
  test.each(['http', 'HTTP', 'https, http', 'http,https', 'ws'])(
    'over "%s" is 403 https_required, as a call and as a handshake',
    async (proto) => {
      const node = cluster.nodes[0]!;
      const response = await ask(node.url, proto);
      expect(response.status).toBe(403);
      expect(response.headers.get('content-type')).toContain('application/problem+json');
      expect(await response.json()).toMatchObject({ code: 'https_required', action: 'none' });
      const refused = RawClient.open(node.wsUrl, { headers: { 'x-forwarded-proto': proto } });
      await expect(refused).rejects.toMatchObject({
        status: 403,
        body: { code: 'https_required' },
      });
    },
  );

  test.each(['https', 'wss', undefined, 'https, https'])('over "%s" is served', async (proto) => {
    expect((await ask(cluster.nodes[0]!.url, proto)).status).toBe(200);
    const client = await RawClient.open(cluster.nodes[0]!.wsUrl, {
      headers: proto === undefined ? {} : { 'x-forwarded-proto': proto },
    });
    client.close();
  });
});

test('the scheme that a peer claims means nothing unless it is a trusted proxy', async () => {
  // The shared nodes trust no proxy.
  expect((await ask(nodeA(), 'http')).status).toBe(200);
  (await RawClient.open(wsUrl(nodeA()), { headers: { 'x-forwarded-proto': 'http' } })).close();
});

describe('in production', () => {
  test('ALLOW_INSECURE_HTTP=on serves plain HTTP, and says so in the log and a metric', async () => {
    const node = await startNode({
      NODE_ENV: 'production',
      PUBLIC_URL: 'http://rooms.example.com',
      TRUSTED_PROXIES: '127.0.0.1',
      ALLOW_INSECURE_HTTP: 'on',
    });
    expect((await ask(node.url, 'http')).status).toBe(200);
    expect(node.logs()).toContain('ALLOW_INSECURE_HTTP is on');
    expect(await (await fetch(`${node.internalUrl}/metrics`)).text()).toMatch(
      /^wardroom_insecure_http 1$/m,
    );
  });

  test('a PUBLIC_URL that is not set, and so not https, stops the first start', async () => {
    await expect(startNode({ NODE_ENV: 'production', PUBLIC_URL: '' })).rejects.toThrow(
      'PUBLIC_URL: has to be https in production',
    );
  });

  test('a database that was started with http stops a later one', async () => {
    const before = await startCluster(1, { PUBLIC_URL: 'http://rooms.example.com' });
    await before.stop();
    await expect(
      startNode({ ...before.env, NODE_ENV: 'production', PUBLIC_URL: '' }),
    ).rejects.toThrow('PUBLIC_URL: has to be https in production');
  });

  test('the metric is 0 where nothing insecure is allowed', async () => {
    expect(await (await fetch(`${cluster.nodes[0]!.internalUrl}/metrics`)).text()).toMatch(
      /^wardroom_insecure_http 0$/m,
    );
  });
});
