/**
 * Issue 4: exactly one record of every authentication event, with who, what, when, where, session
 * hash, tenant, request id.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { RawClient } from '../support/raw-client.js';
import { World, call, nodeA, nodeB, unique, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { auditOf, auditUntil, counts, hashOf, named } from './read.js';
import type { AuditRecord } from './read.js';

let world: World;
let admin: SignedIn;
beforeAll(async () => {
  world = await World.create({ tenant: { allow_registration: true, allow_guests: true } });
  admin = await world.user('admin', 'admin');
});

const UUID = /^[0-9a-f-]{36}$/;
const of = (user: SignedIn, records: AuditRecord[]) =>
  records.filter((record) => record.user_id === user.id);
/** Reading them is a look at the user, which is a record, too. */
const eventsOf = async (user: SignedIn) => {
  const records = await auditOf(world, { user: user.id });
  return counts(records.filter(({ event }) => event !== 'data_read'));
};
const password = async (path: string, user: SignedIn, body: object) =>
  call(nodeA(), path, { token: user.token, body });

describe('a change in Postgres', () => {
  test('has its record when the call is answered: who, what, when, where, session, tenant, request', async () => {
    const before = Date.now();
    const response = await fetch(`${nodeA()}/v1/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        tenant: world.tenant.slug,
        email: `${unique('r')}@example.com`,
        password: 'a-long-password',
      }),
    });
    const { session_id } = (await response.json()) as any;
    const records = (await auditOf(world)).filter(
      (record) => record.request_id === response.headers.get('x-request-id'),
    );
    expect(records.map((record) => record.event)).toEqual([
      'user_created',
      'authn_login_success',
      'session_created',
    ]);
    const user = records[0]!.user_id;
    for (const record of records) {
      expect(record).toMatchObject({
        tenant_id: world.tenant.id,
        actor_id: user,
        user_id: user,
        ip: '127.0.0.1',
      });
      expect(record.chain).toMatch(UUID);
      expect(Date.parse(record.at)).toBeGreaterThanOrEqual(before);
      expect(Date.parse(record.at)).toBeLessThanOrEqual(Date.now());
    }
    expect(records[1]).toMatchObject({
      session_hash: hashOf(session_id),
      detail: { method: 'registration' },
    });
    expect(records[2]).toMatchObject({
      session_hash: hashOf(session_id),
      detail: { transport: 'body', guest: false },
    });
    expect(JSON.stringify(records)).not.toContain(session_id);
  });

  test('is recorded once by the node that made it, on two nodes', async () => {
    const user = await world.user('u');
    await Promise.all([world.login(user, nodeA()), world.login(user, nodeB())]);
    const logins = named(await auditOf(world, { user: user.id }), 'authn_login_success');
    expect(logins).toHaveLength(3);
    expect(new Set(logins.map((record) => record.chain)).size).toBe(2);
    expect(new Set(logins.map((record) => record.session_hash)).size).toBe(3);
  });

  test('that was rolled back has none', async () => {
    const user = await world.user('u');
    const twice = { tenant: world.tenant.slug, email: user.email, password: 'a-long-password' };
    await call(nodeA(), '/v1/auth/register', { body: twice, expect: 409 });
    expect(await eventsOf(user)).toEqual({
      user_created: 1,
      authn_login_success: 1,
      session_created: 1,
    });
  });

  test('of fifty refreshes with one token: fifty records, one of them a rotation', async () => {
    const user = await world.user('u');
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        call(i % 2 === 0 ? nodeA() : nodeB(), '/v1/auth/refresh', {
          body: { refresh_token: user.refresh },
        }),
      ),
    );
    const created = named(await auditOf(world, { user: user.id }), 'authn_token_created');
    expect(created).toHaveLength(50);
    expect(created.filter((record) => record.detail['rotated'] === true)).toHaveLength(1);
    expect(new Set(created.map((record) => record.request_id)).size).toBe(50);
  });

  test('a reused refresh token: the reuse, the end of the session, and each later try', async () => {
    const user = await world.user('u');
    let refresh = user.refresh;
    for (let i = 0; i < 2; i += 1)
      refresh = (await call(nodeA(), '/v1/auth/refresh', { body: { refresh_token: refresh } })).body
        .refresh_token;
    await call(nodeB(), '/v1/auth/refresh', { body: { refresh_token: user.refresh }, expect: 401 });
    await call(nodeA(), '/v1/auth/refresh', { body: { refresh_token: refresh }, expect: 401 });
    const records = await auditOf(world, { user: user.id });
    expect(counts(records)).toMatchObject({
      authn_token_reuse: 1,
      session_expired: 1,
      session_use_after_expire: 1,
    });
    expect(named(records, 'session_expired')[0]).toMatchObject({
      session_hash: hashOf(user.session),
      detail: { reason: 'token_reuse', code: 'token_reuse' },
    });
  });

  test('guests, tickets, passwords and logouts', async () => {
    const user = await world.user('u');
    const others = await Promise.all([world.login(user), world.login(user)]);
    await call(nodeA(), '/v1/auth/ticket', { token: user.token, body: {} });
    await password('/v1/auth/password', user, {
      current: user.password,
      new: 'another-long-password',
    });
    await password('/v1/auth/logout', user, {});
    const records = await auditUntil(world, (all) => named(all, 'authn_token_created').length > 0, {
      user: user.id,
    });
    expect(counts(records)).toMatchObject({
      authn_login_success: 3,
      session_created: 3,
      authn_token_created: 1,
      authn_password_change: 1,
      session_expired: 3,
    });
    const ends = named(records, 'session_expired');
    expect(ends.map((record) => record.detail['reason']).sort()).toEqual([
      'logout',
      'password_change',
      'password_change',
    ]);
    expect(ends.map((record) => record.session_hash).sort()).toEqual(
      [user, ...others].map(({ session }) => hashOf(session)).sort(),
    );
    const guest = (await call(nodeA(), '/v1/auth/guest', { body: { tenant: world.tenant.slug } }))
      .body;
    const entered = (await auditOf(world, { event: 'authn_login_success' })).at(-1)!;
    expect(entered).toMatchObject({
      session_hash: hashOf(guest.session_id),
      detail: { method: 'guest' },
    });
  });

  test('administration: users, roles, suspension, restoring, revocation', async () => {
    const user = await world.user('u');
    const patch = (body: object) =>
      call(nodeB(), `/v1/admin/users/${user.id}`, { method: 'PATCH', token: admin.token, body });
    await patch({ role: 'admin', name: 'Renamed' });
    await patch({ role: 'member' });
    await patch({ state: 'suspended' });
    await patch({ state: 'suspended' });
    await patch({ state: 'active' });
    const again = await world.login(user);
    await call(nodeA(), '/v1/admin/revocations', {
      token: admin.token,
      body: { session: again.session, reason: 'lost device' },
    });
    const records = await auditOf(world, { user: user.id });
    expect(counts(records)).toEqual({
      user_created: 1,
      authn_login_success: 2,
      session_created: 2,
      privilege_permissions_changed: 2,
      user_updated: 1,
      user_suspended: 1,
      user_restored: 1,
      authn_token_revoked: 1,
      session_expired: 2,
    });
    const byAdmin = records.filter((record) => record.actor_id === admin.id);
    expect(byAdmin).toHaveLength(8);
    expect(named(records, 'privilege_permissions_changed').map((record) => record.detail)).toEqual([
      { object: 'tenant', from: 'member', to: 'admin' },
      { object: 'tenant', from: 'admin', to: 'member' },
    ]);
    expect(named(records, 'authn_token_revoked')[0]!.detail).toEqual({
      target: 'session',
      reason: 'lost device',
      sessions: 1,
    });
    expect(named(records, 'session_expired').map((record) => record.detail['reason'])).toEqual([
      'user_suspended',
      'revoked',
    ]);
  });

  test('tenants: made, changed, disabled with the end of each session, restored', async () => {
    const mine = await World.create({ tenant: { allow_guests: true } });
    const user = await mine.user('u');
    await call(nodeA(), '/v1/auth/guest', { body: { tenant: mine.tenant.slug } });
    const patch = (body: object) =>
      call(nodeA(), `/v1/admin/tenants/${mine.tenant.id}`, {
        method: 'PATCH',
        token: mine.operator(),
        body,
      });
    await patch({ allow_guests: false });
    await patch({ state: 'disabled' });
    await patch({ state: 'active' });
    await patch({});
    const records = await auditOf(mine);
    expect(counts(records)).toMatchObject({
      tenant_created: 1,
      tenant_updated: 3,
      session_created: 2,
      session_expired: 2,
    });
    const ends = named(records, 'session_expired');
    expect(ends.map((record) => record.detail['reason'])).toEqual([
      'guests_disallowed',
      'tenant_disabled',
    ]);
    expect(ends[1]).toMatchObject({ user_id: user.id, session_hash: hashOf(user.session) });
    expect(named(records, 'tenant_updated')[1]!.detail).toEqual({
      state: { from: 'active', to: 'disabled' },
    });
  });

  test('rooms: made, joined, moderated, left, changed, closed; nothing when nothing changed', async () => {
    const [owner, guest] = await world.users('owner', 'guest');
    const room = await world.room(owner!, { visibility: 'public' });
    const as = (
      user: SignedIn,
      method: string,
      path: string,
      body: unknown = method === 'DELETE' ? undefined : {},
    ) => call(nodeA(), `/v1/rooms/${room}${path}`, { method, token: user.token, body });
    await as(guest!, 'POST', '/join');
    await as(guest!, 'POST', '/join');
    await as(owner!, 'PATCH', `/members/${guest!.id}`, { role: 'moderator' });
    await as(owner!, 'PATCH', `/members/${guest!.id}`, { role: 'moderator' });
    await as(owner!, 'PATCH', `/members/${guest!.id}`, { banned: true });
    await as(owner!, 'PATCH', '', { posting: 'moderators' });
    await as(owner!, 'PATCH', '', { posting: 'moderators' });
    await as(owner!, 'DELETE', '');
    const records = (await auditOf(world)).filter((record) => record.detail['room'] === room);
    expect(counts(records)).toEqual({
      room_created: 1,
      privilege_permissions_changed: 3,
      room_updated: 1,
      room_deleted: 1,
    });
    const rights = named(records, 'privilege_permissions_changed');
    expect(
      rights.map((record) => [
        record.actor_id,
        record.detail['from'].role,
        record.detail['to'].role,
        record.detail['to'].banned,
      ]),
    ).toEqual([
      [guest!.id, null, 'member', false],
      [owner!.id, 'member', 'moderator', false],
      [owner!.id, 'moderator', 'moderator', true],
    ]);
  });
});

describe('an act that changes nothing in Postgres is recorded within a second', () => {
  test('failed logins: of a known user, and of nobody', async () => {
    const user = await world.user('u');
    const body = { tenant: world.tenant.slug, email: user.email, password: 'wrong-password' };
    await call(nodeA(), '/v1/auth/login', { body, expect: 401 });
    const records = await auditUntil(world, (all) => named(all, 'authn_login_fail').length > 0, {
      user: user.id,
    });
    expect(named(records, 'authn_login_fail')).toHaveLength(1);
    expect(named(records, 'authn_login_fail')[0]).toMatchObject({
      actor_id: null,
      session_hash: null,
      ip: '127.0.0.1',
      detail: { code: 'invalid_credentials' },
    });
    expect(Date.now() - Date.parse(records.at(-1)!.at)).toBeLessThan(5_000);
    expect(JSON.stringify(records)).not.toContain(user.email);
  });

  test('a connection: opened, renewed, closed; one record each, and each names the connection', async () => {
    const user = await world.user('u');
    const socket = await RawClient.live(wsUrl(nodeA()), user.token);
    const { connection_id } = socket.of('hello')[0];
    const { access_token } = (
      await call(nodeB(), '/v1/auth/refresh', { body: { refresh_token: user.refresh } })
    ).body;
    expect(await socket.ask({ type: 'auth_refresh', token: access_token })).toMatchObject({
      type: 'auth_ok',
    });
    expect(await socket.ask({ type: 'auth_refresh', token: 'nonsense' })).toMatchObject({
      type: 'auth_error',
      code: 'auth_invalid',
    });
    socket.close();
    await socket.closed;
    const records = (
      await auditUntil(world, (all) => named(all, 'connection_closed').length > 0)
    ).filter((record) => record.request_id === connection_id);
    expect(counts(records)).toEqual({
      connection_opened: 1,
      connection_renewed: 1,
      connection_refused: 1,
      connection_closed: 1,
    });
    for (const record of records)
      expect(record).toMatchObject({
        user_id: user.id,
        session_hash: hashOf(user.session),
        ip: '127.0.0.1',
      });
    expect(named(records, 'connection_closed')[0]!.detail).toMatchObject({ side: 'client' });
  });

  test('a revoked session: its end, its connections, and every use after it', async () => {
    const user = await world.user('u');
    const sockets = await Promise.all(
      [nodeA(), nodeB()].map((node) => RawClient.live(wsUrl(node), user.token)),
    );
    await call(nodeA(), '/v1/auth/logout', { token: user.token, body: {} });
    await Promise.all(sockets.map((socket) => socket.closed));
    await call(nodeB(), '/v1/me', { token: user.token, expect: 401 });
    await RawClient.open(wsUrl(nodeA()), { token: user.token }).catch(() => undefined);
    const late = await RawClient.open(wsUrl(nodeB()));
    late.send({ type: 'auth', token: user.token });
    await late.closed;
    const records = of(
      user,
      await auditUntil(
        world,
        (all) =>
          named(of(user, all), 'connection_refused').length >= 2 &&
          named(of(user, all), 'connection_closed').length >= 2,
      ),
    );
    expect(counts(records)).toEqual({
      user_created: 1,
      authn_login_success: 1,
      session_created: 1,
      connection_opened: 2,
      session_expired: 1,
      connection_closed: 2,
      session_use_after_expire: 1,
      connection_refused: 2,
    });
    for (const record of named(records, 'connection_closed'))
      expect(record.detail['code']).toBe('session_revoked');
    for (const record of named(records, 'connection_refused'))
      expect(record).toMatchObject({
        session_hash: hashOf(user.session),
        detail: { code: 'session_revoked' },
      });
  });

  test('a denial, with its decision', async () => {
    const [owner, stranger] = await world.users('owner', 'stranger');
    const room = await world.room(owner!);
    const { body } = await call(nodeA(), `/v1/rooms/${room}`, {
      method: 'PATCH',
      token: stranger!.token,
      body: { name: 'x' },
      expect: 404,
    });
    const records = await auditUntil(world, (all) => named(all, 'authz_fail').length > 0, {
      user: stranger!.id,
    });
    const denied = named(records, 'authz_fail');
    expect(denied).toHaveLength(1);
    expect(denied[0]).toMatchObject({
      actor_id: stranger!.id,
      detail: { code: 'not_found', decision: body.decision_id },
    });
  });
});

describe('GET /v1/admin/audit', () => {
  test('shows admins their tenant, and members nothing', async () => {
    const other = await World.create();
    const foreigner = await other.user('foreigner', 'admin');
    const member = await world.user('member');
    const own = await call(nodeA(), '/v1/admin/audit?limit=5', { token: admin.token });
    expect(own.body.items).toHaveLength(5);
    for (const item of own.body.items) expect(item.tenant_id).toBe(world.tenant.id);
    await call(nodeA(), `/v1/admin/audit?tenant=${world.tenant.slug}`, {
      token: foreigner.token,
      expect: 404,
    });
    await call(nodeA(), '/v1/admin/audit', { token: member.token, expect: 403 });
    await call(nodeA(), '/v1/admin/audit?event=nothing', { token: admin.token, expect: 422 });
    await call(nodeA(), `/v1/admin/audit?tenant=${unique('no')}`, {
      token: world.operator(),
      expect: 404,
    });
    const everything = await call(nodeA(), '/v1/admin/audit?limit=1', { token: world.operator() });
    expect(everything.body.next_cursor).toMatch(UUID);
  });
});
