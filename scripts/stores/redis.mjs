/**
 * A private Redis on 127.0.0.1 and a free port: valkey-server or redis-server (7 or newer) found on
 * PATH, else the one written in JavaScript, which is for trying out and for tests. Nothing is
 * persistent: the server rebuilds what it keeps here.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startChild, stopChild } from '../lib/children.mjs';
import { freePort } from './machine.mjs';

/** @returns {Promise<{ url: string, name: string, stop: () => Promise<void> }>} */
export async function startRedis() {
  const native = process.env.WARDROOM_JS_REDIS === 'on' ? undefined : findServer();
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const { child, url } =
      native === undefined ? startScripted(port) : startNative(native.command, port);
    try {
      await answers(url, child);
      const name =
        native?.name ??
        'js-redis-server (a stand-in written in JavaScript: no redis-server 7 or newer is on PATH)';
      return { url, name, stop: () => stopChild(child) };
    } catch (error) {
      await stopChild(child);
      if (attempt >= 3) throw new Error(`Redis did not start: ${error.message}`, { cause: error });
    }
  }
}

function findServer() {
  for (const command of ['valkey-server', 'redis-server']) {
    const run = spawnSync(command, ['--version'], { encoding: 'utf8' });
    const version = /v=((\d+)\.\S+)/.exec(run.stdout ?? '');
    if (version !== null && Number(version[2]) >= 7)
      return { command, name: `${command} ${version[1]}` };
  }
  return undefined;
}

/** The configuration goes through stdin, so the password is in no process list. */
function startNative(command, port) {
  const password = randomBytes(18).toString('base64url');
  const child = startChild(command, ['-'], { cwd: tmpdir(), stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin.on('error', () => {});
  child.stdin.end(
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `requirepass ${password}`,
      'save ""',
      'appendonly no',
      'maxmemory-policy noeviction',
      'daemonize no',
    ].join('\n') + '\n',
  );
  return { child, url: `redis://:${password}@127.0.0.1:${port}` };
}

function startScripted(port) {
  const script = fileURLToPath(new URL('./js-redis.mjs', import.meta.url));
  const child = startChild(process.execPath, [script, String(port)], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  return { child, url: `redis://127.0.0.1:${port}` };
}

async function answers(url, child) {
  for (let waited = 0; waited < 15_000; waited += 50) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('it ended at once');
    if (await pong(new URL(url))) return;
    await sleep(50);
  }
  throw new Error('it did not answer for 15 s');
}

/** One PING by hand: a client library leaves timers behind that keep a test worker alive. */
function pong({ hostname, port, password }) {
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) });
    const finish = (answered) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(1000, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('connect', () =>
      socket.write([...(password === '' ? [] : [['AUTH', password]]), ['PING']].map(resp).join('')),
    );
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
      if (text.includes('PONG')) finish(true);
      else if (text.includes('-')) finish(false);
    });
  });
}

function resp(words) {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
}
