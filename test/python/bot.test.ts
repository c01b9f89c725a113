/** The bot of examples/bot and those of docs/sdk-python.md, beside two real nodes. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { describeWith } from '../support/needs.js';
import { connected } from '../support/sdk-client.js';
import { call, nodeA, nodeB, type SignedIn, World } from '../support/world.js';
import { examples, NEEDS_PYTHON, PYTHON, pythonEnv } from './python.js';

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
  });
  beforeEach(async () => {
    room = await world.room(ada, {}, [[robot, 'member']]);
  });

  afterEach(() => {
    bot.kill();
    reader.close();
  });

  function start(...args: string[]): void {
    bot = spawn(PYTHON, args, {
      env: {
        ...pythonEnv(),
        PYTHONUNBUFFERED: '1',
        WARDROOM_URL: nodeB(),
        WARDROOM_TENANT: world.tenant.slug,
        WARDROOM_EMAIL: robot.email,
        WARDROOM_PASSWORD: robot.password,
        WARDROOM_ROOM: room,
      },
    });
    reader = createInterface({ input: bot.stdout });
    lines = reader[Symbol.asyncIterator]();
  }

  /** An example of the page, with the names of this test in it. */
  function example(at: number, file: string, password = robot.password): string {
    const names: [string, string][] = [
      ['http://localhost:3000', nodeB()],
      ['"demo"', `"${world.tenant.slug}"`],
      ['ben@demo.test', robot.email],
      ['"..."', `"${password}"`],
      ['"lobby"', `"${room}"`],
      ['~/.bot/session', file],
    ];
    return names.reduce((text, [from, to]) => text.replaceAll(from, to), examples()[at]!);
  }

  const path = () => `/v1/rooms/${room}/messages`;
  const say = async (text: string) =>
    (
      await call(nodeA(), path(), {
        token: ada.token,
        headers: { 'idempotency-key': text },
        body: { body: { text } },
      })
    ).body;
  const stored = async () => (await call(nodeA(), path(), { token: ada.token })).body.items;
  const answered = async (asked: { message_id: string }, text: string) => {
    const isAnswer = (message: any) =>
      message.reply_to === asked.message_id && message.sender === robot.id;
    await eventually('the bot answers', async () => (await stored()).some(isAnswer));
    expect((await stored()).filter(isAnswer)).toMatchObject([{ body: { text } }]);
  };
  const logOutElsewhere = async () => {
    const { token } = await world.login(robot);
    await call(nodeA(), '/v1/auth/logout', { token, body: { scope: 'all' } });
  };
  const line = async () => (await lines.next()).value as string;
  const exit = () =>
    new Promise<{ code: number | null; stderr: string }>((resolve) => {
      let stderr = '';
      bot.stderr.on('data', (chunk) => (stderr += String(chunk)));
      bot.on('close', (code) => resolve({ code, stderr }));
    });

  test('joins, answers once, and says why it was signed out when its user logs out elsewhere', async () => {
    room = await world.room(ada, { visibility: 'public' });
    start(BOT);
    const ended = exit();
    expect(await line()).toBe(`listening: ${room}`);
    await answered(await say('echo hello'), 'hello');
    await logOutElsewhere();
    expect(await line()).toBe('signed out: session_revoked');
    const { code, stderr } = await ended;
    expect(stderr).toMatch(/^auth: session_revoked: /);
    expect(code).toBe(1);
  });

  test('ends at a setting that is missing, by its name', async () => {
    room = '';
    start(BOT);
    expect(await exit()).toEqual({ code: 1, stderr: 'Set WARDROOM_ROOM.\n' });
  });

  test('stands on the page as a first bot', async () => {
    start('-c', example(0, ''));
    expect(await line()).toBe(`connected as ${robot.id}`);
    const lobby = (await connected(nodeA(), ada)).room(room);
    await lobby.subscribe();
    await eventually('the bot listens', async () =>
      (await lobby.presence()).users!.includes(robot.id),
    );
    await answered(await say('hello'), 'I heard you.');
    await logOutElsewhere();
    expect(await line()).toBe('auth session_revoked login');
  });

  test('keeps its session in a file, as the page says', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wardroom-bot-'));
    try {
      const file = join(folder, 'session');
      start('-c', example(1, file));
      expect(await line()).toContain(robot.id);
      expect((await exit()).code).toBe(0);
      start('-c', example(1, file, 'a wrong password'));
      expect(await line()).toContain(robot.id);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
