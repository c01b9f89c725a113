/** Calls for trying out only cannot be reached in production, nor from outside of the machine. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { seed } from '../../scripts/seed.mjs';
import { startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { call } from '../support/world.js';

const PASSWORD = 'a-password-of-the-try-out-page';
const operator = { email: 'operator@system.test', password: PASSWORD };
const first = {
  BOOTSTRAP_OPERATOR_EMAIL: operator.email,
  BOOTSTRAP_OPERATOR_PASSWORD: operator.password,
};
const signIn = (url: string, headers: Record<string, string> = {}) =>
  call(url, '/v1/try/sign-in', { body: { person: 'operator' }, headers, expect: 404 });

describe('in production', () => {
  let node: NodeProcess;
  beforeAll(async () => {
    node = await startNode({
      NODE_ENV: 'production',
      PUBLIC_URL: 'https://chat.example.com',
      ...first,
    });
    await seed(node.url, operator, () => PASSWORD);
  }, 60_000);

  test('nobody is signed in without a password, and no node is frozen', async () => {
    await signIn(node.url);
    await call(node.url, '/v1/try', { expect: 404 });
    expect((await fetch(`${node.internalUrl}/try/freeze?ms=1000`, { method: 'POST' })).status).toBe(
      404,
    );
  });

  test('/ is no try-out page', async () => {
    const page = await fetch(node.url);
    expect([page.status, new URL(page.url).pathname]).toEqual([200, '/chat']);
    expect(await page.text()).not.toMatch(/try-out/i);
    expect((await fetch(`${node.url}/try.html`)).status).toBe(404);
  });
});

describe('a development node', () => {
  let node: NodeProcess;
  beforeAll(async () => {
    node = await startNode({ TRY_PAGE: 'on', ...first });
    await seed(node.url, operator, () => PASSWORD);
  }, 60_000);

  test('signs a seeded person in for a caller of this machine', async () => {
    const { body } = await call(node.url, '/v1/try/sign-in', { body: { person: 'ben' } });
    expect((await call(node.url, '/v1/me', { token: body.access_token })).body).toMatchObject({
      email: 'ben@demo.test',
    });
  });

  test.each([
    ['by a name that leads here', { host: 'evil.example' }],
    ['from a page of another site', { origin: 'https://evil.example' }],
    ['through a proxy', { 'x-forwarded-for': '192.0.2.7' }],
  ])('signs nobody in %s', async (_, headers) => {
    await signIn(node.url, headers);
  });

  test('is frozen by its internal listener only, for a bounded time, and not by a page of another site', async () => {
    const freeze = (base: string, query: string, init: RequestInit = {}) =>
      fetch(`${base}/try/freeze${query}`, { method: 'POST', ...init }).then(({ status }) => status);
    expect(await freeze(node.url, '?ms=1000')).toBe(404);
    expect(
      await freeze(node.internalUrl, '?ms=1000', { headers: { origin: 'https://evil.example' } }),
    ).toBe(404);
    expect(await freeze(node.internalUrl, '?ms=1000', { method: 'GET' })).toBe(405);
    expect(await freeze(node.internalUrl, '')).toBe(422);
    expect(await freeze(node.internalUrl, '?ms=3600000')).toBe(422);
    expect(await freeze(node.internalUrl, '?ms=1')).toBe(200);
  });
});
