/** Ends every process of the run, also those a crashed test left, and drops its databases from a server that stays. */
import pg from 'pg';
import { stopChildren } from '../../scripts/children.mjs';

export default async function globalTeardown() {
  const stores = globalThis.wardroomStores;
  if (stores !== undefined && !stores.privatePostgres) {
    const client = new pg.Client({ connectionString: stores.databaseUrl });
    await client.connect();
    const { rows } = await client.query(`SELECT datname FROM pg_database WHERE starts_with(datname, $1)`, [`${process.env.TEST_RUN}_`]);
    for (const { datname } of rows) await client.query(`DROP DATABASE ${client.escapeIdentifier(datname)} WITH (FORCE)`);
    await client.end();
  }
  await stopChildren();
}
