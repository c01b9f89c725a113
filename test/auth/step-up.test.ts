/**
 * In a browser dangerous calls need a password that was given lately (ADR 0041). The sessions here
 * begin with cookies, whose token is mostly presented as a header: that is no way around it. The
 * clock of a session is moved in Postgres.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { startCluster } from '../support/node-process.js';
import { cookieOf } from '../support/sign-in.js';
import { query } from '../support/sql.js';
import { World, call, nodeA, nodeB, unique } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

const ORIGIN = 'https://app.example.com';
const GUESSES = 10;
const database = process.env['TEST_CLUSTER_DATABASE_URL']!;
let world: World;
let admin: SignedIn;
let ben: SignedIn;

beforeAll(async () => {
  world = await World.create({ tenant: { allow_guests: true } });
  admin = await world.user('admin', 'admin');
  ben = await world.user('ben');
});

const cookieLogin = (body: object, base = nodeA()) =>
  call(base, '/v1/auth/login', {
    body: { ...body, transport: 'cookie' },
    headers: { origin: ORIGIN },
  });
interface BrowserSession {
  token: string;
  session: string;
  headers: Headers;
}
async function browse({ email, password }: SignedIn): Promise<BrowserSession> {
  const { headers, body } = await cookieLogin({ tenant: world.tenant.slug, email, password });
  return { token: cookieOf(headers, 'wr_at'), session: body.session_id, headers };
}
/** A new session of the user whose password was given eleven minutes ago. */
async function stale(user: SignedIn): Promise<BrowserSession> {
  const browser = await browse(user);
  await grow(browser.session);
  return browser;
}
const grow = (session: string) =>
  query(
    database,
    `UPDATE sessions SET auth_time = auth_time - interval '11 minutes' WHERE id = $1`,
    [session],
  );
const stepUp = (token: string, password: string, { base = nodeA(), expect = 200 } = {}) =>
  call(base, '/v1/auth/step-up', { token, body: { password }, expect });
const proofOf = async (token: string, base = nodeA()) =>
  (await call(base, '/v1/auth/step-up', { token })).body;
const revokeBen = (token: string, status: number, base = nodeA()) =>
  call(base, '/v1/admin/revocations', {
    token,
    body: { user: ben.id, reason: 'test' },
    expect: status,
  });
const operatorLogin = () =>
  cookieLogin({
    tenant: 'system',
    email: process.env['TEST_OPERATOR_EMAIL'],
    password: process.env['TEST_OPERATOR_PASSWORD'],
  });

describe('a password that was given more than ten minutes ago', () => {
  const DANGEROUS: [string, string, () => string, object | undefined][] = [
    ['revokes no user', 'POST', () => '/v1/admin/revocations', { user: unique('u'), reason: 'x' }],
    ['revokes no tenant', 'POST', () => '/v1/admin/revocations', { tenant: 'x', reason: 'x' }],
    ['withdraws no key', 'POST', () => '/v1/admin/revocations', { key: 'x', reason: 'x' }],
    ['erases no tenant', 'DELETE', () => `/v1/admin/tenants/${unique('none')}`, undefined],
    [
      'disables no tenant',
      'PATCH',
      () => `/v1/admin/tenants/${world.tenant.id}`,
      { state: 'disabled' },
    ],
    [
      'sends no guests away',
      'PATCH',
      () => `/v1/admin/tenants/${world.tenant.id}`,
      { allow_guests: false },
    ],
    [
      'restores no tenant',
      'PATCH',
      () => `/v1/admin/tenants/${world.tenant.id}`,
      { state: 'active' },
    ],
    ['restores nobody', 'PATCH', () => `/v1/admin/users/${ben.id}`, { state: 'active' }],
    [
      'restores no service account',
      'PATCH',
      () => `/v1/admin/tenants/${world.tenant.id}/service-accounts/${ben.id}`,
      { state: 'active' },
    ],
    ['suspends nobody', 'PATCH', () => `/v1/admin/users/${ben.id}`, { state: 'suspended' }],
    ['makes nobody an admin', 'PATCH', () => `/v1/admin/users/${ben.id}`, { role: 'admin' }],
    ['takes nobody a role', 'PATCH', () => `/v1/admin/users/${ben.id}`, { role: 'member' }],
    [
      'makes no new admin',
      'POST',
      () => `/v1/admin/tenants/${world.tenant.id}/users`,
      { email: 'x@example.com', password: 'long enough', name: 'X', role: 'admin' },
    ],
    [
      'hands out no link for a password',
      'POST',
      () => `/v1/admin/users/${ben.id}/password-reset`,
      {},
    ],
    [
      'makes no service key',
      'POST',
      () => `/v1/admin/tenants/${world.tenant.id}/service-accounts/${ben.id}/keys`,
      {},
    ],
    [
      'gives a service account no scopes',
      'PATCH',
      () => `/v1/admin/tenants/${world.tenant.id}/service-accounts/${ben.id}`,
      { scopes: ['rooms'] },
    ],
  ];
  let operator: string;
  beforeAll(async () => {
    const { headers, body } = await operatorLogin();
    await grow(body.session_id);
    operator = cookieOf(headers, 'wr_at');
  });

  test.each(DANGEROUS)('%s', async (_, method, path, body) => {
    const { body: problem, headers } = await call(nodeA(), path(), {
      method,
      token: operator,
      body,
      expect: 403,
    });
    expect(problem).toMatchObject({ code: 'step_up_required', action: 'none' });
    expect(problem.detail).toContain('/v1/auth/step-up');
    expect(headers.get('www-authenticate')).toContain('insufficient_user_authentication');
  });

  test('still ends one session, reads, and changes what takes nothing away', async () => {
    const [{ token }, victim] = [await stale(admin), await world.login(ben)];
    const revocation = { session: victim.session, reason: 'stolen' };
    await call(nodeA(), '/v1/admin/revocations', { token, body: revocation, expect: 200 });
    await call(nodeA(), `/v1/admin/users/${ben.id}`, {
      method: 'PATCH',
      token,
      body: { name: 'Ben' },
      expect: 200,
    });
    await call(nodeA(), '/v1/admin/sessions', { token, expect: 200 });
  });

  test('is recorded in the audit when it was not enough', async () => {
    const late = await stale(admin);
    await revokeBen(late.token, 403);
    const records = await audited('authz_fail');
    expect(records[0]!.detail).toMatchObject({
      rule: 'step_up',
      code: 'step_up_required',
      action: 'post /v1/admin/revocations',
    });
  });
});

