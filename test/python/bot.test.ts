/** The bot of examples/bot, as it stands there, beside two real nodes. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { describeWith } from '../support/needs.js';
import { call, nodeA, nodeB, type SignedIn, World } from '../support/world.js';
import { NEEDS_PYTHON, PYTHON, pythonEnv } from './python.js';

const BOT = fileURLToPath(new URL('../../examples/bot/bot.py', import.meta.url));

describeWith(NEEDS_PYTHON, 'the bot in Python')('the bot in Python', () => {
  let world: World;
  let ada: SignedIn;
  let robot: SignedIn;
  let room: string;
  let bot: ChildProcessWithoutNullStreams;
  let lines: AsyncIterator<string>;
  let reader: Interface;

  beforeAll(async () => {
    world = await World.create();
    [ada, robot] = (await world.users('ada', 'robot')) as [SignedIn, SignedIn];
    room = await world.room(ada, {}, [[robot, 'member']]);
  });

  afterEach(() => {
    bot.kill();
    reader.close();
  });

  function start(password = robot.password): void {
    bot = spawn(PYTHON, [BOT], {
      env: {
        ...pythonEnv(),
        WARDROOM_URL: nodeB(),
        WARDROOM_TENANT: world.tenant.slug,
        WARDROOM_EMAIL: robot.email,
        WARDROOM_PASSWORD: password,
        WARDROOM_ROOM: room,
      },
    });
    reader = createInterface({ input: bot.stdout });
    lines = reader[Symbol.asyncIterator]();
  }

  const line = async () => (await lines.next()).value as string;
  const exit = () =>
    new Promise<{ code: number | null; stderr: string }>((resolve) => {
      let stderr = '';
      bot.stderr.on('data', (chunk) => (stderr += String(chunk)));
      bot.on('close', (code) => resolve({ code, stderr }));
    });

  test('answers once, and says why it was signed out when its user logs out elsewhere', async () => {
    start();
    const ended = exit();
    expect(await line()).toBe(`listening: ${room}`);

    const path = `/v1/rooms/${room}/messages`;
    const { body: asked } = await call(nodeA(), path, {
      token: ada.token,
      headers: { 'idempotency-key': 'question' },
      body: { body: { text: 'echo hello' } },
    });
    const stored = async () => (await call(nodeA(), path, { token: ada.token })).body.items;
    await eventually('the bot answers', async () => (await stored()).length === 2);
    expect(await stored()).toContainEqual(
      expect.objectContaining({
        body: { text: 'hello' },
        sender: robot.id,
        reply_to: asked.message_id,
      }),
    );

    await call(nodeA(), '/v1/auth/logout', { token: robot.token, body: { scope: 'all' } });
    expect(await line()).toBe('signed out: session_revoked');
    const { code, stderr } = await ended;
    expect(stderr).toMatch(/^auth: session_revoked: /);
    expect(code).toBe(1);
  });

  test('ends at a wrong password with its code', async () => {
    start('wrong');
    const { code, stderr } = await exit();
    expect(stderr).toMatch(/^auth: invalid_credentials: |^denied: invalid_credentials: /);
    expect(code).toBe(1);
  });
});
