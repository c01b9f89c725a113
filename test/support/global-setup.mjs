/**
 * Once per run: throwaway Postgres and Redis and, where a test file that runs needs them, two real
 * nodes on one database. The tests find them by TEST_* variables.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openLedger, removeAtEnd, stopChildren } from '../../scripts/lib/children.mjs';
import { createDatabase } from '../../scripts/stores/postgres.mjs';
import { startStores } from '../../scripts/lib/stores.mjs';
import { freePort } from '../../scripts/stores/machine.mjs';
import { migrate } from '../../dist/platform/stores/migrate.js';
import { PostgresAccess } from '../../dist/platform/stores/postgres-access.js';
import { startNodeProcess } from './nodes.mjs';

export default async function globalSetup(options) {
  process.env.WARDROOM_LEDGER = openLedger();
  if (process.env.TEST_LOG_DIR === undefined) {
    process.env.TEST_LOG_DIR = mkdtempSync(join(tmpdir(), 'wardroom-test-logs-'));
    removeAtEnd(process.env.TEST_LOG_DIR);
  }
  process.env.TEST_SECRETS_DIR = mkdtempSync(join(tmpdir(), 'wardroom-test-secrets-'));
  removeAtEnd(process.env.TEST_SECRETS_DIR);
  try {
    const stores = await startStores({ log: (line) => console.log(`[stores] ${line}`) });
    const run = `wardroom_test_${randomBytes(4).toString('hex')}`;
    Object.assign(process.env, {
      TEST_RUN: run,
      TEST_DATABASE_URL: stores.databaseUrl,
      TEST_REDIS_URL: stores.redisUrl,
      TEST_OPERATOR_EMAIL: 'operator@system.test',
      TEST_OPERATOR_PASSWORD: randomBytes(18).toString('base64url'),
    });
    if (stores.privatePostgres) await spare(stores.databaseUrl);
    globalThis.wardroomStores = stores;
    await Promise.all([
      makeTemplate(run, stores.databaseUrl),
      needsSharedNodes(options) ? startSharedCluster(run, stores) : undefined,
    ]);
  } catch (error) {
    await stopChildren();
    throw error;
  }
}

/**
 * Text of a test file that asks for the two nodes, by itself or through the harness of its folder.
 */
const SHARED = /support\/world\.js|harness|TEST_NODE/;

/**
 * A server that ends with the run needs no vacuum, which would look at each of its hundred
 * databases in turn; and it may copy the files of a new one (Postgres 15 and newer).
 */
async function spare(databaseUrl) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('ALTER SYSTEM SET autovacuum = off');
    await client.query('SELECT pg_reload_conf()');
    const { rows } = await client.query('SHOW server_version_num');
    if (Number(rows[0].server_version_num) >= 150_000) process.env.TEST_THROWAWAY_POSTGRES = 'on';
  } finally {
    await client.end();
  }
}

/** Databases of a test's own are copies of this one, so that they are migrated once. */
async function makeTemplate(run, databaseUrl) {
  const name = `${run}_template`;
  await migrate(new PostgresAccess(await createDatabase(databaseUrl, name)));
  process.env.TEST_DATABASE_TEMPLATE = name;
}

/** Nodes that no file of this run would use are not started. */
function needsSharedNodes({ testPathPatterns, rootDir }) {
  const chosen = testPathPatterns.toExecutor({ rootDir });
  const files = readdirSync(join(rootDir, 'test'), { recursive: true }).map((file) =>
    join(rootDir, 'test', String(file)),
  );
  return files.some(
    (file) =>
      file.endsWith('.test.ts') && chosen.isMatch(file) && SHARED.test(readFileSync(file, 'utf8')),
  );
}

async function startSharedCluster(run, { databaseUrl, redisUrl }) {
  const cluster = await createDatabase(databaseUrl, `${run}_cluster`);
  const port = String(await freePort());
  const env = {
    DATABASE_URL: cluster,
    REDIS_URL: redisUrl,
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    // The tests of a file share few users, and none of them is about rates: those start nodes of
    // their own.
    PUBLISH_RATE: '0',
    SIGNAL_RATE: '0',
    SUBSCRIBE_RATE: '0',
    CALL_RATE: '0',
    LOGINS_PER_MINUTE: '0',
    AUDIT_ROWS_PER_MINUTE: '0',
    ALLOWED_ORIGINS: 'https://app.example.com',
    SECRET_KEY: randomBytes(32).toString('base64url'),
    BOOTSTRAP_OPERATOR_EMAIL: process.env.TEST_OPERATOR_EMAIL,
    BOOTSTRAP_OPERATOR_PASSWORD: process.env.TEST_OPERATOR_PASSWORD,
  };
  const logDir = process.env.TEST_LOG_DIR;
  // together, as a deployment does: one of them migrates
  const [a, b] = await Promise.all([
    startNodeProcess({ ...env, PORT: port }, { logDir, name: 'shared-a' }),
    startNodeProcess(env, { logDir, name: 'shared-b' }),
  ]);
  Object.assign(process.env, {
    TEST_CLUSTER_DATABASE_URL: cluster,
    TEST_NODE_A: a.url,
    TEST_NODE_B: b.url,
    TEST_NODE_A_INTERNAL: a.internalUrl,
    TEST_NODE_B_INTERNAL: b.internalUrl,
    TEST_ALLOWED_ORIGIN: env.ALLOWED_ORIGINS,
  });
}
