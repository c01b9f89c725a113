/** The examples of docs/backend.md run as they stand there, in Node and in Python. */
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from '@jest/globals';
import { startChild, stopChild } from '../../scripts/lib/children.mjs';
import { freePort } from '../../scripts/stores/machine.mjs';
import { eventually } from '../support/eventually.js';
import { testWith } from '../support/needs.js';
import { World, call, nodeA, unique } from '../support/world.js';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../../examples/backend', import.meta.url));
const PYTHON = {
  met: spawnSync('python3', ['--version']).status === 0,
  reason: 'there is no python3',
};
/** That of the system has its packages; another one may come first on PATH. */
const DEBIAN_PYTHON = '/usr/bin/python3';
const FASTAPI = {
  met: spawnSync(DEBIAN_PYTHON, ['-c', 'import fastapi, uvicorn']).status === 0,
  reason: 'Python has no fastapi and uvicorn (Debian: python3-fastapi python3-uvicorn)',
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

testWith(FASTAPI, 'the example of a backend in FastAPI')(
  'a backend in FastAPI gives its customer a session, asks as them, and ends it',
  async () => {
    const room = unique('order');
    const made = [`from wardroom import create_room`, `create_room("${room}", "Order")`].join('\n');
    await run('python3', ['-B', '-c', made], { cwd: folder, env });
    const port = await freePort();
    const args = ['-B', '-m', 'uvicorn', 'shop:app', '--port', String(port)];
    const child = startChild(DEBIAN_PYTHON, args, { cwd: folder, env });
    const ask = async (path: string, cookie = 'cookie-of-cleo') => {
      const headers = { 'x-shop-session': cookie };
      const url = `http://127.0.0.1:${port}${path}`;
      const answer = await fetch(url, { method: 'POST', headers });
      return { status: answer.status, body: (await answer.json()) as any };
    };
    try {
      await eventually('the backend answers', async () =>
        ask('/chat-session', 'nobody').then(
          ({ status }) => status === 401,
          () => false,
        ),
      );
      const { body: tokens } = await ask('/chat-session');
      const question = `/orders/${room}/question?text=Where+is+it`;
      expect(await ask(question)).toMatchObject({ status: 200, body: { seq: 1 } });
      expect(await ask('/orders/none/question?text=x')).toMatchObject({ status: 409 });
      const { access_token: token } = tokens;
      await call(nodeA(), '/v1/me', { token });
      expect((await ask('/sign-out')).body).toEqual({ effective: true });
      const { body } = await call(nodeA(), '/v1/me', { token, expect: 401 });
      expect(body.code).toBe('session_revoked');
    } finally {
      await stopChild(child);
    }
  },
);
