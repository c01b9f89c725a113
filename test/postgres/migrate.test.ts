import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { LOCKS } from '../../src/platform/stores/advisory-locks.js';
import { migrate } from '../../src/platform/stores/migrate.js';
import { PostgresAccess } from '../../src/platform/stores/postgres-access.js';
import { freshDatabase } from '../support/node-process.js';
import { query } from '../support/sql.js';

const shipped = join(import.meta.dirname, '../../prisma/migrations');
const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

describe('migrate', () => {
  test('applies every shipped migration once and notes it as Prisma does', async () => {
    const url = await freshDatabase();
    const lines: string[] = [];
    const names = readdirSync(shipped, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
    expect(await migrate(new PostgresAccess(url), (line) => lines.push(line))).toEqual(names);
    expect(lines).toHaveLength(names.length);
    expect(await migrate(new PostgresAccess(url))).toEqual([]);
    const noted = await query(
      url,
      'SELECT migration_name, checksum, applied_steps_count, finished_at IS NOT NULL AS finished, rolled_back_at FROM _prisma_migrations ORDER BY 1',
    );
    expect(noted).toEqual(
      names.map((name) => ({
        migration_name: name,
        checksum: createHash('sha256')
          .update(readFileSync(join(shipped, name, 'migration.sql')))
          .digest('hex'),
        applied_steps_count: 1,
        finished: true,
        rolled_back_at: null,
      })),
    );
  });

  test('applies each migration once when several nodes start together', async () => {
    const url = await freshDatabase();
    const folder = migrations({
      '1_a': 'CREATE TABLE a (x int); SELECT pg_sleep(0.2)',
      '2_b': 'INSERT INTO a VALUES (1)',
    });
    const applied = await Promise.all(
      [1, 2, 3].map(() => migrate(new PostgresAccess(url), undefined, folder)),
    );
    expect(applied.flat().sort()).toEqual(['1_a', '2_b']);
    expect(await query(url, 'SELECT x FROM a')).toEqual([{ x: 1 }]);
  });

  test('waits for whoever holds the lock', async () => {
    const url = await freshDatabase();
    const folder = migrations({ '1_a': 'CREATE TABLE a (x int)' });
    const holder = new pg.Client({ connectionString: url });
    await holder.connect();
    await holder.query('SELECT pg_advisory_lock($1)', [LOCKS.migration]);
    let done = false;
    const running = migrate(new PostgresAccess(url), undefined, folder).finally(
      () => (done = true),
    );
    for (let waiting = 0; waiting === 0;) {
      const { rows } = await holder.query(
        `SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`,
      );
      waiting = rows[0].n;
    }
    expect(done).toBe(false);
    await holder.query('SELECT pg_advisory_unlock($1)', [LOCKS.migration]);
    expect(await running).toEqual(['1_a']);
    await holder.end();
  });

  test('refuses a database whose applied migration differs from the file, before anything new is applied', async () => {
    const url = await freshDatabase();
    const folder = migrations({ '1_a': 'CREATE TABLE a (x int)' });
    await migrate(new PostgresAccess(url), undefined, folder);
    writeFileSync(join(folder, '1_a/migration.sql'), 'CREATE TABLE a (x bigint)');
    mkdirSync(join(folder, '2_b'));
    writeFileSync(join(folder, '2_b/migration.sql'), 'CREATE TABLE b (x int)');
    await expect(migrate(new PostgresAccess(url), undefined, folder)).rejects.toThrow(
      '1_a was changed after it was applied',
    );
    expect(await query(url, `SELECT to_regclass('b') AS b`)).toEqual([{ b: null }]);
  });

  test('takes line ends of another system for the same migration', async () => {
    const url = await freshDatabase();
    const folder = migrations({ '1_a': 'CREATE TABLE a (\n  x int\n)' });
    await migrate(new PostgresAccess(url), undefined, folder);
    writeFileSync(join(folder, '1_a/migration.sql'), 'CREATE TABLE a (\r\n  x int\r\n)');
    expect(await migrate(new PostgresAccess(url), undefined, folder)).toEqual([]);
  });

  test('rolls a failing migration back as a whole, names it, and keeps those before it', async () => {
    const url = await freshDatabase();
    const folder = migrations({
      '1_a': 'CREATE TABLE a (x int)',
      '2_b': 'CREATE TABLE b (x int); SELECT 1/0',
    });
    await expect(migrate(new PostgresAccess(url), undefined, folder)).rejects.toThrow(
      'Migration 2_b failed and was rolled back: division by zero',
    );
    expect(await query(url, `SELECT to_regclass('a')::text AS a, to_regclass('b') AS b`)).toEqual([
      { a: 'a', b: null },
    ]);
    writeFileSync(join(folder, '2_b/migration.sql'), 'CREATE TABLE b (x int)');
    expect(await migrate(new PostgresAccess(url), undefined, folder)).toEqual(['2_b']);
  });

  test('stops at a migration that another tool left half done', async () => {
    const url = await freshDatabase();
    const folder = migrations({ '1_a': 'CREATE TABLE a (x int)' });
    await migrate(new PostgresAccess(url), undefined, folder);
    await query(url, 'UPDATE _prisma_migrations SET finished_at = NULL');
    await expect(migrate(new PostgresAccess(url), undefined, folder)).rejects.toThrow(
      '1_a was started by another tool and did not finish',
    );
  });

  test('lets an older build start on a newer database', async () => {
    const url = await freshDatabase();
    await migrate(
      new PostgresAccess(url),
      undefined,
      migrations({ '1_a': 'CREATE TABLE a (x int)', '2_b': 'CREATE TABLE b (x int)' }),
    );
    expect(
      await migrate(
        new PostgresAccess(url),
        undefined,
        migrations({ '1_a': 'CREATE TABLE a (x int)' }),
      ),
    ).toEqual([]);
  });
});

function migrations(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'wardroom-migrations-'));
  folders.push(folder);
  for (const [name, sql] of Object.entries(files)) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'migration.sql'), sql);
  }
  writeFileSync(join(folder, 'migration_lock.toml'), 'provider = "postgresql"\n');
  return folder;
}
