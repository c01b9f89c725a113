/** The command `wardroom`, as an operator runs it: answers, exit codes, and no token shown. */
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually, live } from '../protocol/harness.js';
import { query } from '../support/sql.js';
import type { SignedIn } from '../support/world.js';
import { World, call, nodeA, nodeB, unique, wsUrl } from '../support/world.js';
import { home, wardroom } from './run-wardroom.js';

let world: World;

beforeAll(async () => {
  world = await World.create();
});

const asOperator = (args: string[]) => wardroom(args, { WARDROOM_TOKEN: world.operator() });

test('why: the sentence first, then the facts; as JSON one line', async () => {
  const ben = await world.user('ben');
  const client = await live(wsUrl(nodeB()), ben.token);
  await call(nodeA(), '/v1/auth/logout', { token: ben.token, body: {} });
  const { close_id: id } = (await client.closed).reason;
  const { stdout } = await eventually(
    () => asOperator(['why', id]),
    ({ code }) => code === 0,
    'the explanation',
  );
  expect(stdout.split('\n')[0]).toMatch(
    /^The server closed it with `session_revoked`: .*, by the user\.$/,
  );
  expect(stdout).toContain(`  user_id           ${ben.id}\n`);
  const { stdout: json } = await asOperator(['why', client.frames[0].connection_id, '--json']);
  expect(JSON.parse(json)).toMatchObject({ close_id: id, reason: 'logout' });
});

test('revoke: waits until every node knows, and says how many connections were closed', async () => {
  const ben = await world.user('ben');
  const client = await live(wsUrl(nodeB()), ben.token);
  const { code, stdout } = await asOperator([
    'revoke',
    '--session',
    ben.session,
    '--reason',
    'stolen',
  ]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Revoked\.\n/);
  expect(stdout).toMatch(/\n {2}connections_closed +1\n/);
  await client.closed;
});

test('users and sessions: aligned columns', async () => {
  const ben = await world.user('ben');
  const { stdout } = await asOperator(['users', '--tenant', world.tenant.slug]);
  const [head, ...rows] = stdout.trimEnd().split('\n');
  expect(head).toMatch(/^user +email +name +role +state$/);
  expect(rows.some((row) => row.startsWith(ben.id))).toBe(true);
  const place = head!.indexOf('role');
  for (const row of rows) expect(row.slice(place)).toMatch(/^(member|admin) /);
  const sessions = await asOperator(['sessions', '--user', ben.id, '--json']);
  expect(JSON.parse(sessions.stdout)).toMatchObject({ id: ben.session });
});

test('connections: listed, shown and closed; nodes: one row each', async () => {
  const ben = await world.user('ben');
  const client = await live(wsUrl(nodeB()), ben.token);
  const id = client.frames[0].connection_id;
  const listed = await asOperator(['connections', '--user', ben.id]);
  const [head, row] = listed.stdout.trimEnd().split('\n');
  expect(head).toMatch(/^connection +user +node +ip +since +token ms +rooms +queue bytes$/);
  expect(row).toContain(`${id}  ${ben.email}  `);
  const json = await asOperator(['connections', '--session', ben.session, '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject({ id, user: { email: ben.email } });
  const shown = await asOperator(['connections', 'show', id]);
  expect(shown.stdout).toMatch(new RegExp(`^A connection of ${ben.email}, live\\.\n`));
  expect(shown.stdout).toMatch(/Z {2}authenticated {2}20\d\d-/);
  const printed = await asOperator(['connections', 'close', id, '--stop', '--curl']);
  expect(printed.stdout).toContain(`-X DELETE '${nodeA()}/v1/admin/connections/${id}?action=stop'`);
  expect(client.isClosed).toBeNull();
  const closed = await asOperator(['connections', 'close', id, '--stop']);
  expect(closed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Closed for good\.\n/) });
  expect((await client.closed).code).toBe(4003);
  expect((await asOperator(['connections', 'close', id])).code).toBe(1);
  const nodes = await asOperator(['nodes']);
  expect(nodes.stdout.split('\n')[0]).toMatch(/^node +name +version +state +connections +rooms /);
  expect(nodes.stdout.match(/ serving /g)!.length).toBeGreaterThanOrEqual(2);
});

test('users reset-password: a link by which the user sets a new password', async () => {
  const ben = await world.user('ben');
  const made = await asOperator(['users', 'reset-password', ben.id]);
  expect(made.code).toBe(0);
  const password = unique('new');
  const token = /#reset=(wr_pwr_[\w-]{43})/.exec(made.stdout)?.[1];
  await call(nodeB(), '/v1/auth/password/reset', { body: { token, new: password } });
  await world.login({ email: ben.email, password });
  expect((await asOperator(['users', 'reset-password', randomUUID()])).code).toBe(1);
  expect((await asOperator(['users', 'forget-password', ben.id])).code).toBe(2);
});

