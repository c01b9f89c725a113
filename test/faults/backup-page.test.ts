/**
 * The commands of docs/backup.md, executed as they stand there, against a whole Postgres: after
 * them nobody who was signed in before is. `systemctl` stands for a node of this test.
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeWith } from '../support/needs.js';
import { startCluster, startNode } from '../support/node-process.js';
import type { Cluster, NodeProcess } from '../support/node-process.js';
import { World, call } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { WHOLE_POSTGRES, postgresFolder } from './standby.js';
import { FaultPostgres, scratchFolder } from './stores.js';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(`${checkout}docs/backup.md`, 'utf8');
const run = promisify(execFile);

/** The commands of a section, one a line, without the words behind them. */
function commands(section: string): string[] {
  const block = new RegExp(`\n## ${section}\n[^]*?\`\`\`sh\n([^]*?)\`\`\``).exec(page)![1]!;
  return block
    .split('\n')
    .map((line) => line.replace(/\s*#.*$/, ''))
    .filter((line) => line !== '');
}

describeWith(WHOLE_POSTGRES, 'commands of docs/backup.md')('following docs/backup.md', () => {
  let postgres: FaultPostgres;
  let cluster: Cluster;
  let node: NodeProcess;
  let folder: string;
  let ada: SignedIn;
  let ben: SignedIn;

  /** A line of the page; answers what it printed. */
  async function sh(line: string): Promise<string> {
    if (line === 'systemctl stop wardroom') {
      await node.stop();
      return '';
    }
    if (line === 'systemctl start wardroom') {
      node = await startNode(cluster.env, { until: 'file' });
      return '';
    }
    const { hostname, port, username, password } = new URL(postgres.url);
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', `cd "$WHERE"; ${line}`], {
      env: {
        ...process.env,
        ...cluster.env,
        NODE_ENV: 'test',
        PATH: [postgresFolder!, process.env['PATH']!].join(delimiter),
        PGHOST: hostname,
        PGPORT: port,
        PGUSER: username,
        PGPASSWORD: password,
        WHERE: line.startsWith('npm ') ? checkout : folder,
      },
    });
    return stdout;
  }

  beforeAll(async () => {
    postgres = await FaultPostgres.start(postgresFolder);
    folder = scratchFolder('backup');
    cluster = await startCluster(1, { DATABASE_URL: postgres.url });
    node = cluster.nodes[0]!;
    [ada, ben] = (await (await World.create({ base: node.url })).users('ada', 'ben')) as [
      SignedIn,
      SignedIn,
    ];
  }, 90_000);
  afterAll(async () => {
    await node?.stop();
    await postgres?.stop();
  });

  /** Verdicts by id, of `wardroom backup check`. */
  async function judged(args = '', env = ''): Promise<Record<string, string>> {
    const command = `${env} "${process.execPath}" ${checkout}cli/wardroom.mjs backup check ${args} --json || true`;
    const lines = (await sh(command)).trimEnd().split('\n');
    const verdicts = lines.map((text) => JSON.parse(text) as { id: string; verdict: string });
    return Object.fromEntries(verdicts.map(({ id, verdict }) => [id, verdict]));
  }

  test('`wardroom backup check` tells a dump that can be restored from one that cannot', async () => {
    await sh('pg_dump --format=custom --file=good.dump "$DATABASE_URL"');
    const good = await judged('good.dump');
    expect(good).toEqual({
      'backup.checksums': 'warn',
      'backup.archive': 'warn',
      'backup.secret_key': 'ok',
      'dump.whole': 'ok',
      'dump.age': 'ok',
      'dump.tables': 'ok',
      'dump.version': 'ok',
      'dump.secret_key': 'ok',
    });
    const bytes = readFileSync(`${folder}/good.dump`);
    writeFileSync(`${folder}/half.dump`, bytes.subarray(0, bytes.length / 2));
    expect(await judged('half.dump')).toMatchObject({ 'dump.whole': 'fail' });
    await sh('pg_dump --format=custom --schema-only --file=empty.dump "$DATABASE_URL"');
    expect(await judged('empty.dump')).toMatchObject({ 'dump.tables': 'fail' });
    expect(await judged('good.dump', `SECRET_KEY=${'b'.repeat(43)}`)).toMatchObject({
      'backup.secret_key': 'fail',
      'dump.secret_key': 'fail',
    });
    await sh(
      `psql -q "$DATABASE_URL" -c "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('of tomorrow', '', '99991231000000_tomorrow')"`,
    );
    await sh('pg_dump --format=custom --file=newer.dump "$DATABASE_URL"');
    expect(await judged('newer.dump')).toMatchObject({ 'dump.version': 'fail' });
    await sh(
      `psql -q "$DATABASE_URL" -c "DELETE FROM _prisma_migrations WHERE id = 'of tomorrow'"`,
    );
  }, 60_000);

  test('ends every session of the dump, also those that were ended after it', async () => {
    for (const line of commands('Backup').filter((one) => one.startsWith('pg_dump')))
      await sh(line);
    await call(node.url, '/v1/auth/logout', { token: ada.token, body: {} });
    const said: string[] = [];
    for (const line of commands('Restore')) said.push(await sh(line));
    expect(said.join('')).toMatch(/Ended \d+ sessions: everybody has to sign in again\./);
    for (const { token } of [ada, ben]) {
      const { body } = await call(node.url, '/v1/me', { token, expect: 401 });
      expect(body.code).toBe('session_revoked');
    }
  }, 120_000);

  test('takes a base backup, and shows what a failover would lose', async () => {
    const [base] = commands('Backup').filter((one) => one.startsWith('pg_basebackup'));
    await sh(base!.replace('/backup/base', `${folder}/base`));
    expect(readFileSync(`${folder}/base/PG_VERSION`, 'utf8')).toMatch(/^\d+/);
    const [psql] = commands('Failover');
    expect(await sh(psql!)).toMatch(/synchronous_standby_names[^]*application_name/);
  }, 60_000);
});
