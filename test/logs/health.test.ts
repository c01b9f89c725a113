/**
 * The view of an operator and a load balancer: `/livez`, `/readyz`, `/metrics`, and a node that
 * drains (contract section 2).
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, expectClosed, live } from '../protocol/harness.js';
import { startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { World } from '../support/world.js';

let node: NodeProcess;
beforeAll(async () => {
  node = await startNode();
});

const status = (url: string) => fetch(url).then(({ status: code }) => code);

describe('health', () => {
  test('is answered on both listeners, without a credential', async () => {
    for (const base of [node.url, node.internalUrl])
      for (const path of ['/livez', '/readyz']) expect(await status(base + path)).toBe(200);
  });

  test('readyz names what it looked at', async () => {
    const body = await (await fetch(`${node.internalUrl}/readyz`)).json();
    expect(body).toMatchObject({
      status: 'ok',
      details: {
        serving: { status: 'up' },
        authority: { status: 'up' },
        postgres: { status: 'up' },
      },
    });
  });
});

describe('the internal listener', () => {
  test('serves metrics in the text format, and nothing else of the API', async () => {
    const response = await fetch(`${node.internalUrl}/metrics`);
    expect(response.headers.get('content-type')).toMatch('text/plain');
    expect(await response.text()).toMatch(/^# TYPE wardroom_connections gauge$/m);
    for (const path of ['/', '/v1/me', '/openapi.json'])
      expect(await status(node.internalUrl + path)).toBe(404);
  });

  test('is the only one with metrics', async () => {
    expect(await status(`${node.url}/metrics`)).toBe(404);
  });
});

describe('a draining node', () => {
  test('is alive and not ready, tells everybody 1012 with a spread, ends whoever does not listen, and exits 0', async () => {
    const user = await (await World.create({ base: node.url })).user('ada');
    const [client, deaf] = [await live(node.wsUrl, user.token), await live(node.wsUrl, user.token)];
    deaf.ws.pause();
    const beganMs = performance.now();
    node.kill('SIGTERM');
    await eventually(
      () => status(`${node.internalUrl}/readyz`),
      (code) => code === 503,
      'readyz 503',
    );
    expect(await status(`${node.internalUrl}/livez`)).toBe(200);
    expect((await expectClosed(client, 'restarting')).retry_after_ms).toBeGreaterThan(0);
    expect(await node.ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - beganMs).toBeLessThan(5_000);
  });
});
