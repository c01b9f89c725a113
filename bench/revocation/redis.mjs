/** A Redis of the measurement's own that breaks on command and keeps its address. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { startChild, stopChild } from '../../scripts/lib/children.mjs';
import { freePort } from '../../scripts/stores/machine.mjs';

export async function startBreakableRedis() {
  const command = ['valkey-server', 'redis-server'].find(
    (name) => spawnSync(name, ['--version']).status === 0,
  );
  if (command === undefined)
    throw new Error('The revocation figures need redis-server or valkey-server on PATH.');
  const port = await freePort();
  const password = randomBytes(18).toString('base64url');
  const config = [
    `port ${port}`,
    'bind 127.0.0.1',
    `requirepass ${password}`,
    'save ""',
    'appendonly no',
    'maxmemory-policy noeviction',
    '',
  ].join('\n');
  const url = `redis://:${password}@127.0.0.1:${port}`;
  let child;

  const run = async (name, ...args) => {
    const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await client.call(name, ...args);
    } finally {
      client.disconnect();
    }
  };
  const up = async () => {
    child = startChild(command, ['-'], { cwd: tmpdir(), stdio: ['pipe', 'ignore', 'ignore'] });
    child.stdin.end(config);
    for (let tries = 0; (await run('PING').catch(() => null)) !== 'PONG'; tries += 1) {
      if (tries > 500) throw new Error('Redis did not start.');
      await sleep(20);
    }
  };
  await up();
  return {
    url,
    name: `${command} ${/v=(\S+)/.exec(spawnSync(command, ['--version'], { encoding: 'utf8' }).stdout)?.[1] ?? ''}`.trim(),
    up,
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    empty: () => run('FLUSHALL'),
    async kill() {
      child.kill('SIGKILL');
      await stopChild(child);
    },
  };
}
