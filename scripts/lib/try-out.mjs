/**
 * The common part of `npm start` and `npm run dev`: the data folder, its secrets, the environment
 * of a node, starting one, waiting for it.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from './children.mjs';
import { root } from './install.mjs';
import { serviceArgs } from './node-command.mjs';
import { commandLine, portIsFree, processIsAlive } from '../stores/machine.mjs';

export const dataFolder = join(root, '.wardroom');

/** A value that is made once and kept in the data folder, readable by its owner only. */
export function keptSecret(name, make = () => randomBytes(32).toString('base64url')) {
  const file = join(dataFolder, name);
  if (!existsSync(file)) {
    mkdirSync(dataFolder, { recursive: true });
    writeFileSync(file, make(), { mode: 0o600 });
  }
  return readFileSync(file, 'utf8').trim();
}

/** Four groups of five letters and digits that are hard to mistake: 100 bits, easy to type. */
export function password() {
  const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789A';
  const text = Array.from(randomBytes(20), (byte) => alphabet[byte % 32]).join('');
  return text.match(/.{5}/g).join('-');
}

export const operator = {
  email: process.env.BOOTSTRAP_OPERATOR_EMAIL || 'operator@system.test',
  get password() {
    return process.env.BOOTSTRAP_OPERATOR_PASSWORD || keptSecret('operator.password', password);
  },
};

/**
 * Where the stores of this launcher are, for commands that are run beside it (with-try-out.mjs).
 */
const storesFile = join(dataFolder, 'stores.json');

export function keepStores({ databaseUrl, redisUrl }) {
  writeFileSync(storesFile, JSON.stringify({ databaseUrl, redisUrl, launcher: process.pid }), {
    mode: 0o600,
  });
}

/** Null when no launcher of this folder is running. */
export function keptStores() {
  if (!existsSync(storesFile)) return null;
  const { launcher, ...stores } = JSON.parse(readFileSync(storesFile, 'utf8'));
  return processIsAlive(launcher) && /scripts[/\\](start|dev)\.mjs/.test(commandLine(launcher))
    ? stores
    : null;
}

/** The caller's environment wins over what the launcher fills in. */
export function nodeEnvironment(stores, own = {}) {
  const { SECRET_KEY, SECRET_KEY_FILE } = process.env;
  return {
    ...process.env,
    DATABASE_URL: stores.databaseUrl,
    REDIS_URL: stores.redisUrl,
    ...(SECRET_KEY || SECRET_KEY_FILE ? {} : { SECRET_KEY: keptSecret('secret.key') }),
    BOOTSTRAP_OPERATOR_EMAIL: operator.email,
    BOOTSTRAP_OPERATOR_PASSWORD: operator.password,
    ...own,
  };
}

/** Throws a sentence, which names the variable to change if there is one. */
export async function demandPort(port, host, variable) {
  if (port === 0 || (await portIsFree(port, host))) return;
  throw new Error(
    `Port ${port} is in use. Stop the program that has it${variable === undefined ? '.' : `, or choose another with ${variable}=<port>.`}`,
  );
}

/** A node whose output goes to `<name>.log` in the data folder. */
export function startServer(env, name = 'server') {
  const logFile = join(dataFolder, `${name}.log`);
  const log = openSync(logFile, 'w', 0o600);
  const child = startChild(process.execPath, serviceArgs(root), {
    cwd: root,
    env,
    stdio: ['ignore', log, log],
    graceMs: 30_000,
  });
  closeSync(log);
  return {
    child,
    name,
    logFile,
    lastLines: () => readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-20).join('\n'),
  };
}

/** @param {ReturnType<typeof startServer>} server */
export async function untilReady(url, server, readyMs = 60_000) {
  const deadline = Date.now() + readyMs;
  const { child } = server;
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`The ${server.name} ended before it was ready:\n${server.lastLines()}`);
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) }).catch(
      () => undefined,
    );
    await answer?.arrayBuffer().catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(100);
  }
  throw new Error(
    `The ${server.name} was not ready within ${readyMs / 1000} s:\n${server.lastLines()}`,
  );
}
