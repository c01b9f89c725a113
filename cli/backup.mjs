/**
 * `wardroom backup check`: whether what is kept could be restored. It takes the environment of a
 * node, asks its Postgres, and reads a dump of `pg_dump --format=custom` when one is named.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { failed, line, linesText } from './checks.mjs';
import { CliError, printable } from './client.mjs';
import { environment } from './config.mjs';
import { fromBuild } from './local.mjs';

const PAGE = 'docs/backup.md';
const USAGE = 'backup check [FILE]';
const TIMEOUTS = { statementMs: 5_000, lockMs: 5_000, idleInTransactionMs: 5_000 };
/** A daily dump, and half a day for who is late. */
const AGE_HOURS = 36;
const MIGRATIONS = fileURLToPath(new URL('../prisma/migrations', import.meta.url));

const ARCHIVE = `
  SELECT current_setting('data_checksums') AS checksums, current_setting('archive_mode') AS archive,
    last_archived_time IS NOT NULL AS has_archived,
    coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) AS fails
  FROM pg_stat_archiver`;
const KEYS = 'SELECT kid, wrapped FROM signing_keys WHERE withdrawn_at IS NULL';

export const BACKUP_COMMANDS = {
  backup: {
    usage: USAGE,
    summary: 'whether Postgres is set up for a restore, and a dump of it is whole and opens',
    args: [1, 2],
    isLocal: () => true,
    async run({ args: [what, file], flags: { curl }, print }) {
      if (what !== 'check') throw new CliError(2, `Usage: wardroom ${USAGE}`);
      if (curl) throw new CliError(2, 'It is no request.');
      if (file !== undefined && !existsSync(file)) throw new CliError(3, `There is no ${file}.`);
      const lines = await check(file);
      print(lines, linesText);
      if (failed(lines)) throw new CliError(1, 'A restore would not be whole.');
    },
  },
};

async function check(file) {
  const { config, lines } = await environment();
  if (config === null) return lines;
  const { unwrapSigningKey } = await fromBuild('auth/keys/wrapped-key.js');
  const opens = (key) => unwrapSigningKey(key, config.secretKeys) !== null;
  return [
    ...(await postgresLines(config.databaseUrl, opens)),
    ...(file === undefined ? [] : await dumpLines(file, opens)),
  ];
}

async function postgresLines(databaseUrl, opens) {
  const { PostgresAccess } = await fromBuild('platform/stores/postgres-access.js');
  const access = new PostgresAccess(databaseUrl);
  let client;
  try {
    await access.find();
    client = await access.connect(TIMEOUTS, 'wardroom-backup-check');
  } catch (error) {
    const why = `Postgres is not checked: ${printable(error.message)}`;
    return [line('backup.postgres', 'warn', why, { page: PAGE })];
  }
  try {
    const [facts] = (await client.query(ARCHIVE)).rows;
    const known = (await client.query(`SELECT to_regclass('signing_keys') IS NOT NULL AS known`))
      .rows[0].known;
    const keys = known ? (await client.query(KEYS)).rows : [];
    return [checksumsLine(facts), archiveLine(facts), secretLine('backup.secret_key', keys, opens)];
  } finally {
    await client.end();
  }
}

const checksumsLine = ({ checksums }) =>
  line(
    'backup.checksums',
    checksums === 'on' ? 'ok' : 'warn',
    checksums === 'on'
      ? 'Postgres notices a damaged page before it is copied into a backup.'
      : 'Postgres copies a damaged page into a backup unnoticed: see pg_checksums.',
    { measured: checksums, bound: 'on', page: PAGE },
  );

function archiveLine({ archive, has_archived, fails }) {
  const say = (verdict, sentence, measured) =>
    line('backup.archive', verdict, sentence, {
      measured,
      bound: 'archived without failures',
      page: `${PAGE}#a-point-in-time-pitr`,
    });
  if (archive === 'off')
    return say('warn', 'Only dumps are kept: what follows the last one is lost.', 'off');
  if (fails) return say('fail', 'The archiving of the WAL fails.', 'the last attempt failed');
  if (!has_archived) return say('warn', 'No WAL was archived yet.', 'nothing archived');
  return say('ok', 'The WAL is archived: any point in time can be restored.', 'archived');
}

function secretLine(id, keys, opens) {
  const opened = keys.filter(opens).length;
  return line(
    id,
    opened === keys.length && keys.length > 0 ? 'ok' : keys.length === 0 ? 'warn' : 'fail',
    keys.length === 0
      ? 'There is no signing key that SECRET_KEY could open.'
      : opened === keys.length
        ? 'SECRET_KEY opens the signing keys.'
        : 'SECRET_KEY does not open every signing key: keep the one that does beside the backup.',
    { measured: `${opened} of ${keys.length} open`, bound: 'all', page: PAGE },
  );
}

