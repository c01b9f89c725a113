/**
 * Applies prisma/migrations in order, each in one transaction under one advisory lock, so nodes may start together. It keeps
 * Prisma's own table and takes Prisma's own lock: `prisma migrate deploy` may be used instead, or after it.
 * A database that is ahead of this build is let through (a rolling upgrade restarts old nodes too); one whose applied
 * migration differs from the file here is refused.
 */
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

/** The key that `prisma migrate` locks too. What else runs once per cluster at start takes it after `migrate`, not around it. */
export const MIGRATION_LOCK = 72_707_369;

const FOLDER = fileURLToPath(new URL('../../prisma/migrations', import.meta.url));

const TABLE = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id                  varchar(36) PRIMARY KEY,
  checksum            varchar(64) NOT NULL,
  finished_at         timestamptz,
  migration_name      varchar(255) NOT NULL,
  logs                text,
  rolled_back_at      timestamptz,
  started_at          timestamptz NOT NULL DEFAULT now(),
  applied_steps_count integer NOT NULL DEFAULT 0
)`;

interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

/** @returns the names of the migrations that this call applied. Throws before it changes anything it does not understand. */
export async function migrate(databaseUrl: string, log: (line: string) => void = () => {}, folder = FOLDER): Promise<string[]> {
  const migrations = read(folder);
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'wardroom-migrate' });
  client.on('error', () => {}); // the query in flight rejects too
  await client.connect();
  try {
    await client.query('SET statement_timeout = 0; SET client_min_messages = warning');
    const applied: string[] = [];
    for (let name = await applyNext(client, migrations); name !== null; name = await applyNext(client, migrations)) {
      log(`Applied migration ${name}.`);
      applied.push(name);
    }
    return applied;
  } finally {
    await client.end();
  }
}

function read(folder: string): Migration[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      // a checkout with CRLF line ends is the same migration
      const sql = readFileSync(join(folder, name, 'migration.sql'), 'utf8').replaceAll('\r\n', '\n');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
}

/** What is applied is read again under the lock each time: another node may have been faster. */
async function applyNext(client: pg.Client, migrations: Migration[]): Promise<string | null> {
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await client.query(TABLE);
    const next = pending(migrations, await appliedChecksums(client));
    if (next !== undefined) {
      await client.query(next.sql).catch((error: unknown) => {
        throw new Error(`Migration ${next.name} failed and was rolled back: ${(error as Error).message}`, { cause: error });
      });
      await client.query(
        `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
         VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
        [randomUUID(), next.checksum, next.name],
      );
    }
    await client.query('COMMIT');
    return next?.name ?? null;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

async function appliedChecksums(client: pg.Client): Promise<Map<string, string>> {
  const { rows } = await client.query<{ migration_name: string; checksum: string; finished: boolean }>(
    `SELECT migration_name, checksum, finished_at IS NOT NULL AS finished FROM _prisma_migrations WHERE rolled_back_at IS NULL`,
  );
  const unfinished = rows.find((row) => !row.finished);
  if (unfinished !== undefined) {
    throw new Error(`Migration ${unfinished.migration_name} was started by another tool and did not finish: repair the database first.`);
  }
  return new Map(rows.map((row) => [row.migration_name, row.checksum]));
}

function pending(migrations: Migration[], applied: Map<string, string>): Migration | undefined {
  for (const { name, checksum } of migrations) {
    const known = applied.get(name);
    if (known !== undefined && known !== checksum) {
      throw new Error(`Migration ${name} was changed after it was applied to this database. Restore the file; put changes in a new migration.`);
    }
  }
  return migrations.find(({ name }) => !applied.has(name));
}

/** `npm run migrate`: needs DATABASE_URL or DATABASE_URL_FILE and nothing else. */
async function main(): Promise<void> {
  const { DATABASE_URL_FILE: file, DATABASE_URL: url } = process.env;
  const databaseUrl = file !== undefined && file !== '' ? readFileSync(file, 'utf8').trim() : url;
  if (databaseUrl === undefined || databaseUrl === '') throw new Error('DATABASE_URL (or DATABASE_URL_FILE) is required.');
  const applied = await migrate(databaseUrl, console.log);
  if (applied.length === 0) console.log('Nothing to migrate.');
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main().catch((error: unknown) => {
    console.error((error as Error).message);
    process.exitCode = 1;
  });
}