/** Newest first, once there is one; they are written within a second. */
async function audited(event: string): Promise<{ detail: Record<string, unknown> }[]> {
  const read = () =>
    query<{ detail: Record<string, unknown> }>(
      database,
      'SELECT detail FROM audit_events WHERE event = $1 AND user_id = $2 ORDER BY at DESC',
      [event, admin.id],
    );
  await eventually(`a record ${event}`, async () => (await read()).length > 0);
  return read();
}

describe('the password once more', () => {
  test('allows the call on every node at once, and to this session only', async () => {
    const [mine, other] = [await stale(admin), await stale(admin)];
    await revokeBen(mine.token, 403, nodeB());
    const { body } = await stepUp(mine.token, admin.password);
    expect(body.expires_in).toBeGreaterThan(590);
    expect(Date.now() - Date.parse(body.auth_time)).toBeLessThan(60_000);
    await revokeBen(mine.token, 200, nodeB());
    expect(await proofOf(mine.token, nodeB())).toMatchObject({ auth_time: body.auth_time });
    await revokeBen(other.token, 403);
    expect(await audited('authn_step_up')).not.toEqual([]);
  });

  test('needs the CSRF proof of the page, when the cookies are sent', async () => {
    const { headers } = await stale(admin);
    const csrf = cookieOf(headers, 'wr_csrf');
    const cookie = `wr_at=${cookieOf(headers, 'wr_at')}; wr_csrf=${csrf}`;
    const send = (path: string, fields: object, expect: number, proof = { 'x-csrf-token': csrf }) =>
      call(nodeA(), path, {
        body: fields,
        headers: { cookie, origin: ORIGIN, ...proof },
        expect,
      });
    const revoke = { user: ben.id, reason: 'test' };
    expect((await send('/v1/admin/revocations', revoke, 403)).body.code).toBe('step_up_required');
    const password = { password: admin.password };
    const forged = await send('/v1/auth/step-up', password, 403, { 'x-csrf-token': 'x' });
    expect(forged.body.code).toBe('csrf_failed');
    await send('/v1/auth/step-up', password, 200);
    await send('/v1/admin/revocations', revoke, 200);
  });

  test('that is wrong renews nothing and is recorded', async () => {
    const late = await stale(admin);
    const { body } = await stepUp(late.token, 'wrong', { expect: 401 });
    expect(body).toMatchObject({ code: 'invalid_credentials', action: 'none' });
    expect(await proofOf(late.token)).toMatchObject({ expires_in: 0 });
    expect((await audited('authn_step_up_fail'))[0]!.detail).toEqual({
      code: 'invalid_credentials',
    });
  });

  test('can be guessed as seldom as at a login, and spends of the same budget', async () => {
    const guessed = await world.user('guessed');
    const { token } = await browse(guessed);
    for (let i = 0; i < GUESSES; i += 1)
      await stepUp(token, `wrong ${i}`, { base: [nodeA(), nodeB()][i % 2]!, expect: 401 });
    const { body } = await stepUp(token, guessed.password, { expect: 429 });
    expect(body).toMatchObject({ code: 'rate_limited', action: 'retry' });
    await call(nodeB(), '/v1/auth/login', {
      body: { tenant: world.tenant.slug, email: guessed.email, password: guessed.password },
      expect: 429,
    });
  });

  test.each(['step-up', 'password'])('is found by no burst of guesses at %s', async (way) => {
    const guessed = await world.user('burst');
    const { token } = await browse(guessed);
    const guess = async (password: string) => {
      const body = way === 'step-up' ? { password } : { current: password, new: guessed.password };
      const { status } = await fetch(`${nodeA()}/v1/auth/${way}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify(body),
      });
      return status;
    };
    const wrong = Array.from({ length: 30 }, (_, i) => guess(`wrong ${i}`));
    const right = guess(guessed.password);
    const answers = await Promise.all(wrong);
    expect(answers.filter((status) => status === 401)).toHaveLength(GUESSES);
    expect(await right).toBe(429);
  });

  test('is refused to a session that has ended', async () => {
    const gone = await world.login(admin);
    await call(nodeA(), '/v1/auth/logout', { token: gone.token, body: {} });
    const { body } = await stepUp(gone.token, admin.password, { expect: 401 });
    expect(body.code).toBe('session_revoked');
  });

  test('is no way for guests, nor for a user who has none', async () => {
    const { body: guest } = await call(nodeA(), '/v1/auth/guest', {
      body: { tenant: world.tenant.slug },
    });
    expect((await stepUp(guest.access_token, 'x', { expect: 403 })).body.code).toBe(
      'guest_read_only',
    );
    const { key } = await serviceKey(['sessions']);
    const { body: theirs } = await call(nodeA(), '/v1/service/sessions', {
      token: key,
      body: { external_id: unique('theirs') },
    });
    expect((await proofOf(theirs.access_token)).auth_time).toBeNull();
    const { body } = await stepUp(theirs.access_token, 'x', { expect: 401 });
    expect(body.detail).toContain('no password');
  });
});

async function serviceKey(scopes: string[]): Promise<{ key: string }> {
  const { token } = await world.login(admin);
  const path = `/v1/admin/tenants/${world.tenant.id}/service-accounts`;
  const { body } = await call(nodeA(), path, { token, body: { name: 'shop', scopes } });
  return (await call(nodeA(), `${path}/${body.id}/keys`, { token, body: {} })).body;
}

describe('a proof', () => {
  test('is every sign-in with a password and every change of it, but no refresh', async () => {
    const user = await world.user('fresh');
    const { token, session, headers } = await browse(user);
    expect((await proofOf(token)).expires_in).toBeGreaterThan(590);
    await grow(session);
    const csrf = cookieOf(headers, 'wr_csrf');
    const refreshed = await call(nodeA(), '/v1/auth/refresh', {
      body: {},
      headers: {
        cookie: `wr_rt=${cookieOf(headers, 'wr_rt')}; wr_csrf=${csrf}`,
        origin: ORIGIN,
        'x-csrf-token': csrf,
      },
    });
    const next = cookieOf(refreshed.headers, 'wr_at');
    expect((await proofOf(next)).expires_in).toBe(0);
    await call(nodeA(), '/v1/auth/password', {
      token: next,
      body: { current: user.password, new: 'another long one' },
    });
    expect((await proofOf(next)).expires_in).toBeGreaterThan(590);
  });

  test('is not asked of a program, whose tokens came in the body', async () => {
    const { token, session } = await world.login(admin);
    await query(database, 'UPDATE sessions SET auth_time = NULL WHERE id = $1', [session]);
    await revokeBen(token, 200);
    expect(await proofOf(token)).toEqual({ auth_time: null, expires_in: null });
  });

  test('is not asked of a service account: its scopes bound it', async () => {
    const { key } = await serviceKey(['revoke']);
    await revokeBen(key, 200);
    const { body } = await stepUp(key, 'x', { expect: 403 });
    expect(body.code).toBe('scope_required');
  });

  test('is not asked of anybody where STEP_UP_SECONDS is 0', async () => {
    const { nodes, databaseUrl } = await startCluster(1, {
      STEP_UP_SECONDS: '0',
      ALLOWED_ORIGINS: ORIGIN,
    });
    const base = nodes[0]!.url;
    const lax = await World.create({ base });
    const { id, email, password } = await lax.user('admin', 'admin');
    const login = { tenant: lax.tenant.slug, email, password };
    const { headers, body } = await cookieLogin(login, base);
    const token = cookieOf(headers, 'wr_at');
    await query(databaseUrl, 'UPDATE sessions SET auth_time = NULL WHERE id = $1', [
      body.session_id,
    ]);
    expect(await proofOf(token, base)).toEqual({ auth_time: null, expires_in: null });
    await call(base, '/v1/admin/revocations', {
      token,
      body: { user: id, reason: 'test' },
      expect: 200,
    });
  });
});