test('login keeps a token in a file of this user alone; logout ends it', async () => {
  const { email, password } = await world.user('ada', 'admin');
  const login = await wardroom(['login', '--email', email, '--tenant', world.tenant.slug], {
    WARDROOM_PASSWORD: password,
  });
  expect(login).toMatchObject({ code: 0, stderr: '' });
  expect(statSync(join(home, 'wardroom/login.json')).mode & 0o777).toBe(0o600);
  expect((await wardroom(['sessions'])).stdout).toContain('wardroom command');
  const spelled = await wardroom(['sessions'], { WARDROOM_URL: `${nodeA()}/` });
  expect(spelled).toMatchObject({ code: 0 });
  // A token is sent to the deployment that gave it, and to no other.
  const elsewhere = await wardroom(['sessions'], { WARDROOM_URL: nodeB() });
  expect(elsewhere).toMatchObject({ code: 3 });
  expect((await wardroom(['logout'])).code).toBe(0);
  expect((await wardroom(['sessions'])).code).toBe(3);
});

test('--curl prints the request without the token, and sends nothing', async () => {
  const ben = await world.user('ben');
  const { code, stdout } = await asOperator([
    'revoke',
    '--session',
    ben.session,
    '--reason',
    "it's stolen",
    '--curl',
  ]);
  expect(code).toBe(0);
  expect(stdout).toContain(`it'\\''s stolen`);
  expect(stdout).toContain('$WARDROOM_TOKEN');
  expect(stdout).not.toContain(world.operator());
  await call(nodeA(), '/v1/me', { token: ben.token });
});

test.each<[string, number, string[], Record<string, string>]>([
  ['no command', 2, [], {}],
  ['an unknown command', 2, ['explode'], {}],
  ['a flag that does not exist', 2, ['sessions', '--colour'], {}],
  ['a flag of another command', 2, ['tenants', '--reason', 'x'], {}],
  ['connections without what to do', 2, ['connections', 'show'], {}],
  ['a list that stops', 2, ['connections', '--stop'], {}],
  ['another deed', 2, ['connections', 'open', '0123456789ab'], {}],
  ['an argument too many', 2, ['why', 'a', 'b'], {}],
  ['an id of no known shape', 2, ['why', 'xyz'], {}],
  ['an address that is none', 2, ['tenants', '--url', 'ftp://x'], {}],
  ['a field that the server refuses', 2, ['revoke', '--reason', 'x'], {}],
  ['an id that names nothing', 1, ['why', '0123456789ab'], {}],
  ['a server that is not there', 3, ['tenants'], { WARDROOM_URL: 'http://127.0.0.1:9' }],
  ['a refused credential', 3, ['tenants'], { WARDROOM_TOKEN: 'x' }],
])('%s: exit code %s, and a line that says why', async (_what, code, args, env) => {
  const ran = await wardroom(args, { WARDROOM_TOKEN: world.operator(), ...env });
  expect(ran.code).toBe(code);
  expect(ran.stderr + ran.stdout).not.toContain('    at ');
  expect((ran.stderr + ran.stdout).trim()).not.toBe('');
});

/** The token is that of a browser. */
describe('a call that needs a fresh password', () => {
  const PAST = `UPDATE sessions SET transport = 'cookie', auth_time = auth_time - interval '11 minutes' WHERE id = $1`;
  let admin: SignedIn;
  let args: string[];
  beforeEach(async () => {
    const fresh = await world.user('admin', 'admin');
    admin = fresh;
    await query(process.env['TEST_CLUSTER_DATABASE_URL']!, PAST, [fresh.session]);
    args = ['revoke', '--user', (await world.user('ben')).id, '--reason', 'stolen'];
  });

  test('is repeated once with the password from the input, or from the environment', async () => {
    const env = { WARDROOM_TOKEN: admin.token };
    const piped = await wardroom([...args, '--password-stdin'], env, `${admin.password}\n`);
    expect([piped.code, piped.stderr]).toEqual([0, '']);
    expect(piped.stdout).toMatch(/^Revoked\.\n/);
    await query(process.env['TEST_CLUSTER_DATABASE_URL']!, PAST, [admin.session]);
    const named = await wardroom(args, { ...env, WARDROOM_PASSWORD: admin.password });
    expect(named.stdout).toMatch(/^Revoked\.\n/);
  });

  test('says what to do where nobody can be asked, and changes nothing with a wrong one', async () => {
    const env = { WARDROOM_TOKEN: admin.token };
    const alone = await wardroom(args, env);
    expect(alone.code).toBe(3);
    expect(alone.stderr).toContain('asks for your password again (step_up_required)');
    expect(alone.stderr).toContain('--password-stdin');
    const wrong = await wardroom([...args, '--password-stdin'], env, 'wrong\n');
    expect([wrong.code, wrong.stderr]).toEqual([3, expect.stringContaining('invalid_credentials')]);
  });
});
