/**
 * A password that was forgotten (contract section 8): a link by mail, over a real mail server with
 * TLS, and one by an admin, on two nodes.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CertificateFiles, OPENSSL, makeCertificate } from '../support/certificates.js';
import { startCluster } from '../support/node-process.js';
import type { Cluster } from '../support/node-process.js';
import { eventually } from '../support/eventually.js';
import { startMailbox, tokenIn } from '../support/mailbox.js';
import type { Mailbox } from '../support/mailbox.js';
import { outcome, post } from '../support/sign-in.js';
import { query } from '../support/sql.js';
import { World, call, nodeA, operator, unique } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

const NEW = unique('new');
let mailbox: Mailbox;
let cluster: Cluster;
let world: World;
let boss: SignedIn;

beforeAll(async () => {
  const pair = OPENSSL.met ? makeCertificate() : undefined;
  mailbox = await startMailbox(pair === undefined ? {} : { tls: 'implicit', pair });
  cluster = await startCluster(2, {
    ...(pair === undefined
      ? {}
      : { NODE_EXTRA_CA_CERTS: new CertificateFiles(pair).env.TLS_CERT_FILE }),
    SMTP_URL: mailbox.url,
    MAIL_FROM: 'Wardroom <no-reply@wardroom.test>',
    LOGIN_FAILURES_PER_MINUTE: '0',
  });
  world = await World.create({ base: cluster.nodes[0]!.url, tenant: { allow_registration: true } });
  boss = await world.user('boss', 'admin');
});
afterAll(async () => {
  await cluster?.stop();
  await mailbox?.stop();
});

const [A, B] = [() => cluster.nodes[0]!.url, () => cluster.nodes[1]!.url];
const forgot = (email: string, tenant = world.tenant.slug, base = A()) =>
  post(base, '/v1/auth/password/forgot', { tenant, email });
const reset = (token: string, base = B(), password = NEW) =>
  outcome(base, '/v1/auth/password/reset', { token, new: password });
const login = (email: string, password: string) =>
  outcome(A(), '/v1/auth/login', { tenant: world.tenant.slug, email, password });
const link = async (user: string, by: string, expected?: number) =>
  (
    await call(A(), `/v1/admin/users/${user}/password-reset`, {
      method: 'POST',
      token: by,
      ...(expected === undefined ? {} : { expect: expected }),
    })
  ).body;
const tokenOf = ({ url }: { url: string }) => url.slice(url.indexOf('#reset=') + 7);
const auditOf = async (event: string, user: string) =>
  (
    await call(A(), `/v1/admin/audit?event=${event}&user=${user}`, {
      token: await operator(A()),
    })
  ).body.items;
const patch = (user: SignedIn, body: object) =>
  call(A(), `/v1/admin/users/${user.id}`, { method: 'PATCH', token: world.operator(), body });
const provenAt = async (user: string) =>
  (
    await query<{ at: Date | null }>(
      cluster.databaseUrl,
      'SELECT email_proven_at AS at FROM users WHERE id = $1',
      [user],
    )
  )[0]!.at;

describe('a link by mail', () => {
  test('sets a new password, ends every session on both nodes, and proves the address', async () => {
    const user = await world.user('ada');
    const phone = await world.login(user, B());
    expect(await provenAt(user.id)).toBeNull();
    expect((await forgot(user.email.toUpperCase())).status).toBe(202);
    const [letter] = await mailbox.receive(user.email);
    expect(letter).toMatchObject({
      from: 'no-reply@wardroom.test',
      to: [user.email],
      secure: OPENSSL.met,
    });
    const { body: receipt } = await call(B(), '/v1/auth/password/reset', {
      body: { token: tokenIn(letter!), new: NEW },
    });
    expect(receipt).toMatchObject({ effective: true, sessions: 2 });
    for (const base of [A(), B()])
      for (const { token } of [user, phone])
        expect((await call(base, '/v1/me', { token, expect: 401 })).body.code).toBe(
          'session_revoked',
        );
    expect(await login(user.email, user.password)).toBe('invalid_credentials');
    expect(await login(user.email, NEW)).toBe('ok');
    expect(await provenAt(user.id)).not.toBeNull();
    expect(await auditOf('authn_password_reset_requested', user.id)).toMatchObject([
      { actor_id: null, detail: { by: 'mail' } },
    ]);
    expect(await auditOf('authn_password_reset', user.id)).toMatchObject([
      { detail: { by: 'mail' } },
    ]);
    const ended = await auditOf('session_expired', user.id);
    expect(ended.map(({ detail }: { detail: object }) => detail)).toContainEqual({
      reason: 'password_reset',
      code: 'session_revoked',
    });
  });

  test('works once, of 10 at the same time over both nodes', async () => {
    const user = await world.user('ben');
    await forgot(user.email);
    const token = tokenIn((await mailbox.receive(user.email))[0]!);
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (_, i) => reset(token, i % 2 === 0 ? A() : B(), `${NEW} ${i}`)),
    );
    expect(outcomes.sort()).toEqual([...Array(9).fill('not_found'), 'ok']);
    expect(await reset(token)).toBe('not_found');
  });

  test('ends with time, with another new password, and with another link that was used', async () => {
    const [late, changed, twice] = (await world.users('late', 'changed', 'twice')) as [
      SignedIn,
      SignedIn,
      SignedIn,
    ];
    for (const { email } of [late, changed, twice]) await forgot(email);
    await forgot(twice.email);
    const first = async (user: SignedIn) => tokenIn((await mailbox.receive(user.email))[0]!);
    const tokens = [await first(late), await first(changed)];
    await query(
      cluster.databaseUrl,
      'UPDATE password_resets SET expires_at = clock_timestamp() WHERE user_id = $1',
      [late.id],
    );
    await call(A(), '/v1/auth/password', {
      token: changed.token,
      body: { current: changed.password, new: NEW },
    });
    for (const token of tokens) expect(await reset(token)).toBe('not_found');
    const [one, two] = await mailbox.receive(twice.email, 2);
    expect(await reset(tokenIn(two!))).toBe('ok');
    expect(await reset(tokenIn(one!))).toBe('not_found');
  });

  test('is answered alike for everybody, and is sent to users with a password alone', async () => {
    const [stopped, linked] = (await world.users('stopped', 'linked')) as [SignedIn, SignedIn];
    const last = await world.user('last');
    await patch(stopped, { state: 'suspended' });
    await query(cluster.databaseUrl, 'UPDATE users SET password_hash = NULL WHERE id = $1', [
      linked.id,
    ]);
    const answers = [
      await forgot(stopped.email),
      await forgot(linked.email),
      await forgot('nobody@example.com'),
      await forgot(last.email, 'no-such-tenant'),
      await forgot(process.env['TEST_OPERATOR_EMAIL']!, 'system'),
      await forgot(last.email),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(202);
      expect(await answer.text()).toBe('');
    }
    await mailbox.receive(last.email);
    // Requests of an address are worked off in their order.
    const to = mailbox.letters.flatMap((letter) => letter.to);
    for (const { email } of [stopped, linked]) expect(to).not.toContain(email);
    expect(to).not.toContain('nobody@example.com');
    expect(to).not.toContain(process.env['TEST_OPERATOR_EMAIL']);
  });

  test('is mailed at most three times a minute to a user', async () => {
    const [user, next] = (await world.users('often', 'next')) as [SignedIn, SignedIn];
    for (let i = 0; i < 6; i += 1) await forgot(user.email);
    await forgot(next.email);
    await mailbox.receive(next.email);
    expect(await mailbox.receive(user.email, 3)).toHaveLength(3);
    const live = await query(
      cluster.databaseUrl,
      'SELECT 1 FROM password_resets WHERE user_id = $1',
      [user.id],
    );
    expect(live).toHaveLength(3);
  });

  test('is sent again when the mail server asks for patience', async () => {
    const user = await world.user('patient');
    mailbox.refusals.push({ responseCode: 451 });
    await forgot(user.email);
    await mailbox.receive(user.email);
    const text = await (await fetch(`${cluster.nodes[0]!.internalUrl}/metrics`)).text();
    expect(text).toMatch(/wardroom_mails_total\{kind="password_reset",outcome="sent"\} \d+/);
  });

  test('is used by nobody who is suspended, and that is recorded', async () => {
    const user = await world.user('gone');
    await forgot(user.email);
    const token = tokenIn((await mailbox.receive(user.email))[0]!);
    await patch(user, { state: 'suspended' });
    expect(await reset(token)).toBe('user_suspended');
    await eventually(
      'a record of the refusal',
      async () => (await auditOf('authn_password_reset_fail', user.id)).length === 1,
    );
  });

  test('gives the account to the owner of the mailbox, not to who registered its address', async () => {
    const email = 'owner@example.com';
    // Plain words would be found in logs, and taken for a leak.
    const thiefs = randomBytes(12).toString('base64url');
    const { body: thief } = await call(A(), '/v1/auth/register', {
      body: { tenant: world.tenant.slug, email, password: thiefs },
    });
    await forgot(email);
    expect(await reset(tokenIn((await mailbox.receive(email))[0]!))).toBe('ok');
    await call(B(), '/v1/me', { token: thief.access_token, expect: 401 });
    expect(await login(email, thiefs)).toBe('invalid_credentials');
  });
});

describe('a link by an admin', () => {
  test('sets a new password once, and proves no address', async () => {
    const user = await world.user('carl');
    const made = await link(user.id, boss.token);
    expect(made).toEqual({ url: expect.stringContaining('#reset=wr_pwr_'), expires_in: 1800 });
    expect(await reset(tokenOf(made))).toBe('ok');
    expect(await reset(tokenOf(made))).toBe('not_found');
    expect(await login(user.email, NEW)).toBe('ok');
    expect(await provenAt(user.id)).toBeNull();
    expect(await auditOf('authn_password_reset_requested', user.id)).toMatchObject([
      { actor_id: boss.id, detail: { by: 'admin' } },
    ]);
  });

  test('is refused to members, to admins elsewhere, and for the own password', async () => {
    const user = await world.user('dana');
    const apart = await World.create({ base: A() });
    const other = await apart.user('other', 'admin');
    expect((await link(boss.id, user.token, 403)).code).toBe('role_required');
    expect((await link(user.id, other.token, 404)).code).toBe('not_found');
    expect((await link(boss.id, boss.token, 403)).code).toBe('role_required');
    expect(await reset(tokenOf(await link(user.id, await operator(A()))))).toBe('ok');
  });

  test('is worth nothing once that admin is suspended or demoted', async () => {
    const [one, two] = [await world.user('one', 'admin'), await world.user('two', 'admin')];
    const user = await world.user('edda');
    const tokens = [
      tokenOf(await link(user.id, one.token)),
      tokenOf(await link(user.id, two.token)),
    ];
    await patch(one, { state: 'suspended' });
    await patch(two, { role: 'member' });
    for (const token of tokens) expect(await reset(token)).toBe('not_found');
    expect(await login(user.email, user.password)).toBe('ok');
  });

  test('takes the place of the oldest of five', async () => {
    const user = await world.user('fred');
    const tokens: string[] = [];
    for (let i = 0; i < 6; i += 1) tokens.push(tokenOf(await link(user.id, boss.token)));
    expect(await reset(tokens[0]!)).toBe('not_found');
    expect(await reset(tokens[1]!)).toBe('ok');
  });
});

test('an invitation for an address is mailed there', async () => {
  const email = 'invited@example.com';
  const { body } = await call(A(), `/v1/admin/tenants/${world.tenant.slug}/invites`, {
    token: boss.token,
    body: { email },
  });
  expect(body.mailed).toBe(true);
  const [letter] = await mailbox.receive(email);
  expect(letter!.text.replaceAll(/=\r\n/g, '').replaceAll('=3D', '=')).toContain(body.url);
});

test('where no mail is sent, the answer is the same and nothing is stored', async () => {
  const apart = await World.create();
  const user = await apart.user('hans');
  expect((await forgot(user.email, apart.tenant.slug, nodeA())).status).toBe(202);
  const rows = await query(
    process.env['TEST_CLUSTER_DATABASE_URL']!,
    'SELECT 1 FROM password_resets WHERE user_id = $1',
    [user.id],
  );
  expect(rows).toEqual([]);
});

test('tokens are stored hashed', async () => {
  const user = await world.user('hash');
  await link(user.id, boss.token);
  const rows = await query<{ text: string }>(
    cluster.databaseUrl,
    'SELECT password_resets::text AS text FROM password_resets',
  );
  expect(rows.length).toBeGreaterThan(0);
  for (const { text } of rows) expect(text).not.toContain('wr_pwr_');
});

test.each<[string, object]>([
  ['a made-up token', { token: `wr_pwr_${'x'.repeat(43)}`, new: NEW }],
  ['another kind of code', { token: 'x', new: NEW }],
])('%s is not_found', async (_what, body) => {
  expect(await outcome(A(), '/v1/auth/password/reset', body)).toBe('not_found');
});

test('a short password is refused, and the link lives on', async () => {
  const user = await world.user('gina');
  const token = tokenOf(await link(user.id, boss.token));
  expect(await reset(token, B(), 'short')).toBe('invalid_request');
  expect(await reset(token)).toBe('ok');
});
