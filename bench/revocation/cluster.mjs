/**
 * Private stores that flush to disk, and nodes as production runs them; each reaches its stores
 * over lines of its own.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { removeAtEnd, startChild } from '../../scripts/lib/children.mjs';
import { serviceArgs } from '../../scripts/lib/node-command.mjs';
import { createDatabase, startPostgres } from '../../scripts/stores/postgres.mjs';
import { freePort } from '../../scripts/stores/machine.mjs';
import { lineTo } from './line.mjs';
import { startBreakableRedis } from './redis.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
export const OPERATOR = {
  tenant: 'system',
  email: 'operator@bench.example',
  password: randomBytes(18).toString('base64url'),
};

/** The caller ends everything with `stopChildren`. */
export async function openStores(log) {
  const dir = mkdtempSync(join(tmpdir(), 'wardroom-revocation-'));
  chmodSync(dir, 0o711); // Postgres may run as another user
  removeAtEnd(dir);
  const [postgres, redis] = await Promise.all([startPostgres({ dir }), startBreakableRedis()]);
  const names = [postgres.name, redis.name];
  for (const name of names) log(name);
  return { databaseUrl: postgres.url, redis, dir, names };
}

/** `count` ready nodes on a database of their own. */
export async function startNodes(stores, count, leaseMs) {
  const databaseUrl = await createDatabase(
    stores.databaseUrl,
    `revocation_${randomBytes(4).toString('hex')}`,
  );
  const shared = {
    PATH: process.env.PATH ?? '',
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    LOG_LEVEL: 'warn',
    SECRET_KEY: randomBytes(32).toString('base64url'),
    PUBLIC_URL: 'https://wardroom.bench',
    BOOTSTRAP_OPERATOR_EMAIL: OPERATOR.email,
    BOOTSTRAP_OPERATOR_PASSWORD: OPERATOR.password,
    AUTHORITY_LEASE_MS: String(leaseMs),
    ACCESS_TTL_SECONDS: '900',
    MAX_CONNECTIONS_PER_IP: '0',
    MAX_UNAUTHENTICATED: '0',
    MAX_UNAUTHENTICATED_PER_IP: '0',
    PUBLISH_RATE: '0',
    SIGNAL_RATE: '0',
    SUBSCRIBE_RATE: '0',
    CALL_RATE: '0',
    LOGINS_PER_MINUTE: '0',
    FRAME_RATE: '0',
    LOGIN_FAILURES_PER_MINUTE: '0',
  };
  const nodes = [];
  for (let i = 0; i < count; i += 1) nodes.push(await startNode(stores, shared, databaseUrl, i));
  await Promise.all(nodes.map((node) => ready(node)));
  return nodes;
}

async function startNode({ dir, redis }, shared, databaseUrl, i) {
  const lines = [await lineTo(databaseUrl), await lineTo(redis.url)];
  const [port, internalPort] = [await freePort(), await freePort()];
  const log = openSync(join(dir, `node-${port}.log`), 'a');
  const env = {
    ...shared,
    PORT: String(port),
    INTERNAL_PORT: String(internalPort),
    DATABASE_URL: lines[0].url,
    REDIS_URL: lines[1].url,
  };
  const node = {
    name: `node ${i}`,
    url: `http://127.0.0.1:${port}`,
    wsUrl: `ws://127.0.0.1:${port}/v1/ws`,
    internalUrl: `http://127.0.0.1:${internalPort}`,
    lines,
    process: null,
    start: () =>
      (node.process = startChild(process.execPath, serviceArgs(root), {
        env,
        stdio: ['ignore', log, log],
      })),
  };
  node.start();
  return node;
}

/** Serves, and proves its authority. */
export async function ready({ internalUrl, process: child, name }) {
  for (let waited = 0; waited < 60_000; waited += 20) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${name} ended`);
    const answer = await fetch(`${internalUrl}/readyz`, {
      signal: AbortSignal.timeout(2000),
    }).catch(() => undefined);
    await answer?.arrayBuffer().catch(() => undefined);
    if (answer?.ok) return;
    await sleep(20);
  }
  throw new Error(`${name} was not ready within 60 s`);
}

/**
 * @param {string} url @param {string} path @param {{ method?: string, token?: string, body?: object
 * }} [request]
 */
export async function call(url, path, { method = 'POST', token, body } = {}) {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}
