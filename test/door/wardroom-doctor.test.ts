/** `wardroom doctor`: on a healthy installation, with the service down, and where a check fails. */
import { beforeAll, expect, test } from '@jest/globals';
import { startCluster } from '../support/node-process.js';
import type { Cluster } from '../support/node-process.js';
import { query } from '../support/sql.js';
import { operator } from '../support/world.js';
import { wardroom } from './wardroom.js';

const DOWN = 'http://127.0.0.1:9';
let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster(1);
});

interface Line {
  id: string;
  verdict: string;
  measured: string;
  bound: string;
  sentence: string;
  page: string | null;
}
async function doctor(
  env: Record<string, string>,
  args: string[] = [],
): Promise<{ code: number; lines: Line[]; verdicts: Record<string, string>; text: string }> {
  const { code, stdout, stderr } = await wardroom(['doctor', '--json', ...args], env);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
  const verdicts = Object.fromEntries(lines.map(({ id, verdict }) => [id, verdict]));
  return { code, lines, verdicts, text: stdout + stderr };
}

test('a healthy installation: nothing failed, every line has its parts, and no secret is shown', async () => {
  const { url } = cluster.nodes[0]!;
  const env = { ...cluster.env, WARDROOM_URL: url, WARDROOM_TOKEN: await operator(url) };
  const { code, lines, verdicts, text } = await doctor(env);
  // A Postgres that was made for tests does without these.
  const [unsafe] = await query<{ names: string[] }>(
    cluster.databaseUrl,
    `SELECT ARRAY(SELECT 'postgres.' || name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name) AS names`,
  );
  const failed = lines.filter(({ verdict }) => verdict === 'fail').map(({ id }) => id);
  expect(failed).toEqual(unsafe!.names);
  expect(code).toBe(failed.length > 0 ? 1 : 0);
  expect(verdicts).toMatchObject({
    'config.valid': 'ok',
    'machine.node': 'ok',
    'postgres.version': 'ok',
    'postgres.fsync': expect.any(String),
    'postgres.replication': 'warn',
    'postgres.migrated': 'ok',
    'redis.version': 'ok',
    'redis.policy': 'ok',
    'redis.persistence': 'ok',
    'clock.postgres': 'ok',
    'clock.service': 'ok',
    'clock.nodes': 'ok',
    'service.ready': 'ok',
    'nodes.versions': 'ok',
    'nodes.configuration': 'ok',
  });
  for (const line of lines) {
    expect(line.sentence).toMatch(/^[A-Z].*[.)]$/);
    if (line.verdict === 'ok') expect(line.page).toBeNull();
  }
  for (const secret of ['SECRET_KEY', 'DATABASE_URL', 'REDIS_URL'])
    expect(text).not.toContain(cluster.env[secret]);
});

test('with the service down everything else is checked; exit code 1, and the page is named', async () => {
  const { code, verdicts, lines } = await doctor({ ...cluster.env, WARDROOM_URL: DOWN });
  expect(code).toBe(1);
  expect(verdicts).toMatchObject({ 'service.ready': 'fail', 'postgres.version': 'ok' });
  expect(lines.find(({ id }) => id === 'service.ready')!.page).toMatch(/^docs\/.*#/);
});

test('a store that does not answer is one failed line, and the others are checked', async () => {
  const { code, verdicts } = await doctor({ ...cluster.env, REDIS_URL: 'redis://127.0.0.1:1' });
  expect(code).toBe(1);
  expect(verdicts).toMatchObject({ 'redis.reachable': 'fail', 'postgres.version': 'ok' });
});

test('a refused configuration: each problem is a line', async () => {
  const { code, lines } = await doctor({ ...cluster.env, SECRET_KEY: 'short-and-secret' });
  expect(code).toBe(1);
  expect(lines[0]).toMatchObject({ id: 'config.valid', verdict: 'fail' });
  expect(JSON.stringify(lines)).not.toContain('short-and-secret');
});

test('nothing to check: exit code 3; text is aligned, and ends with the sum', async () => {
  expect(await wardroom(['doctor'], {})).toMatchObject({ code: 3, stdout: '' });
  expect(await wardroom(['doctor', '--reason', 'x'], {})).toMatchObject({ code: 2 });
  const { stdout } = await wardroom(['doctor'], { WARDROOM_URL: DOWN });
  expect(stdout).toMatch(/^fail {2}service\.ready {2}The service does not answer/);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('1 checks: 1 failed, 0 to look at.');
});
