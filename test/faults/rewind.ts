/**
 * Two ways in which a database steps back under the nodes that use it. Each keeps what is there now
 * and answers how to return to it.
 */
import pg from 'pg';
import { withPostgres } from '../support/sql.js';

/**
 * Every table gets its former rows back, in one transaction of the running server: what a restore
 * into a live database does.
 */
export async function keepTables(url: string): Promise<() => Promise<void>> {
  const tables = await withPostgres(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> '_prisma_migrations'`,
    );
    await client.query('CREATE SCHEMA kept');
    for (const { name } of rows)
      await client.query(`CREATE TABLE kept.${name} AS TABLE public.${name}`);
    return rows.map(({ name }) => name);
  });
  return () =>
    withPostgres(url, async (client) => {
      // Neither triggers nor foreign keys: the rows are what they were.
      await client.query('BEGIN; SET LOCAL session_replication_role = replica');
      await client.query(
        `LOCK TABLE ${tables.map((name) => `public.${name}`).join(', ')} IN ACCESS EXCLUSIVE MODE`,
      );
      for (const name of tables)
        await client.query(
          `DELETE FROM public.${name}; INSERT INTO public.${name} SELECT * FROM kept.${name}`,
        );
      await client.query('COMMIT; DROP SCHEMA kept CASCADE');
    });
}

/** The database is swapped for a copy of before, under the same name. */
export async function keepCopy(url: string): Promise<() => Promise<void>> {
  const name = new URL(url).pathname.slice(1);
  const beside = Object.assign(new URL(url), { pathname: '/postgres' }).href;
  const alone = (client: pg.Client) =>
    client
      .query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
      .then(() =>
        client.query(
          `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1`,
          [name],
        ),
      );
  await withPostgres(beside, async (client) => {
    await alone(client);
    await client.query(`CREATE DATABASE ${name}_kept TEMPLATE ${name}`);
    await client.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
  });
  return () =>
    withPostgres(beside, async (client) => {
      await alone(client);
      await client.query(`DROP DATABASE ${name}`);
      await client.query(`ALTER DATABASE ${name}_kept RENAME TO ${name}`);
    });
}
