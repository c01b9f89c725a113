/** Commands that change something by the running service, or let it read for them. */
import { beforeAll, expect, test } from '@jest/globals';
import { startCluster } from '../support/node-process.js';
import { query } from '../support/sql.js';
import { World, call } from '../support/world.js';
import { wardroom } from './wardroom.js';

let world: World;
let databaseUrl: string;
let run: (...args: string[]) => ReturnType<typeof wardroom>;

beforeAll(async () => {
  const cluster = await startCluster(1);
  ({ databaseUrl } = cluster);
  const base = cluster.nodes[0]!.url;
  world = await World.create({ base });
  run = (...args) => wardroom(args, { WARDROOM_URL: base, WARDROOM_TOKEN: world.operator() });
}, 60_000);

test('invites: made by a link that lets its address in, listed without it, withdrawn', async () => {
  const tenant = world.tenant.slug;
  const email = 'dora@example.com';
  const made = await run('invites', 'create', '--tenant', tenant, '--email', email);
  expect(made.stdout).toMatch(
    /^Hand this link on; it is shown once, and ends .*:\n {2}url {2}http/,
  );
  const invite = /wr_reg_[\w-]+/.exec(made.stdout)![0];
  await call(world.base, '/v1/auth/register', {
    body: { tenant, email, password: 'a long password', invite },
    expect: 201,
  });
  const open = await run('invites', 'create', '--tenant', tenant, '--uses', '3', '--json');
  const { id } = JSON.parse(open.stdout) as { id: string };
  const listed = await run('invites', '--tenant', tenant);
  expect(listed.stdout).toMatch(new RegExp(`\n${id} +- +0 of 3 `));
  expect(listed.stdout).not.toContain('wr_reg_');
  expect((await run('invites', 'withdraw', id, '--tenant', tenant)).stdout).toContain(id);
  expect((await run('invites', '--tenant', tenant)).stdout).toBe('None.\n');
  const wrong = await run('invites', 'create', '--tenant', tenant, '--uses', 'many');
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('max_uses')]);
  expect((await run('invites')).code).toBe(2);
});

test('keys rotate --service: a key that signs later, and a reason is needed', async () => {
  const { stdout, code } = await run('keys', 'rotate', '--service', '--reason', 'of age');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Published; it signs from \d{4}-/);
  expect((await run('keys')).stdout).toContain('announced');
  expect((await run('keys', 'rotate', '--service')).code).toBe(2);
});

test('audit verify --service: 0 and the count when it is whole, 1 with the findings when not', async () => {
  const whole = await run('audit', 'verify', '--service');
  expect([whole.code, whole.stdout]).toEqual([
    0,
    expect.stringMatching(/^\d+ records in 1 chains: whole\.\n$/),
  ]);
  await query(databaseUrl, `UPDATE audit_events SET ip = '192.0.2.1' WHERE n = 3`);
  const broken = await run('audit', 'verify', '--service');
  expect(broken.code).toBe(1);
  expect(broken.stdout).toMatch(
    /: record 3 \(\w+\) was altered\n\d+ records in 1 chains: 1 findings\.\n$/,
  );
  const asJson = await run('audit', 'verify', '--service', '--json');
  expect(JSON.parse(asJson.stdout)).toMatchObject({ chains: 1, findings: [expect.any(String)] });
});