async function dumpLines(file, opens) {
  const read = await pgRestore(['--file=/dev/null', file]);
  const whole = line(
    'dump.whole',
    read.code === 0 ? 'ok' : 'fail',
    read.code === 0 ? 'The dump can be read to its end.' : printable(lastLine(read.stderr)),
    { measured: read.code === 0 ? 'read' : 'broken', bound: 'read', page: PAGE },
  );
  if (read.code !== 0) return [whole];
  const { stdout: list } = await pgRestore(['--list', file]);
  const migrations = await rowsOf(file, '_prisma_migrations');
  const keys = await rowsOf(file, 'signing_keys');
  const current = keys
    .filter(({ withdrawn_at }) => withdrawn_at === null)
    .map(({ kid, wrapped }) => ({ kid, wrapped: Buffer.from(wrapped.slice(2), 'hex') }));
  return [
    whole,
    ageLine(list),
    dataLine(list),
    versionLine(migrations.map(({ migration_name }) => migration_name)),
    secretLine('dump.secret_key', current, opens),
  ];
}

/** The time is that of the machine that made the dump, with the name of its zone. */
function ageLine(list) {
  const made = /^; Archive created at (\S+ \S+)/m.exec(list)?.[1];
  const hours = made === undefined ? NaN : (Date.now() - Date.parse(made)) / 3_600_000;
  return line(
    'dump.age',
    hours <= AGE_HOURS ? 'ok' : 'warn',
    'The dump is of today or yesterday.',
    {
      measured: made === undefined ? 'unknown' : `made ${made}`,
      bound: `${AGE_HOURS} hours`,
      page: PAGE,
    },
  );
}

/** A dump of the schema alone, or of some tables, restores nobody's account. */
function dataLine(list) {
  const named = (kind) => new Set([...list.matchAll(kind)].map(([, name]) => name));
  const tables = named(/; \d+ \d+ TABLE (?!DATA )\S+ (\S+) /g);
  const data = named(/; \d+ \d+ TABLE DATA \S+ (\S+) /g);
  const missing = [...tables].filter((name) => !data.has(name));
  const isWhole = missing.length === 0 && tables.has('authority_head') && tables.has('users');
  return line(
    'dump.tables',
    isWhole ? 'ok' : 'fail',
    isWhole
      ? 'The dump holds the rows of every table.'
      : tables.has('authority_head')
        ? `The dump holds no rows of ${printable(missing.slice(0, 3).join(', '))}.`
        : 'The dump is not of a database of Wardroom.',
    { measured: `${data.size} tables with rows`, bound: `all ${tables.size}`, page: PAGE },
  );
}

function versionLine(applied) {
  const known = new Set(
    readdirSync(MIGRATIONS, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [entry.name] : [],
    ),
  );
  const foreign = applied.filter((name) => !known.has(name));
  return line(
    'dump.version',
    foreign.length === 0 ? 'ok' : 'fail',
    foreign.length > 0
      ? 'The dump is of a newer version than this installation.'
      : applied.length < known.size
        ? 'The dump is of an older version: the fence migrates it.'
        : 'The dump is of this version.',
    {
      measured: foreign.length > 0 ? `has ${foreign.at(-1)}` : `${applied.length} migrations`,
      bound: `of the ${known.size} of this version`,
      page: PAGE,
    },
  );
}

/** Rows of a table of the dump, by column, in the text form of COPY; null is null. */
async function rowsOf(file, table) {
  const { stdout } = await pgRestore(['--data-only', `--table=${table}`, '--file=-', file]);
  const copy = /^COPY \S+ \(([^)]*)\) FROM stdin;\n([^]*?)^\\\.$/m.exec(stdout);
  if (copy === null) return [];
  const columns = copy[1].split(', ');
  return copy[2]
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => {
      const values = text
        .split('\t')
        .map((value) => (value === '\\N' ? null : value.replaceAll('\\\\', '\\')));
      return Object.fromEntries(columns.map((column, i) => [column, values[i]]));
    });
}

const lastLine = (text) => text.trim().split('\n').at(-1) || 'pg_restore cannot read it.';

/** @returns {Promise<{ code: number, stdout: string, stderr: string }>} */
function pgRestore(args) {
  const child = spawn('pg_restore', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'])
    child[name].setEncoding('utf8').on('data', (text) => (chunks[name] += text));
  return new Promise((resolve, reject) => {
    child.once('error', () =>
      reject(new CliError(3, 'pg_restore is not on PATH (package postgresql-client).')),
    );
    child.once('close', (code) => resolve({ code: code ?? 3, ...chunks }));
  });
}
