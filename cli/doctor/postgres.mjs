/** Postgres: version, durability, replication, connections, migrations, and its clock. */
import { line } from '../checks.mjs';
import { printable } from '../client.mjs';
import { fromBuild } from '../local.mjs';

const PAGE = 'docs/operations.md#postgres';
const REPLICATION = 'docs/authority.md#when-the-history-is-replaced';
const CLOCK = 'docs/authority.md#the-wall-clock';
/** A node keeps 17, and opens one more while it migrates. */
const CONNECTIONS_OF_A_NODE = 18;
const CLOCK_MS = { warn: 1_000, fail: 5_000 };
const TIMEOUTS = { statementMs: 5_000, lockMs: 5_000, idleInTransactionMs: 5_000 };

const FACTS = `
  SELECT current_setting('server_version') AS version, current_setting('server_version_num')::integer AS number,
    current_setting('synchronous_commit') AS synchronous_commit, current_setting('fsync') AS fsync,
    current_setting('full_page_writes') AS full_page_writes, current_setting('synchronous_standby_names') AS standby_names,
    current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer AS connections`;
/** Without pg_monitor the state of others is null. */
const STANDBYS = `
  SELECT count(*)::integer AS count, count(*) FILTER (WHERE sync_state IN ('sync', 'quorum'))::integer AS synchronous,
    count(*) FILTER (WHERE state IS NULL)::integer AS hidden FROM pg_stat_replication`;
const NODES = `SELECT count(*)::integer AS count FROM nodes WHERE left_at IS NULL AND at > clock_timestamp() - interval '31 seconds'`;
const NOW = 'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms';

export async function postgresLines(databaseUrl) {
  const { PostgresAccess } = await fromBuild('platform/stores/postgres-access.js');
  const access = new PostgresAccess(databaseUrl);
  let client;
  try {
    await access.find();
    client = await access.connect(TIMEOUTS, 'wardroom-doctor');
  } catch (error) {
    return [
      line('postgres.reachable', 'fail', `Postgres cannot be used: ${printable(error.message)}`, {
        measured: 'refused',
        bound: 'an answer',
        page: PAGE,
      }),
    ];
  }
  try {
    const [facts] = (await client.query(FACTS)).rows;
    const [standbys] = (await client.query(STANDBYS)).rows;
    return [
      line('postgres.reachable', 'ok', 'Postgres answers.'),
      versionLine(facts),
      ...durabilityLines(facts),
      replicationLine({ ...standbys, names: facts.standby_names }),
      await migrationLine(access),
      await connectionsLine(client, facts.connections),
      await clockLine(client),
    ];
  } finally {
    await client.end();
  }
}

const versionLine = ({ version, number }) =>
  line('postgres.version', number >= 150_000 ? 'ok' : 'fail', 'Postgres is new enough.', {
    measured: version,
    bound: '>= 15',
    page: 'docs/operations.md#what-it-needs',
  });

const durabilityLines = (facts) =>
  ['synchronous_commit', 'fsync', 'full_page_writes'].map((name) =>
    line(
      `postgres.${name}`,
      facts[name] === 'off' ? 'fail' : 'ok',
      'What was acknowledged outlives a crash.',
      { measured: facts[name], bound: 'not off', page: PAGE },
    ),
  );

/** The table behind it is in docs/authority.md. */
export function replicationLine({ count, synchronous, hidden, names }) {
  const measured = `synchronous_standby_names "${names}", ${count} standbys, ${synchronous} synchronous`;
  const say = (verdict, sentence) =>
    line('postgres.replication', verdict, sentence, {
      measured,
      bound: 'a synchronous standby',
      page: REPLICATION,
    });
  if (hidden > 0)
    return say('warn', 'Standbys are not visible to this role: grant it pg_monitor to check them.');
  if (names !== '' && synchronous === 0)
    return say('fail', 'No synchronous standby is connected: every commit waits for one.');
  if (synchronous > 0) return say('ok', 'A failover to the synchronous standby loses nothing.');
  if (count > 0)
    return say('warn', 'Replication is asynchronous: a failover may lose the newest commits.');
  return say('warn', 'There is no standby: with its disk everything since the backup is lost.');
}

async function migrationLine(access) {
  const { requireMigrated } = await fromBuild('platform/stores/migrate.js');
  try {
    await requireMigrated(access);
    return line('postgres.migrated', 'ok', 'Every migration of this version is applied.');
  } catch (error) {
    return line('postgres.migrated', 'warn', printable(error.message), {
      measured: 'not migrated',
      bound: 'migrated',
      page: 'docs/operations.md#running-a-node',
    });
  }
}

/** Before the first migration there is no table of nodes. */
async function connectionsLine(client, connections) {
  const { rows } = await client.query(`SELECT to_regclass('nodes') IS NOT NULL AS known`);
  const running = rows[0].known ? (await client.query(NODES)).rows[0].count : 0;
  const nodes = Math.max(running, 1);
  const needed = nodes * CONNECTIONS_OF_A_NODE;
  return line(
    'postgres.connections',
    connections >= needed ? 'ok' : 'warn',
    `Connections suffice for ${nodes === 1 ? 'a node' : `${nodes} nodes`}.`,
    { measured: connections, bound: `>= ${needed}`, page: PAGE },
  );
}

async function clockLine(client) {
  const before = Date.now();
  const { ms } = (await client.query(NOW)).rows[0];
  const after = Date.now();
  return clocks('clock.postgres', 'The clocks of this machine and of Postgres agree.', {
    offsetMs: Math.round((before + after) / 2 - ms),
    errorMs: Math.ceil((after - before) / 2),
  });
}

/** `errorMs`: as far as the measurement may be wrong. */
export function clocks(id, sentence, { offsetMs, errorMs }) {
  const off = Math.max(0, Math.abs(offsetMs) - errorMs);
  const verdict = off > CLOCK_MS.fail ? 'fail' : off > CLOCK_MS.warn ? 'warn' : 'ok';
  return line(id, verdict, sentence, {
    measured: `${offsetMs} ms, within ${errorMs}`,
    bound: `< ${CLOCK_MS.fail} ms; to look at from ${CLOCK_MS.warn}`,
    page: CLOCK,
  });
}
