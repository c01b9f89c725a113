/** The command against a real deployment of two nodes that breaks no rule. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { drillCommand } from '../../drills/command/drill-command.js';
import { DRILLS } from '../../drills/src/index.js';
import type { Run } from '../../drills/src/index.js';
import { startCluster } from '../support/node-process.js';
import type { Cluster } from '../support/node-process.js';

const OPERATOR = {
  email: 'operator@system.test',
  password: randomBytes(18).toString('base64url'),
};
const SIGNED_IN = {
  WARDROOM_OPERATOR_EMAIL: OPERATOR.email,
  WARDROOM_OPERATOR_PASSWORD: OPERATOR.password,
};
const folder = mkdtempSync(join(tmpdir(), 'wardroom-drill-'));
let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster(2, {
    AUTH_GRACE_SECONDS: '3',
    BOOTSTRAP_OPERATOR_EMAIL: OPERATOR.email,
    BOOTSTRAP_OPERATOR_PASSWORD: OPERATOR.password,
  });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function command(
  args: readonly string[],
  env: Record<string, string> = SIGNED_IN,
  signal?: AbortSignal,
) {
  const [out, err]: string[][] = [[], []];
  const io = {
    env,
    out: (text: string) => void out!.push(text),
    err: (text: string) => void err!.push(text),
  };
  const code = await drillCommand(args, signal === undefined ? io : { ...io, signal });
  return { code, out: out!.join('\n'), err: err!.join('\n') };
}

/** The allowance is for a machine that runs other test files beside. */
const urls = () => [
  ...cluster.nodes.flatMap(({ url }) => ['--url', url]),
  '--allowance-ms',
  '1200',
];

describe('wardroom drill', () => {
  test('finds nothing on two nodes within 90 s, and keeps evidence of every step', async () => {
    const file = join(folder, 'evidence.json');
    const { code, out } = await command([...urls(), '--seed', '7', '--evidence', file]);
    const run = JSON.parse(readFileSync(file, 'utf8')) as Run;
    const steps = run.drills.flatMap((drill) => drill.steps);
    expect(steps.filter(({ verdict }) => verdict !== 'passed')).toEqual([]);
    expect(steps).toHaveLength(DRILLS.flatMap((drill) => Object.keys(drill.steps)).length);
    expect(run).toMatchObject({
      seed: 7,
      verdict: 'passed',
      versions: { api: expect.any(String) },
    });
    expect(run.removed).toBe('3 tenants erased');
    expect(run.ms).toBeLessThan(90_000);
    expect(out).toContain(`${DRILLS.length} passed, 0 failed`);
    expect(code).toBe(0);
  }, 95_000);

  test('compares a run with the one that the evidence file holds', async () => {
    const file = join(folder, 'again.json');
    const args = [...urls(), '--only', 'd12', '--format', 'ndjson', '--evidence', file];
    const first = await command(args);
    expect([first.code, first.err]).toEqual([0, '']);
    expect((await command(args)).err).toMatch(
      /^Compared with the run of \d{4}-.*:\n {2}no difference$/,
    );
    expect(JSON.parse(first.out.split('\n').at(-1)!)).toMatchObject({ type: 'run' });
  });

  test('removes what it made when it is interrupted', async () => {
    const args = [...urls(), '--only', 'D2', '--format', 'ndjson'];
    const { code, out } = await command(args, SIGNED_IN, AbortSignal.timeout(2_000));
    const lines = out.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines[0]).toMatchObject({ id: 'D2.detect', why: 'the run was interrupted' });
    expect(lines.at(-1)).toMatchObject({ type: 'run', removed: '1 tenant erased' });
    expect(code).toBe(1);
  });

  test('ends with 3 when its credential is refused or nobody answers', async () => {
    const wrong = { ...SIGNED_IN, WARDROOM_OPERATOR_PASSWORD: 'not the password' };
    expect(await command(urls(), wrong)).toMatchObject({
      code: 3,
      err: 'The operator was not let in: invalid_credentials.',
    });
    expect(await command([...urls(), '--token', 'x'])).toMatchObject({
      code: 3,
      err: 'The credential is not an operator’s: auth_invalid.',
    });
    expect(await command(['--url', 'http://127.0.0.1:9'])).toMatchObject({
      code: 3,
      err: 'http://127.0.0.1:9 does not answer',
    });
  });

  test.each([
    ['without a URL', []],
    ['with a URL that is none', ['--url', 'localhost']],
    ['with an unknown drill', ['--url', 'http://localhost', '--only', 'D13']],
    ['with an unknown option', ['--url', 'http://localhost', '--quick']],
    ['with an unknown format', ['--url', 'http://localhost', '--format', 'pdf']],
    ['with a seed that is no number', ['--url', 'http://localhost', '--seed', 'x']],
  ])('%s ends with 2 and the usage', async (_, args) => {
    const { code, err } = await command(args);
    expect(code).toBe(2);
    expect(err).toContain('wardroom drill --url URL');
  });

  test('without a credential ends with 2', async () => {
    expect((await command(['--url', 'http://localhost'], {})).code).toBe(2);
  });
});
