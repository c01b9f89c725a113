/**
 * A stop that comes while a node starts ends it at once: as a process of any machine, and as PID 1
 * of a container.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test as base } from '@jest/globals';
import { startChild, stopChild } from '../../scripts/lib/children.mjs';
import { TcpProxy } from '../faults/tcp-proxy.js';
import { testWith } from '../support/needs.js';
import { freshDatabase, freshRedisUrl } from '../support/node-process.js';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const AT_ONCE_MS = 3_000;
const UNSHARE = ['--pid', '--fork', '--kill-child', '--mount-proc'];
const NAMESPACES = {
  met: spawnSync('unshare', [...UNSHARE, 'true']).status === 0,
  reason: 'no process namespace can be made here',
};
const clean: (() => unknown)[] = [];
afterAll(async () => {
  for (const one of clean.splice(0)) await one();
});

/** A store that accepts and never answers. */
async function silentStore(): Promise<{ url: string; reached: Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
  const reached = new Promise<void>((resolve) => server.once('connection', () => resolve()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  clean.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return {
    url: `postgres://nobody:x@127.0.0.1:${(server.address() as AddressInfo).port}/none`,
    reached,
  };
}

interface Started {
  /** Of the node itself, also inside a namespace. */
  pid: () => number;
  ended: Promise<{ code: number | null; signal: string | null }>;
  output: () => string;
}

function start(databaseUrl: string, redisUrl: string, asPid1: boolean): Started {
  const env = {
    PATH: process.env['PATH'],
    NODE_ENV: 'test',
    PORT: '0',
    INTERNAL_PORT: '0',
    SECRET_KEY: randomBytes(32).toString('hex'),
  };
  const [command, args] = asPid1
    ? ['unshare', [...UNSHARE, process.execPath, main]]
    : [process.execPath, [main]];
  const child = startChild(command, args, {
    env: { ...env, DATABASE_URL: databaseUrl, REDIS_URL: redisUrl },
  });
  clean.push(() => stopChild(child));
  let output = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (chunk) => (output += chunk));
  return {
    pid: () => (asPid1 ? childOf(child.pid!) : child.pid!),
    ended: new Promise((resolve) =>
      child.once('exit', (code, signal) => resolve({ code, signal })),
    ),
    output: () => output,
  };
}

function childOf(parent: number): number {
  const found = readdirSync('/proc').find((pid) => /^\d+$/.test(pid) && parentOf(pid) === parent);
  if (found === undefined) throw new Error('unshare has no child');
  return Number(found);
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

async function leavesAtOnce(node: Started, signal: NodeJS.Signals): Promise<void> {
  process.kill(node.pid(), signal);
  const begunMs = performance.now();
  expect(await node.ended).toEqual({ code: 0, signal: null });
  expect(performance.now() - begunMs).toBeLessThan(AT_ONCE_MS);
  expect(node.output()).not.toContain('"listening"');
}

for (const [how, asPid1, need] of [
  ['as a process', false, null],
  ['as PID 1', true, NAMESPACES],
] as const) {
  const test = need === null ? base : testWith(need, `a stop while a node starts, ${how}`);

  test.each(['SIGTERM', 'SIGINT'] as const)(
    `${how}: %s while Postgres accepts and does not answer`,
    async (signal) => {
      const { url, reached } = await silentStore();
      const node = start(url, 'redis://127.0.0.1:1', asPid1);
      await reached;
      await leavesAtOnce(node, signal);
    },
  );

  test(`${how}: SIGTERM while the node migrates`, async () => {
    const databaseUrl = await freshDatabase();
    const proxy = await TcpProxy.before(databaseUrl);
    clean.push(() => proxy.stop());
    proxy.delay(20);
    const node = start(proxy.urlThrough(databaseUrl), await freshRedisUrl(), asPid1);
    await proxy.reached;
    await leavesAtOnce(node, 'SIGTERM');
  });
}
