/**
 * Real gateway processes for tests: `node dist/main.js` on free ports, its output in a file. Plain
 * JavaScript, because jest's global set-up uses it too.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startChild, stopChild } from '../../scripts/lib/children.mjs';
import { serviceArgs } from '../../scripts/lib/node-command.mjs';
import { freePort } from '../../scripts/stores/machine.mjs';
import { noteFields, notePlace } from './secrets.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const main = join(root, 'dist/main.js');

/**
 * Starts one node and waits until it is ready. `env` needs DATABASE_URL and REDIS_URL; a variable
 * set to '' is left out.
 * @param {Record<string, string>} env
 * @param {{ logDir: string, name?: string, readyMs?: number }} options
 */
export async function startNodeProcess(
  env,
  { logDir, name = `node-${randomBytes(4).toString('hex')}`, readyMs = 20_000 },
) {
  if (!existsSync(main)) throw new Error(`${main} is not there: build first (npm run build).`);
  mkdirSync(logDir, { recursive: true });
  const logFile = join(logDir, `${name}.log`);
  const [port, internalPort] = [
    env.PORT ?? String(await freePort()),
    env.INTERNAL_PORT ?? String(await freePort()),
  ];
  const settings = {
    PATH: process.env.PATH ?? '',
    NODE_ENV: 'test',
    HOST: '127.0.0.1',
    LOG_LEVEL: 'debug',
    AUTHORITY_LEASE_MS: '2000',
    ...env,
    PORT: port,
    INTERNAL_PORT: internalPort,
  };
  noteFields(settings);
  const log = openSync(logFile, 'a');
  const child = startChild(process.execPath, serviceArgs(root), {
    env: Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== '')),
    stdio: ['ignore', log, log],
    stopSignal: 'SIGTERM',
  });
  closeSync(log);
  const ended = new Promise((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  const node = {
    url: `http://127.0.0.1:${port}`,
    internalUrl: `http://127.0.0.1:${internalPort}`,
    wsUrl: `ws://127.0.0.1:${port}/v1/ws`,
    pid: /** @type {number} */ (child.pid),
    logs: () => readFileSync(logFile, 'utf8'),
    /** @param {NodeJS.Signals} signal */
    kill: (signal) => void child.kill(signal),
    /** Resolves when the process is gone, whoever ended it. */
    ended: /** @type {Promise<{ code: number | null, signal: NodeJS.Signals | null }>} */ (ended),
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null)
        await noteMetrics(node.internalUrl, name);
      await stopChild(child);
    },
  };
  try {
    await ready(node, child, readyMs);
  } catch (error) {
    await node.stop();
    throw new Error(`${error.message}\n--- output of ${name} ---\n${node.logs()}`, {
      cause: error,
    });
  }
  return node;
}

/**
 * For the sentinel of silence. A node that a test has frozen, or cut off from everything, has none
 * to show.
 */
async function noteMetrics(internalUrl, name) {
  const answer = await fetch(`${internalUrl}/metrics`, { signal: AbortSignal.timeout(500) }).catch(
    () => undefined,
  );
  const text = await answer?.text().catch(() => undefined);
  if (text !== undefined) notePlace(`metrics-${name}`, text);
}

async function ready({ internalUrl }, child, readyMs) {
  const deadline = Date.now() + readyMs;
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(
        `The node ended (${child.exitCode ?? child.signalCode}) before it was ready.`,
      );
    const answer = await fetch(`${internalUrl}/readyz`, {
      signal: AbortSignal.timeout(2000),
    }).catch(() => undefined);
    await answer?.arrayBuffer().catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(50);
  }
  throw new Error(`The node was not ready within ${readyMs} ms.`);
}
