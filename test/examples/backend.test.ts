/** The examples of docs/backend.md run as they stand there, in Node and in Python. */
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from '@jest/globals';
import { testWith } from '../support/needs.js';
import { World, call, nodeA, unique } from '../support/world.js';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../../examples/backend', import.meta.url));
const PYTHON = {
  met: spawnSync('python3', ['--version']).status === 0,
  reason: 'there is no python3',
};
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  const world = await World.create();
  const admin = await world.user('admin', 'admin');
  const accounts = `/v1/admin/tenants/${world.tenant.id}/service-accounts`;
  const { body: account } = await call(nodeA(), accounts, {
    token: admin.token,
    body: { name: 'shop', scopes: ['rooms', 'members', 'messages', 'sessions', 'act_as'] },
  });
  const { body: key } = await call(nodeA(), `${accounts}/${account.id}/keys`, {
    token: admin.token,
    body: {},
  });
  env = { ...process.env, NODE_OPTIONS: '', WARDROOM_URL: nodeA(), WARDROOM_KEY: key.key };
});

const SAID =
  /^signed in: session [0-9a-f-]{36}\npublished: 2 messages\nsigned out: effective true, sessions 1\n$/;

test('a backend in Node signs a user in, publishes once and as them, and signs them out', async () => {
  const { stdout } = await run(process.execPath, ['demo.mjs', unique('orders')], {
    cwd: folder,
    env,
  });
  expect(stdout).toMatch(SAID);
});

testWith(PYTHON, 'the example of a backend in Python')(
  'a backend in Python does the same',
  async () => {
    const { stdout } = await run('python3', ['-B', 'demo.py', unique('orders')], {
      cwd: folder,
      env,
    });
    expect(stdout).toMatch(SAID);
  },
);
