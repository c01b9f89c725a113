/** Starts a server of the field with the application around it, and calls the application. */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect as tcp } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startChild, stopChild } from '../../../scripts/lib/children.mjs';
import { freePort } from '../../../scripts/stores/machine.mjs';
import { packagesFile } from '../packages.mjs';

const LONG_SECONDS = 900;
const START_MS = 30_000;

export const nodeProgram = (file) => [
  process.execPath,
  fileURLToPath(new URL(`../servers/${file}`, import.meta.url)),
];

/**
 * @param {{ name: string, program: string[], folder: string, connect: (port: number, token: string)
 * => Promise<import('./adapter.mjs').Client> }} options
 * @returns {Promise<import('./adapter.mjs').FieldServer>}
 */
export async function startApplication({ name, program, folder, connect }) {
  const port = await freePort();
  const logFile = join(folder, `${name}.log`);
  const log = openSync(logFile, 'a');
  const [command, ...args] = program;
  const child = startChild(command, args, {
    env: {
      PATH: process.env.PATH ?? '',
      NODE_ENV: 'production',
      PORT: String(port),
      FIELD_SECRET: randomBytes(32).toString('hex'),
      FIELD_PACKAGES: packagesFile(),
    },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  for (let waited = 0; !(await listens(port)); waited += 20) {
    if (child.exitCode !== null || child.signalCode !== null || waited > START_MS) {
      await stopChild(child);
      throw new Error(`${name} does not listen: ${readFileSync(logFile, 'utf8').slice(-2000)}`);
    }
    await sleep(20);
  }
  const call = async (path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return /** @type {Promise<any>} */ (response.json());
  };
  return {
    ports: [port],
    login: async (user, { seconds = LONG_SECONDS } = {}) =>
      (await call('/login', { user, seconds })).token,
    room: async (users) => (await call('/rooms', { users })).room,
    logout: (token) => call('/logout', { token }),
    remove: (user, room) => call('/remove', { user, room }),
    connect: (token, { port: through = port } = {}) => connect(through, token),
    stop: () => stopChild(child),
  };
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = tcp(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
