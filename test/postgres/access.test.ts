/**
 * Issue 15, T10 and T12: one contract of how Postgres is used, kept with Postgres itself and with a
 * pooler between.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Config } from '../../src/platform/config/config.js';
import { Database } from '../../src/platform/stores/database.js';
import { migrate, requireMigrated } from '../../src/platform/stores/migrate.js';
import { PostgresAccess } from '../../src/platform/stores/postgres-access.js';
import { freshDatabase } from '../support/node-process.js';
import { PGBOUNCER, throughPgbouncer } from '../support/pgbouncer.js';
import { describeWith } from '../support/needs.js';
import { query } from '../support/sql.js';
import { hostileDatabase, withParams } from './hostile.js';

const IGNORED =
  'statement_timeout,lock_timeout,idle_in_transaction_session_timeout,extra_float_digits,options';
const always = { met: true, reason: '' };

// Its warnings are those of the tests.
Logger.overrideLogger(false);

interface Way {
  need: typeof always;
  /** Whether each transaction makes its settings for itself. */
  pooled: boolean;
  through(url: string): Promise<string>;
}

const ways: Record<string, Way> = {
  'Postgres itself': { need: always, pooled: false, through: async (url) => url },
  'pgbouncer in transaction mode': {
    need: PGBOUNCER,
    pooled: true,
    through: (url) => throughPgbouncer(url, { default_pool_size: '4' }),
  },
};
/**
 * Neither pooler keeps a session for us; the last has one for each connection, and its URL says so.
 */
const moreWays: Record<string, Way> = {
  'pgbouncer in transaction mode that drops startup parameters': {
    need: PGBOUNCER,
    pooled: true,
    through: (url) =>
      throughPgbouncer(url, { ignore_startup_parameters: IGNORED, default_pool_size: '4' }),
  },
  'pgbouncer in session mode': {
    need: PGBOUNCER,
    pooled: true,
    through: (url) => throughPgbouncer(url, { pool_mode: 'session', default_pool_size: '30' }),
  },
  'pgbouncer in session mode, named as such': {
    need: PGBOUNCER,
    pooled: false,
    through: async (url) =>
      withParams(await throughPgbouncer(url, { pool_mode: 'session', default_pool_size: '30' }), {
        pgbouncer: 'false',
      }),
  },
};
if (process.env['FAULTS'] === 'full') Object.assign(ways, moreWays);

