/**
 * Databases whose defaults would make a service wrong that takes them as found, and whose owner is
 * nobody special.
 */
import pg from 'pg';
import { freshDatabase } from '../support/node-process.js';
import { query } from '../support/sql.js';
import { unique } from '../support/world.js';

const OF_DATABASE = {
  DateStyle: 'German, DMY',
  IntervalStyle: 'iso_8601',
  bytea_output: 'escape',
  extra_float_digits: '-10',
  default_transaction_isolation: 'serializable',
};
/** Only of the owner: whoever looks at the database from outside has to be able to. */
const OF_ROLE = {
  search_path: 'elsewhere, public',
  client_encoding: 'LATIN1',
  synchronous_commit: 'off',
  transform_null_equals: 'on',
  statement_timeout: '1s',
  lock_timeout: '1s',
  idle_in_transaction_session_timeout: '1s',
};

export interface Hostile {
  /** As the owner, who is no superuser. */
  url: string;
  /** As the superuser. */
  adminUrl: string;
  role: string;
}

/**
 * A database of a plain role, with every default against us. A schema `elsewhere` has tables of the
 * same names.
 */
export async function hostileDatabase(timezone: string): Promise<Hostile> {
  const adminUrl = await freshDatabase();
  const database = pg.escapeIdentifier(new URL(adminUrl).pathname.slice(1));
  const role = unique('owner').replace('-', '_');
  const url = new URL(adminUrl);
  url.username = role;
  await query(
    adminUrl,
    `CREATE ROLE ${role} LOGIN PASSWORD ${pg.escapeLiteral(decodeURIComponent(url.password))}`,
  );
  await query(adminUrl, `ALTER DATABASE ${database} OWNER TO ${role}`);
  await query(
    adminUrl,
    `CREATE SCHEMA elsewhere AUTHORIZATION ${role}; CREATE TABLE elsewhere.settings (key text, value int)`,
  );
  const set = (name: string, value: string) =>
    `SET ${name} TO ${name === 'search_path' ? value : pg.escapeLiteral(value)}`;
  for (const [name, value] of Object.entries({ ...OF_DATABASE, TimeZone: timezone }))
    await query(adminUrl, `ALTER DATABASE ${database} ${set(name, value)}`);
  for (const [name, value] of Object.entries(OF_ROLE))
    await query(adminUrl, `ALTER ROLE ${role} ${set(name, value)}`);
  return { url: url.href, adminUrl, role };
}

export function withParams(url: string, params: Record<string, string>): string {
  const named = new URL(url);
  for (const [name, value] of Object.entries(params)) named.searchParams.set(name, value);
  return named.href;
}
