/** `wardroom review` and `wardroom stats`: text for people, signatures, exit codes. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { startCluster } from '../support/node-process.js';
import { query } from '../support/sql.js';
import { World } from '../support/world.js';
import { closeMonths, plantMonth } from '../stats/review-month.js';
import { wardroom } from './run-wardroom.js';

let world: World;

beforeAll(async () => {
  const cluster = await startCluster(1);
  world = await World.create({ base: cluster.nodes[0]!.url });
  await plantMonth(cluster.databaseUrl, '2025-01');
  await plantMonth(cluster.databaseUrl, '2025-02', 'loops');
  await query(
    cluster.databaseUrl,
    `INSERT INTO review_clients VALUES ('2025-02-03', 'loops', 'user:0123456789abcdef', 42)`,
  );
  await query(
    cluster.databaseUrl,
    `INSERT INTO minute_stats VALUES (date_trunc('minute', now()), gen_random_uuid(), 'wardroom_logins_total', '{"method":"password","outcome":"ok"}', 7)`,
  );
  await closeMonths(cluster.databaseUrl);
}, 60_000);

const asOperator = (...args: string[]) =>
  wardroom(args, { WARDROOM_URL: world.base, WARDROOM_TOKEN: world.operator() });

describe('review', () => {
  test('of a quiet month: the verdict first, a line for each measure, exit code 0', async () => {
    const { code, stdout, stderr } = await asOperator('review', '2025-01');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [sentence, , head, ...rows] = stdout.split('\n');
    expect(sentence).toBe('2025-01: ok. Counted since 2025-01-01T00:00:00.000Z.');
    expect(head).toMatch(/^verdict +item +month +month before +because +counted$/);
    const place = head!.indexOf('item');
    for (const item of ['failed_tokens', 'expiry_reconnects', 'denied_subscribes', 'loops'])
      expect(rows.some((row) => row.slice(place).startsWith(`${item} `))).toBe(true);
    expect(stdout.trimEnd().endsWith('Not signed off.')).toBe(true);
  });

  test('of a month with a trouble: exit code 1, the threshold, what to do, and the worst clients', async () => {
    const { code, stdout, stderr } = await asOperator('review', '2025-02');
    expect({ code, stderr }).toEqual({ code: 1, stderr: '2025-02: something is to be done.\n' });
    expect(stdout).toMatch(/^act +loops +\d+ of \d+ \([\d.]+ %\) .* at least 0\.5 % /m);
    expect(stdout).toContain('Clients in refresh or reconnect loops: act\n  Read the audit');
    expect(stdout).toContain('\n  user:0123456789abcdef  42\n');
  });

  test('--json: one item a line', async () => {
    const { stdout } = await asOperator('review', '2025-02', '--json');
    const items = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(items).toHaveLength(5);
    expect(items[3]).toMatchObject({ month: '2025-02', item: 'loops', verdict: 'act' });
  });

  test('sign: signs, and the review says who and when', async () => {
    const note = 'Fixed by 4.3.';
    const { code, stdout } = await asOperator('review', 'sign', '2025-02', '--note', note);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'Signed 2025-02 off; its verdict is act.\n',
    });
    expect((await asOperator('review', '2025-02')).stdout).toMatch(
      /^Signed 20\S+ by [0-9a-f-]{36}: Fixed by 4\.3\.$/m,
    );
  });

  test('--curl prints the requests, and sends nothing', async () => {
    expect((await asOperator('review', '--curl')).stdout).toContain("/v1/admin/review'");
    const { stdout } = await asOperator('review', 'sign', '2025-01', '--note', 'no', '--curl');
    expect(stdout).toContain(`-X POST`);
    expect((await asOperator('review', '2025-01')).stdout).toContain('Not signed off.');
  });

  test.each([
    ['a month that is none', 'review', '2025-13'],
    ['a month in the future', 'review', '2099-01'],
    ['a note without a signature', 'review', '2025-01', '--note', 'x'],
    ['a signature without a note', 'review', 'sign', '2025-01'],
    ['a signature without a month', 'review', 'sign', '--note', 'x'],
    ['two months', 'review', '2025-01', '2025-02'],
    ['a range that is none', 'stats', '--range', '2h'],
  ])('%s: exit code 2, and a line that says why', async (_what, ...args) => {
    const { code, stdout, stderr } = await asOperator(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.trim()).not.toBe('');
  });
});

test('stats: aligned columns, and as JSON one series a line', async () => {
  const { code, stdout } = await asOperator('stats', '--name', 'wardroom_logins_total');
  expect(code).toBe(0);
  const [head, row] = stdout.split('\n');
  expect(head).toMatch(/^metric +labels +sum +peak +last$/);
  expect(row).toMatch(/^wardroom_logins_total +method=password outcome=ok +\d+ +\d+ +\d+$/);
  const json = await asOperator(
    'stats',
    '--range',
    '1h',
    '--name',
    'wardroom_logins_total',
    '--json',
  );
  expect(JSON.parse(json.stdout.split('\n')[0]!)).toMatchObject({
    name: 'wardroom_logins_total',
    bucket_seconds: 60,
  });
});