for (const [name, way] of Object.entries(ways)) {
  describeWith(way.need, 'a pooler')(name, () => {
    let adminUrl: string;
    let access: PostgresAccess;
    let database: Database;

    beforeAll(async () => {
      const hostile = await hostileDatabase('America/St_Johns');
      adminUrl = hostile.adminUrl;
      const url = withParams(await way.through(hostile.url), { schema: 'Ward room' });
      access = new PostgresAccess(url);
      await migrate(access);
      database = new Database({ databaseUrl: url, authorityLeaseMs: 5_000 } as Config, access);
    });
    afterAll(() => database?.onApplicationShutdown());

    test('is told from a direct connection', async () => {
      expect(await access.find()).toEqual({ pooled: way.pooled, schema: 'Ward room' });
    });

    test('tables are made in the schema that is named, and nowhere else', async () => {
      const rows = await query<{ schema: string }>(
        adminUrl,
        `SELECT DISTINCT schemaname AS schema FROM pg_tables WHERE tablename = 'audit_chains'`,
      );
      expect(rows).toEqual([{ schema: 'Ward room' }]);
      await requireMigrated(access);
      expect(await migrate(access)).toEqual([]);
    });

    const SHOWN = `SELECT current_setting('TimeZone') AS timezone, current_setting('DateStyle') AS datestyle, current_setting('IntervalStyle') AS intervalstyle,
      current_setting('bytea_output') AS bytea, current_setting('transaction_isolation') AS isolation, current_setting('search_path') AS search_path,
      current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock, current_setting('client_encoding') AS encoding,
      current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('synchronous_commit') AS synchronous,
      clock_timestamp() AS at, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms, 1/3::float8 AS third, 'ü€' AS text, '\\x00ff'::bytea AS bytes`;
    const EXPECTED = {
      timezone: 'UTC',
      datestyle: 'ISO, MDY',
      intervalstyle: 'postgres',
      bytea: 'hex',
      isolation: 'read committed',
      search_path: '"Ward room"',
      statement: '10s',
      lock: '5s',
      encoding: 'UTF8',
      idle: '3s',
      synchronous: 'on',
      third: 1 / 3,
      text: 'ü€',
    };

    test('every door shows the same settings, whatever the database and the role prefer', async () => {
      const doors = [
        ...(await database.pool.query(SHOWN)).rows,
        ...(await database.hot('shown', SHOWN, [])),
        ...(await database.authority('shown', SHOWN, [])),
        ...(await database.prisma.$queryRawUnsafe<any[]>(SHOWN)),
        ...(await database.transaction((tx) => tx.$queryRawUnsafe<any[]>(SHOWN))),
      ];
      expect(doors).toHaveLength(5);
      for (const door of doors) {
        expect(door).toMatchObject(EXPECTED);
        expect(Buffer.from(door.bytes)).toEqual(Buffer.from([0, 255]));
        expect(Math.abs(door.at.getTime() - door.ms)).toBeLessThan(1_000);
      }
    });

    test('a time goes through Prisma there and back', async () => {
      const at = new Date('2026-03-08T10:30:00.123Z');
      await database.prisma.tenant.create({
        data: {
          id: '0196aaaa-0000-7000-8000-000000000001',
          slug: 'times',
          name: 'times',
          createdAt: at,
        },
      });
      expect(
        (await database.prisma.tenant.findUniqueOrThrow({ where: { slug: 'times' } })).createdAt,
      ).toEqual(at);
      const { rows } = await database.pool.query<{ ms: number }>(
        `SELECT (extract(epoch FROM created_at) * 1000)::float8 AS ms FROM tenants WHERE slug = 'times'`,
      );
      expect(rows[0]!.ms).toBe(at.getTime());
    });

    test('a transaction is all or nothing and keeps the isolation it asks for', async () => {
      const slugs = () =>
        database.hot<{ slug: string }>(
          'slugs',
          `SELECT slug FROM tenants WHERE slug LIKE 'tx-%' ORDER BY slug`,
          [],
        );
      const insert = (slug: string) =>
        `INSERT INTO tenants (id, slug, name) VALUES (gen_random_uuid(), '${slug}', '')`;
      await expect(
        database.transaction(async (tx) => {
          await tx.$executeRawUnsafe(insert('tx-lost'));
          throw new Error('changed my mind');
        }),
      ).rejects.toThrow('changed my mind');
      await database.transaction((tx) => tx.$executeRawUnsafe(insert('tx-kept')));
      const client = await database.pool.connect();
      try {
        await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
        expect((await client.query(`SELECT 1 FROM tenants WHERE slug = 'tx-other'`)).rows).toEqual(
          [],
        );
        expect(
          (await client.query('SHOW transaction_isolation')).rows[0].transaction_isolation,
        ).toBe('repeatable read');
        expect((await client.query('SHOW TimeZone')).rows[0].TimeZone).toBe('UTC');
        await database.pool.query(insert('tx-other'));
        expect((await client.query(`SELECT 1 FROM tenants WHERE slug = 'tx-other'`)).rows).toEqual(
          [],
        );
        await client.query('COMMIT');
      } finally {
        client.release();
      }
      expect((await slugs()).map(({ slug }) => slug)).toEqual(['tx-kept', 'tx-other']);
    });

    test('a statement fails with the error of Postgres, and the next one works', async () => {
      await expect(database.hot('broken', 'SELECT 1/$1::int AS x', [0])).rejects.toMatchObject({
        code: '22012',
      });
      await expect(database.pool.query('SELECT nonsense')).rejects.toMatchObject({ code: '42703' });
      const duplicate = `INSERT INTO tenants (id, slug, name) VALUES (gen_random_uuid(), 'twice', '')`;
      await database.pool.query(duplicate);
      await expect(database.pool.query(duplicate)).rejects.toMatchObject({ code: '23505' });
      expect(await database.hot('sum', 'SELECT $1::int + 1 AS x', [1])).toEqual([{ x: 2 }]);
    });

    test('statements with one name run beside each other on every connection', async () => {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          database.hot<{ x: number }>('same', 'SELECT $1::int AS x', [i]),
        ),
      );
      expect(answers.flat().map(({ x }) => x)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    });

    test('a transaction that stands still is ended, before those who wait for its locks give up', async () => {
      const holder = await database.pool.connect();
      try {
        await holder.query('BEGIN');
        await holder.query('LOCK TABLE receipts');
        const began = performance.now();
        await database.pool.query('SELECT count(*) FROM receipts');
        expect(performance.now() - began).toBeGreaterThan(2_000);
        await expect(holder.query('SELECT 1')).rejects.toThrow();
      } finally {
        holder.release(true);
      }
    });

    test('the lease round has an answer or an error within its patience', async () => {
      const began = performance.now();
      await expect(database.authority('sleep', 'SELECT pg_sleep(9)', [])).rejects.toThrow();
      expect(performance.now() - began).toBeLessThan(4_000);
      expect(await database.authority('one', 'SELECT 1 AS x', [])).toEqual([{ x: 1 }]);
    });

    test('work for one node alone is done by one at a time', async () => {
      let release = () => {};
      const held = new Promise<void>((resolve) => (release = resolve));
      let began = () => {};
      const begun = new Promise<void>((resolve) => (began = resolve));
      const first = database.alone(4711, async () => {
        began();
        await held;
        return 'done';
      });
      await begun;
      expect(await database.alone(4711, async () => 'too')).toBeNull();
      expect(await database.alone(4712, async () => 'other')).toBe('other');
      release();
      expect(await first).toBe('done');
      expect(await database.alone(4711, async () => 'again')).toBe('again');
      await expect(database.alone(4711, () => Promise.reject(new Error('failed')))).rejects.toThrow(
        'failed',
      );
      expect(await database.alone(4711, async () => 'again')).toBe('again');
    });
  });
}

