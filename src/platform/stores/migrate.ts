/**
 * Applies prisma/migrations in order, each in one transaction under one advisory lock, so nodes may
 * start together. It keeps Prisma's own table and takes Prisma's own lock: `prisma migrate deploy`
 * may be used instead, or after it. A database that is ahead of this build is let through (a
 * rolling upgrade restarts old nodes too); one whose applied migration differs from the file here
 * is refused, and so is a role that could not finish what it begins.
 */
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { PostgresAccess, PostgresUnfit } from './postgres-access.js';
import { PATIENT } from './postgres-settings.js';
import { LOCKS } from './advisory-locks.js';

const FOLDER = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));

const TABLE = `CREATE TABLE _prisma_migrations (
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

/**
 * @returns the names of the migrations that this call applied. Throws before it changes anything it
 * does not understand.
 */
export async function migrate(
  access: PostgresAccess,
  log: (line: string) => void = () => {},
  folder = FOLDER,
): Promise<string[]> {
  const migrations = read(folder);
  return connected(access, async (client) => {
    const applied: string[] = [];
    for (
      let name = await applyNext(client, access.schema, migrations);
      name !== null;
      name = await applyNext(client, access.schema, migrations)
    ) {
      log(`Applied migration ${name}.`);
      applied.push(name);
    }
    await requireUse(client, access.schema);
    return applied;
  });
}

/** For who leaves migration to `npm run migrate`: refuses a database that still needs one. */
export async function requireMigrated(access: PostgresAccess, folder = FOLDER): Promise<void> {
  const migrations = read(folder);
  await connected(access, async (client) => {
    const next = pending(
      migrations,
      (await isThere(client)) ? await appliedChecksums(client) : new Map(),
    );
    if (next !== undefined)
      throw new PostgresUnfit(
        `Migration ${next.name} is not applied: run npm run migrate, or start with AUTO_MIGRATE=on.`,
      );
    await requireUse(client, access.schema);
  });
}

async function connected<T>(
  access: PostgresAccess,
  work: (client: pg.ClientBase) => Promise<T>,
): Promise<T> {
  const client = await access.connect(PATIENT, 'wardroom-migrate');
  try {
    return await work(client);
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
      const sql = readFileSync(join(folder, name, 'migration.sql'), 'utf8').replaceAll(
        '\r\n',
        '\n',
      );
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
}

/**
 * The applied migrations are read again under the lock each time: another node may have been
 * faster.
 */
async function applyNext(
  client: pg.ClientBase,
  schema: string,
  migrations: Migration[],
): Promise<string | null> {
  await client.query('BEGIN');
  try {
    await client.query('SET LOCAL client_min_messages TO warning');
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCKS.migration]);
    const there = await isThere(client);
    const next = pending(migrations, there ? await appliedChecksums(client) : new Map());
    if (next !== undefined) {
      await requireCreate(client, schema);
      if (!there) await client.query(TABLE);
      await client.query(next.sql).catch((error: unknown) => {
        throw new Error(
          `Migration ${next.name} failed and was rolled back: ${(error as Error).message}`,
          { cause: error },
        );
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

async function isThere(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>(
    `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS there`,
  );
  return rows[0]!.there;
}

/** Makes the schema where it is missing. */
async function requireCreate(client: pg.ClientBase, schema: string): Promise<void> {
  const { rows } = await client.query<{
    role: string;
    there: boolean;
    in_database: boolean;
    in_schema: boolean | null;
    owner: string | null;
  }>(
    `SELECT current_user AS role, n.oid IS NOT NULL AS there, has_database_privilege(current_database(), 'CREATE') AS in_database,
       has_schema_privilege(n.oid, 'CREATE') AS in_schema,
       (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = to_regclass('_prisma_migrations') AND NOT pg_has_role(relowner, 'USAGE')) AS owner
     FROM (SELECT (SELECT oid FROM pg_namespace WHERE nspname = $1) AS oid) n`,
    [schema],
  );
  const { role, there, in_database, in_schema, owner } = rows[0]!;
  const otherwise = 'or migrate with another role (AUTO_MIGRATE=off, npm run migrate)';
  if (!there) {
    if (!in_database)
      throw new PostgresUnfit(
        `There is no schema ${schema}, and the role ${role} may not make one: make it, ${otherwise}.`,
      );
    await client.query(`CREATE SCHEMA ${client.escapeIdentifier(schema)}`);
  } else if (in_schema !== true) {
    throw new PostgresUnfit(
      `The role ${role} may not make tables in the schema ${schema}: GRANT USAGE, CREATE ON SCHEMA, ${otherwise}.`,
    );
  }
  if (owner !== null)
    throw new PostgresUnfit(
      `The tables belong to the role ${owner}, and ${role} may not change them: make it a member, ${otherwise}.`,
    );
}

/** The privileges that a node needs on every table. */
async function requireUse(client: pg.ClientBase, schema: string): Promise<void> {
  const { rows } = await client.query<{ role: string; name: string; right: string }>(
    `SELECT current_user AS role, c.relname AS name, r.name AS right FROM pg_class c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS r (name)
     WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1) AND c.relkind = 'r' AND c.relname <> '_prisma_migrations'
       AND NOT has_table_privilege(c.oid, r.name) LIMIT 1`,
    [schema],
  );
  for (const { role, name, right } of rows)
    throw new PostgresUnfit(`The role ${role} may not ${right} in the table ${name}: grant it.`);
}

async function appliedChecksums(client: pg.ClientBase): Promise<Map<string, string>> {
  const { rows } = await client.query<{
    migration_name: string;
    checksum: string;
    finished: boolean;
  }>(
    `SELECT migration_name, checksum, finished_at IS NOT NULL AS finished FROM _prisma_migrations WHERE rolled_back_at IS NULL`,
  );
  const unfinished = rows.find((row) => !row.finished);
  if (unfinished !== undefined) {
    throw new Error(
      `Migration ${unfinished.migration_name} was started by another tool and did not finish: repair the database first.`,
    );
  }
  return new Map(rows.map((row) => [row.migration_name, row.checksum]));
}

function pending(migrations: Migration[], applied: Map<string, string>): Migration | undefined {
  for (const { name, checksum } of migrations) {
    const known = applied.get(name);
    if (known !== undefined && known !== checksum) {
      throw new Error(
        `Migration ${name} was changed after it was applied to this database. Restore the file; put changes in a new migration.`,
      );
    }
  }
  return migrations.find(({ name }) => !applied.has(name));
}

/** `npm run migrate`: needs DATABASE_URL or DATABASE_URL_FILE and nothing else. */
async function main(): Promise<void> {
  const { DATABASE_URL_FILE: file, DATABASE_URL: url } = process.env;
  const databaseUrl = file !== undefined && file !== '' ? readFileSync(file, 'utf8').trim() : url;
  if (databaseUrl === undefined || databaseUrl === '')
    throw new Error('DATABASE_URL (or DATABASE_URL_FILE) is required.');
  const applied = await migrate(new PostgresAccess(databaseUrl), console.log);
  if (applied.length === 0) console.log('Nothing to migrate.');
}

if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
) {
  main().catch((error: unknown) => {
    console.error((error as Error).message);
    process.exitCode = 1;
  });
}
