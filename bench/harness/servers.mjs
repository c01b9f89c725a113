/** Server processes under measurement: pinned to one core of their own, their output in a file. */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild, stopChild } from '../../scripts/lib/children.mjs';

export const SERVER_CORE = process.env.SERVER_CORE ?? '0';
export const LOAD_CORE = process.env.LOAD_CORE ?? '1';
/**
 * A node that is killed while it drains counts as serving for half a minute: the next one would not
 * be alone and would tell Redis everything.
 */
const SERVER_GRACE_MS = 30_000;
/**
 * One core for the server, another for the load and the stores; where that cannot be, everything
 * shares what there is.
 */
export const pinned = cpus().length >= 2 && spawnSync('taskset', ['--version']).status === 0;

/**
 * @returns {Promise<{ pid: number, stop: () => Promise<void>, kill: () => Promise<void> }>} once it
 * listens
 */
export async function startServer({ cmd, args, env }, { port, dir, name }) {
  const logFile = join(dir, `${name}.log`);
  const log = openSync(logFile, 'w');
  const [command, all] = pinned ? ['taskset', ['-c', SERVER_CORE, cmd, ...args]] : [cmd, args];
  const child = startChild(command, all, {
    env: { PATH: process.env.PATH ?? '', ...env },
    cwd: dir,
    stdio: ['ignore', log, log],
    graceMs: SERVER_GRACE_MS,
  });
  closeSync(log);
  for (let waited = 0; !(await listens(port)); waited += 10) {
    if (child.exitCode !== null || child.signalCode !== null || waited > 30_000) {
      await stopChild(child);
      throw new Error(
        `${name} does not listen:\n${readFileSync(logFile, 'utf8').split('\n').slice(-12).join('\n')}`,
      );
    }
    await sleep(10);
  }
  return {
    pid: child.pid,
    stop: () => stopChild(child),
    async kill() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      process.kill(child.pid, 'SIGKILL');
      await gone;
    },
  };
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