describeWith(PGBOUNCER, 'a pooler')('what another client of the pooler leaves behind', () => {
  test('is not taken over', async () => {
    const { url: direct } = await hostileDatabase('UTC');
    const url = await throughPgbouncer(direct, { default_pool_size: '1' });
    const access = new PostgresAccess(withParams(url, { schema: 'public' }));
    await access.find();
    await query(
      url,
      `SET search_path TO elsewhere; SET TimeZone TO 'Asia/Tokyo'; SET statement_timeout TO '1ms'; SET DateStyle TO 'SQL, DMY'`,
    );
    const database = new Database({ databaseUrl: url, authorityLeaseMs: 5_000 } as Config, access);
    const shown = `SELECT current_setting('search_path') AS path, current_setting('TimeZone') AS zone, current_setting('DateStyle') AS style, pg_sleep(0.01)::text AS slept`;
    expect((await database.pool.query(shown)).rows).toMatchObject([
      { path: 'public', zone: 'UTC', style: 'ISO, MDY' },
    ]);
    await database.onApplicationShutdown();
  });
});

describeWith(always, '')(
  'what cannot be had is refused in one sentence, and nothing is made',
  () => {
    const tables = async (url: string) =>
      (
        await query<{ n: number }>(
          url,
          `SELECT count(*)::int AS n FROM pg_class WHERE relname = '_prisma_migrations'`,
        )
      )[0]!.n;

    test('another encoding than UTF8', async () => {
      const url = new URL(await freshDatabase());
      const name = `${url.pathname.slice(1)}_latin1`;
      await query(
        url.href,
        `CREATE DATABASE ${name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`,
      );
      url.pathname = `/${name}`;
      await expect(migrate(new PostgresAccess(url.href))).rejects.toThrow(
        /^Postgres at \S+ has the encoding LATIN1; create the database with ENCODING 'UTF8'\.$/,
      );
      expect(await tables(url.href)).toBe(0);
    });

    // No server so old is at hand: this one says that it is, to whoever finds the function of
    // another schema first.
    test('an older version than 15', async () => {
      const url = await freshDatabase();
      const says = (version: string) =>
        query(
          url,
          `CREATE SCHEMA IF NOT EXISTS older;
         CREATE OR REPLACE FUNCTION older.current_setting(name text) RETURNS text LANGUAGE sql
           RETURN CASE WHEN name = 'server_version_num' THEN '${version}' ELSE pg_catalog.current_setting(name) END;
         ALTER DATABASE ${new URL(url).pathname.slice(1)} SET search_path TO older, pg_catalog, public`,
        );
      await says('140019');
      await expect(migrate(new PostgresAccess(url))).rejects.toThrow(
        /^Postgres at \S+ is Postgres 14; 15 or newer is needed\.$/,
      );
      expect(await tables(url)).toBe(0);
      await says('150000');
      expect(await new PostgresAccess(url).find()).toMatchObject({ pooled: false });
    });

    test('a database that is set read-only', async () => {
      const url = await freshDatabase();
      await query(
        url,
        `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET default_transaction_read_only TO on`,
      );
      await expect(migrate(new PostgresAccess(url))).rejects.toThrow(
        /is set read-only \(default_transaction_read_only\)/,
      );
    });

    test('a search path that leads nowhere', async () => {
      const { url, adminUrl } = await hostileDatabase('UTC');
      await query(adminUrl, `DROP SCHEMA elsewhere CASCADE`);
      await query(adminUrl, `DROP SCHEMA public`);
      await expect(migrate(new PostgresAccess(url))).rejects.toThrow(
        /has none of the schemas of its search_path \(elsewhere, public\); name one with \?schema=/,
      );
    });

    test('a role that may not make tables, or may not change those of another', async () => {
      const { url, adminUrl, role } = await hostileDatabase('UTC');
      await query(
        adminUrl,
        `ALTER DATABASE ${new URL(url).pathname.slice(1)} OWNER TO CURRENT_USER; REVOKE ALL ON SCHEMA elsewhere FROM ${role}`,
      );
      await query(adminUrl, `ALTER SCHEMA elsewhere OWNER TO CURRENT_USER`);
      await expect(
        migrate(new PostgresAccess(withParams(url, { schema: 'public' }))),
      ).rejects.toThrow(`The role ${role} may not make tables in the schema public`);
      await expect(migrate(new PostgresAccess(withParams(url, { schema: 'new' })))).rejects.toThrow(
        `There is no schema new, and the role ${role} may not make one`,
      );
      expect(await tables(adminUrl)).toBe(0);
      const owned = withParams(adminUrl, { schema: 'public' });
      await expect(requireMigrated(new PostgresAccess(owned))).rejects.toThrow(
        /^Migration \w+ is not applied: run npm run migrate/,
      );
      await migrate(new PostgresAccess(owned));
      await requireMigrated(new PostgresAccess(owned));
      await query(adminUrl, `GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`);
      await expect(
        requireMigrated(new PostgresAccess(withParams(url, { schema: 'public' }))),
      ).rejects.toThrow(
        new RegExp(`^The role ${role} may not INSERT in the table \\w+: grant it\\.$`),
      );
    });

    test('a port on which nobody answers, a password that is wrong, a database that is not there', async () => {
      const url = new URL(await freshDatabase());
      url.password = 'wrong';
      await expect(new PostgresAccess(url.href).find()).rejects.toThrow(
        /^Postgres at \S+ cannot be used: password authentication failed/,
      );
      await expect(new PostgresAccess('postgres://x:secret@127.0.0.1:1/x').find()).rejects.toThrow(
        'Postgres at 127.0.0.1:1/x cannot be used: connect ECONNREFUSED',
      );
    });
  },
);

describeWith(PGBOUNCER, 'a pooler')('a pooler in statement mode', () => {
  test('is refused and told how to be mended', async () => {
    const url = await throughPgbouncer(await freshDatabase(), { pool_mode: 'statement' });
    await expect(migrate(new PostgresAccess(url))).rejects.toThrow(
      /does not begin a transaction \(.+\); set pool_mode of the pooler to transaction or session\.$/,
    );
  });
});
