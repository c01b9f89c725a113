/** `wardroom` reads: sessions, tokens, keys, configuration and audit. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../protocol/harness.js';
import { World, call, nodeA } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { command, wardroom } from './wardroom.js';

let world: World;
let ben: SignedIn;

beforeAll(async () => {
  world = await World.create();
  ben = await world.user('ben');
});

const env = (): Record<string, string> => ({
  WARDROOM_URL: nodeA(),
  WARDROOM_TOKEN: world.operator(),
});
const asOperator = (args: string[], input = '') => wardroom(args, env(), input);
const rowsOf = (text: string): any[] =>
  text
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

describe('sessions', () => {
  test('are found by state, person, device and address; the text names the person', async () => {
    const over = await world.login(ben);
    await call(nodeA(), '/v1/auth/logout', { token: over.token, body: {} });
    const ended = await asOperator(['sessions', '--user', ben.id, '--state', 'ended', '--json']);
    expect(rowsOf(ended.stdout)).toEqual([
      expect.objectContaining({ id: over.session, reason: 'logout', state: 'ended' }),
    ]);
    const text = (await asOperator(['sessions', '--q', ben.email, '--ip', '127.0.0.1'])).stdout;
    const [head, row] = text.split('\n');
    expect(head).toMatch(
      /^session +user +device +address +connections +since +last active +ended +why$/,
    );
    expect(row).toMatch(new RegExp(`^${ben.session} +${ben.email} `));
    const none = await asOperator(['sessions', '--user', ben.id, '--device', 'none']);
    expect(none).toMatchObject({ code: 0, stdout: 'None.\n' });
  });

  test('more than a page are read on to --limit', async () => {
    for (let i = 0; i < 3; i += 1) await world.login(ben);
    const { stdout } = await asOperator(['sessions', '--user', ben.id, '--limit', '3', '--json']);
    expect(rowsOf(stdout)).toHaveLength(3);
  });
});

describe('token inspect', () => {
  test('reads the token from stdin and says the verdict first', async () => {
    const { code, stdout } = await asOperator(['token', 'inspect'], `${ben.token}\n`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^It is accepted\.\n/);
    expect(stdout).toMatch(new RegExp(`\n {2}session\\.id +${ben.session}\n`));
    expect(stdout).not.toContain(ben.token);
  });

  test('takes it as an argument, and --curl prints no token', async () => {
    const { stdout } = await asOperator(['token', 'inspect', 'hello', '--json']);
    expect(rowsOf(stdout)[0]).toMatchObject({ verdict: 'malformed', code: 'auth_invalid' });
    const curl = await asOperator(['token', 'inspect', ben.token, '--curl']);
    expect(curl.stdout).toContain('/v1/admin/tokens/inspect');
    expect(curl.stdout).not.toContain(ben.token);
  });
});

test('keys: state and times of each', async () => {
  const { code, stdout } = await asOperator(['keys']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^key +alg +state +made +signs from +retired +withdrawn\n/);
  expect(stdout).toMatch(/ signing /);
});

describe('config', () => {
  test('print: values and their sources, and no secret', async () => {
    const { code, stdout } = await asOperator(['config', 'print']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^variable +value +source\n/);
    expect(stdout).toMatch(/\nSECRET_KEY +set +environment\n/);
  });

  test.each<[string, number, Record<string, string>, RegExp]>([
    ['nothing', 1, {}, /^fail +config\.valid +DATABASE_URL: is required$/m],
    [
      'a good one',
      0,
      {
        DATABASE_URL: 'postgres://x@127.0.0.1/x',
        REDIS_URL: 'redis://127.0.0.1',
        SECRET_KEY: 'k'.repeat(40),
        ALLOWED_ORIGIN: 'https://example.com',
      },
      /^warn +config\.misspelt /m,
    ],
    [
      'a bad value',
      1,
      {
        DATABASE_URL: 'postgres://x@127.0.0.1/x',
        REDIS_URL: 'redis://127.0.0.1',
        SECRET_KEY: 'short-and-secret',
      },
      /^fail +config\.valid +SECRET_KEY: every key needs at least 32 bytes$/m,
    ],
  ])('check: %s exits with %s, without a service', async (_name, code, given, expected) => {
    const ran = await wardroom(['config', 'check'], given);
    expect(ran).toMatchObject({ code });
    expect(ran.stdout).toMatch(expected);
    expect(ran.stdout + ran.stderr).not.toContain('short-and-secret');
  });
});

describe('audit', () => {
  test('export: every line is JSON, and --after goes on', async () => {
    const all = rowsOf((await asOperator(['audit', 'export'])).stdout);
    const middle = all[Math.floor(all.length / 2)].cursor;
    const rest = rowsOf((await asOperator(['audit', 'export', '--after', middle])).stdout);
    const from = all.findIndex(({ cursor }) => cursor === middle) + 1;
    expect(rest.slice(0, all.length - from)).toEqual(all.slice(from));
    const lost = await asOperator(['audit', 'export', '--after', '999999999999-000000000000']);
    expect(lost).toMatchObject({ code: 2, stdout: '' });
  });

  test('tail: prints what comes', async () => {
    const child = spawn(process.execPath, [command, 'audit', 'tail', '--json'], {
      env: { PATH: process.env['PATH']!, XDG_CONFIG_HOME: '/nonexistent', ...env() },
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    /** Read between events. */
    const sofar = () => new Promise<string>((resolve) => setImmediate(() => resolve(text)));
    try {
      await eventually(sofar, (said) => said.includes('\n'), 'the first lines');
      const { session } = await world.login(ben);
      const hash = createHash('sha256').update(session).digest('hex').slice(0, 32);
      await eventually(sofar, (said) => said.includes(hash), 'the record of a login');
      const cursors = rowsOf(text.slice(0, text.lastIndexOf('\n'))).map(({ cursor }) => cursor);
      expect(new Set(cursors).size).toBe(cursors.length);
    } finally {
      child.kill();
    }
  });
});

test.each<[string, number, string[]]>([
  ['a state that does not exist', 2, ['sessions', '--state', 'dead']],
  ['a limit that is no number', 2, ['sessions', '--limit', 'x']],
  ['half a command', 2, ['token']],
  ['an unknown word', 2, ['config', 'write']],
  ['a key that is none', 1, ['keys', 'withdraw', 'x'.repeat(43), '--reason', 'lost']],
  ['a word too many', 2, ['keys', 'rotate', 'x']],
  ['an unknown audit word', 2, ['audit', 'burn']],
])('%s: exit code %s, and a line that says why', async (_what, code, args) => {
  const ran = await asOperator(args);
  expect(ran.code).toBe(code);
  expect(ran.stderr.trim()).not.toBe('');
  expect(ran.stderr).not.toContain('    at ');
});
