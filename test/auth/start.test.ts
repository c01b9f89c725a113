/** Contract section 1: what the first start decides, and with what a node refuses to start. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { freshDatabase, startCluster, startNode } from '../support/node-process.js';
import { World, call } from '../support/world.js';

const KEY = {
  first: 'first-secret-key-of-at-least-32-bytes',
  second: 'second-secret-key-of-at-least-32-bytes',
};

test('nodes that start together on an empty database agree on one key, one public URL and one operator', async () => {
  const { nodes } = await startCluster(3, { DATABASE_URL: await freshDatabase() });
  const keys = await Promise.all(
    nodes.map(async (node) => (await call(node.url, '/.well-known/jwks.json')).body.keys),
  );
  expect(keys[0]).toHaveLength(1);
  expect(keys[1]).toEqual(keys[0]);
  expect(keys[2]).toEqual(keys[0]);
  const world = await World.create({ base: nodes[0]!.url });
  const user = await world.user('u');
  for (const node of nodes) await call(node.url, '/v1/me', { token: user.token });
});

describe('a later node', () => {
  let env: Record<string, string>;
  beforeAll(async () => {
    const first = { PUBLIC_URL: 'https://rooms.example.com', SECRET_KEY: KEY.first };
    ({ env } = await startCluster(1, first));
  });

  test('that names another PUBLIC_URL refuses to start', async () => {
    await expect(startNode({ ...env, PUBLIC_URL: 'https://other.example.com' })).rejects.toThrow(
      /PUBLIC_URL is https:\/\/other\.example\.com/,
    );
  });

  test('with a SECRET_KEY that does not open the signing keys refuses to start, and does not print it', async () => {
    const refused = await startNode({ ...env, SECRET_KEY: KEY.second }).catch(
      (error: Error) => error.message,
    );
    expect(refused).toMatch(/SECRET_KEY does not open signing key/);
    expect(refused).not.toContain(KEY.second);
  });
});

test('a new SECRET_KEY in front of the former one takes the keys over: then the former may go', async () => {
  const { env, nodes } = await startCluster(1, { SECRET_KEY: KEY.first });
  const world = await World.create({ base: nodes[0]!.url });
  const user = await world.user('u');
  const both = await startNode({ ...env, SECRET_KEY: `${KEY.second},${KEY.first}` });
  await call(both.url, '/v1/me', { token: user.token });
  await both.stop();
  const later = await startNode({ ...env, SECRET_KEY: KEY.second });
  await call(later.url, '/v1/auth/refresh', { body: { refresh_token: user.refresh }, expect: 200 });
});
