/** The tests of the Python client in Python, its types, and what docs/sdk-python.md says of it. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { describeWith, testWith } from '../support/needs.js';
import { CLIENT, NEEDS_PYTHON, PYTHON, examples, PAGE, pythonEnv } from './python.js';

const run = promisify(execFile);
const options = { cwd: CLIENT, env: pythonEnv() };
const BOT = fileURLToPath(new URL('../../examples/bot/bot.py', import.meta.url));
/** Knowledge of the libraries: the first run takes ten seconds, the next one. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/mypy', import.meta.url));
const NEEDS_MYPY = {
  met: NEEDS_PYTHON.met && spawnSync(PYTHON, ['-m', 'mypy', '--version']).status === 0,
  reason: NEEDS_PYTHON.met ? `${PYTHON} has no mypy` : NEEDS_PYTHON.reason,
};

testWith(NEEDS_PYTHON, 'the tests of the Python client')('its own tests pass', async () => {
  const args = [
    '-W',
    'error::RuntimeWarning',
    '-m',
    'unittest',
    'discover',
    '-t',
    '.',
    '-s',
    'tests',
  ];
  const { stderr } = await run(PYTHON, args, options);
  expect(stderr).toMatch(/^Ran \d\d tests in .*\n\nOK$/m);
});

testWith(NEEDS_MYPY, 'the types of the Python client')(
  'it, its tests, the bot and the examples of its page pass mypy --strict',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wardroom-mypy-'));
    try {
      const files = examples().map((text, at) => {
        const file = join(folder, `example_${at}.py`);
        writeFileSync(file, text);
        return file;
      });
      expect(files.length).toBeGreaterThan(2);
      const flags = ['-m', 'mypy', '--strict', '--cache-dir', CACHE];
      const checked = run(PYTHON, [...flags, 'wardroom', 'tests', BOT, ...files], options).catch(
        ({ stdout, stderr }: { stdout: string; stderr: string }) => ({
          stdout: stdout + stderr,
        }),
      );
      expect((await checked).stdout).toMatch(/^Success: no issues found in \d+ source files\n$/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  60_000,
);

/** Names that the client has: of events, options, codes and calls. */
const DESCRIBE = `
import inspect, json, typing, wardroom
from wardroom.engine import CLIENT_EVENTS
from wardroom.room.room import ROOM_EVENTS
def calls(of):
    return [name for name, each in vars(of).items() if not name.startswith("_")]
print(json.dumps({
    "client": CLIENT_EVENTS, "room": ROOM_EVENTS,
    "session": typing.get_args(wardroom.SessionEvent),
    "options": list(inspect.signature(wardroom.Client).parameters)[1:],
    "codes": list(wardroom.CLIENT_CODES),
    "calls": [*calls(wardroom.Client), *calls(wardroom.Room), *calls(wardroom.Session)],
}))`;

describeWith(NEEDS_PYTHON, 'the page of the Python client')('its page', () => {
  const page = readFileSync(PAGE, 'utf8');
  const has = JSON.parse(
    NEEDS_PYTHON.met
      ? spawnSync(PYTHON, ['-c', DESCRIBE], { ...options, encoding: 'utf8' }).stdout
      : '{}',
  );
  /** The names in the first column of the table with this head. */
  const named = (head: string) => {
    const table = page.split(`\n| ${head} |`)[1]!.split('\n\n')[0]!;
    return [...table.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell]) =>
      [...cell!.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
  };

  test.each([
    ['event of the client', 'client'],
    ['event of a room', 'room'],
    ['event of a session', 'session'],
    ['option', 'options'],
  ])('names every %s', (head, key) => {
    expect(named(head)).toEqual(has[key]);
  });

  test('names every code that no server sends', () => {
    const sentence = /Codes that no server sends: ([^.]*)\./.exec(page)![1]!;
    expect([...sentence.matchAll(/`(\w+)`/g)].map(([, code]) => code)).toEqual(has.codes);
  });

  test('names every call', () => {
    const text = page.slice(page.indexOf('\n## '));
    const code = (text.match(/`[^`]*`/g) ?? []).join();
    const missing = has.calls.filter((name: string) => !new RegExp(`\\b${name}\\b`).test(code));
    // These are between the client and its session.
    expect(missing).toEqual(['reason_of', 'take', 'call', 'hurry']);
  });
});

describe('the package', () => {
  test('has the version of the JavaScript client', () => {
    const { version } = JSON.parse(readFileSync(join(CLIENT, '../sdk/package.json'), 'utf8'));
    expect(readFileSync(join(CLIENT, 'pyproject.toml'), 'utf8')).toContain(
      `version = "${version}"`,
    );
  });
});
