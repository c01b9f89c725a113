/**
 * Searches everything the run left behind for its secrets (sentinel.mjs), drops its databases from
 * a server that stays, and ends every process of the run, also those a crashed test left.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { stopChildren } from '../../scripts/lib/children.mjs';
import { notePlace } from './secrets.mjs';

export default async function globalTeardown() {
  const stores = globalThis.wardroomStores;
  try {
    if (stores !== undefined) await leaveQuietly(stores);
  } finally {
    await stopChildren();
  }
}

async function leaveQuietly(stores) {
  const client = new pg.Client({ connectionString: stores.databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query(
      `SELECT datname FROM pg_database WHERE starts_with(datname, $1)`,
      [`${process.env.TEST_RUN}_`],
    );
    await watch(
      stores,
      rows.map(({ datname }) => datname),
    );
    if (stores.privatePostgres) return;
    for (const { datname } of rows)
      await client.query(`DROP DATABASE ${client.escapeIdentifier(datname)} WITH (FORCE)`);
  } finally {
    await client.end();
  }
}

/** The verdict is printed, makes jest fail, and is left beside the logs for `npm test`. */
async function watch(stores, databases) {
  const {
    TEST_LOG_DIR: logDir,
    TEST_SECRETS_DIR: secretsDir,
    TEST_NODE_A_INTERNAL: a,
    TEST_NODE_B_INTERNAL: b,
  } = process.env;
  // Imported late: it needs what is built, and the tests of pure parts do not.
  const { sweep } = await import('./sentinel.mjs');
  for (const url of [a, b])
    if (url !== undefined)
      notePlace('metrics-of-the-shared-nodes', await (await fetch(`${url}/metrics`)).text());
  const databaseUrls = databases.map(
    (name) => Object.assign(new URL(stores.databaseUrl), { pathname: name }).href,
  );
  const verdict = await sweep({ secretsDir, logDir, databaseUrls, redisUrl: stores.redisUrl });
  mkdirSync(logDir, { recursive: true });
  writeFileSync(join(logDir, 'sentinel.json'), JSON.stringify(verdict));
  const finds = Object.entries(verdict.finds);
  const searched = `${verdict.secrets} secrets in ${(verdict.bytes / 1e6).toFixed(1)} MB of logs, metrics, refusals, ${databases.length} databases and Redis`;
  console.log(`[sentinel] ${searched}: ${finds.length === 0 ? 'none found' : 'FOUND'}`);
  for (const [find, times] of finds) console.error(`[sentinel] ${find}, ${times} times`);
  if (finds.length > 0) process.exitCode = 1;
}
