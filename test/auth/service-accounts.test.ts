/**
 * Backends without a person's password (contract section 9): keys that are sessions, scopes, acting
 * as a user, sessions for users of another system; each ends with a receipt, on both nodes.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { RawClient } from '../support/raw-client.js';
import { World, call, nodeA, nodeB, operator, unique, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

const NODES = [nodeA(), nodeB()];
const ALL = ['rooms', 'members', 'messages', 'users', 'sessions', 'revoke', 'act_as'];
let world: World;
let admin: SignedIn;
let ada: SignedIn;
let ben: SignedIn;
let room: string;

beforeAll(async () => {
  world = await World.create();
  admin = await world.user('admin', 'admin');
  [ada, ben] = (await world.users('ada', 'ben')) as [SignedIn, SignedIn];
  room = await world.room(ada);
});

const accounts = () => `/v1/admin/tenants/${world.tenant.id}/service-accounts`;
async function account(scopes = ALL): Promise<{ id: string; key: string; keyId: string }> {
  const { body } = await call(nodeA(), accounts(), {
    token: admin.token,
    body: { name: 'shop', scopes },
  });
  return { id: body.id, ...(await newKey(body.id)) };
}
async function newKey(id: string, body: object = {}): Promise<{ key: string; keyId: string }> {
  const made = await call(nodeA(), `${accounts()}/${id}/keys`, { token: admin.token, body });
  return { key: made.body.key, keyId: made.body.key_id };
}
const refusal = async (base: string, path: string, key: string, expect: number, body?: object) =>
  (await call(base, path, { token: key, expect, ...(body === undefined ? {} : { body }) })).body
    .code;
const publish = (key: string, base = nodeA(), headers: Record<string, string> = {}) =>
  call(base, `/v1/rooms/${room}/messages`, { token: key, body: { body: 'x' }, headers });

describe('a key', () => {
  test('publishes, lists and reads on every node, and counts as owner of rooms but direct ones', async () => {
    const { key } = await account();
    for (const base of NODES) {
      await publish(key, base);
      const { body } = await call(base, `/v1/rooms/${room}`, { token: key });
      expect(body.role).toBe('owner');
    }
    const direct = await call(nodeA(), '/v1/rooms', {
      token: ada.token,
      body: { visibility: 'direct', members: [ben.id] },
    });
    expect(await refusal(nodeA(), `/v1/rooms/${direct.body.id}`, key, 404)).toBe('not_found');
  });

  test('is shown once, and is listed, audited and found nowhere else', async () => {
    const { id, key, keyId } = await account();
    const { body } = await call(nodeB(), accounts(), { token: admin.token });
    const mine = body.items.find((item: { id: string }) => item.id === id);
    expect(mine).toMatchObject({ scopes: [...ALL].sort(), keys: [{ key_id: keyId }] });
    expect(JSON.stringify(body)).not.toContain(key);
    const audit = await call(nodeA(), `/v1/admin/audit?user=${id}`, {
      token: await operator(),
    });
    expect(audit.body.items.map((item: { event: string }) => item.event)).toEqual(
      expect.arrayContaining(['user_created', 'session_created']),
    );
  });

  test('is refused on every node from its receipt on, with its tokens, tickets and connections', async () => {
    const { id, key, keyId } = await account();
    const { body: minted } = await call(nodeA(), '/v1/auth/token', {
      token: key,
      body: { grant_type: 'client_credentials' },
    });
    expect(minted).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: expect.any(Number),
    });
    const client = await RawClient.live(wsUrl(nodeB()), minted.access_token);
    await client.subscribe(room);
    expect((await client.publish(room, 'by a backend')).type).toBe('ack');
    const { body: receipt } = await call(nodeA(), `${accounts()}/${id}/keys/${keyId}`, {
      method: 'DELETE',
      token: admin.token,
    });
    expect(receipt).toMatchObject({ effective: true, sessions: 1 });
    expect(await client.closed).toMatchObject({ reason: { code: 'session_revoked' } });
    for (const base of NODES)
      for (const token of [key, minted.access_token])
        expect(await refusal(base, '/v1/me', token, 401)).toBe('session_revoked');
    await expect(
      RawClient.open(wsUrl(nodeA()), { token: minted.access_token }),
    ).rejects.toMatchObject({ status: 401 });
  });

  test('opens a WebSocket by a ticket that lives no longer than an access token', async () => {
    const { key } = await account();
    const { body } = await call(nodeA(), '/v1/auth/ticket', { token: key, body: {} });
    const client = await RawClient.open(`${wsUrl(nodeB())}?ticket=${body.ticket}`);
    const { expires_in_ms } = await client.next('auth_ok');
    expect(expires_in_ms).toBeLessThan(901_000);
    client.close();
  });

  test('that is no key, or of another form, is auth_invalid; a WebSocket takes none itself', async () => {
    const { key } = await account();
    for (const wrong of [
      `${key}x`,
      `${key.slice(0, -3)}abc`,
      'wr_sk_',
      `wr_sk_${randomBytes(57).toString('base64url')}`,
    ])
      expect(await refusal(nodeA(), '/v1/me', wrong, 401)).toBe('auth_invalid');
    await expect(RawClient.open(wsUrl(nodeA()), { token: key })).rejects.toMatchObject({
      status: 401,
    });
  });

  test('ends by its own date; an account has at most 20', async () => {
    const { id } = await account();
    for (let i = 1; i < 20; i += 1) await newKey(id, { expires_in: 60 });
    const path = `${accounts()}/${id}/keys`;
    expect(await refusal(nodeA(), path, admin.token, 409, {})).toBe('quota_exceeded');
    expect(await refusal(nodeA(), path, admin.token, 422, { expires_in: 59 })).toBe(
      'invalid_request',
    );
  });
});

describe('an account', () => {
  test('is made by admins of its tenant and operators, and by nobody else', async () => {
    const body = { name: 'x', scopes: ['rooms'] };
    const { key } = await account();
    for (const token of [ada.token, (await (await World.create()).user('a', 'admin')).token])
      expect(['role_required', 'not_found']).toContain(
        (await call(nodeA(), accounts(), { token, body, expect: token === ada.token ? 403 : 404 }))
          .body.code,
      );
    expect(await refusal(nodeA(), accounts(), key, 403, body)).toBe('scope_required');
    await call(nodeA(), accounts(), { token: await operator(), body, expect: 201 });
    expect(
      await refusal(nodeA(), accounts(), admin.token, 422, { name: 'x', scopes: ['everything'] }),
    ).toBe('invalid_request');
  });

  test('that is suspended is refused everywhere from the receipt on, until it is restored with a new key', async () => {
    const { id, key } = await account();
    const change = (state: string) =>
      call(nodeA(), `${accounts()}/${id}`, {
        method: 'PATCH',
        token: admin.token,
        body: { state },
      });
    expect((await change('suspended')).body.receipt).toMatchObject({ effective: true });
    for (const base of NODES)
      expect(await refusal(base, '/v1/me', key, 401)).toBe('user_suspended');
    await change('active');
    await publish((await newKey(id)).key);
  });

  test('is no person: it is in no list of users, is changed as none, and joins no room as a member', async () => {
    const { id } = await account();
    const { body } = await call(nodeA(), `/v1/admin/tenants/${world.tenant.id}/users?limit=200`, {
      token: admin.token,
    });
    expect(body.items.map((user: { id: string }) => user.id)).not.toContain(id);
    const { body: people } = await call(nodeA(), '/v1/users?limit=200', { token: ada.token });
    expect(people.items.map((user: { id: string }) => user.id)).not.toContain(id);
    const { body: sender } = await call(nodeA(), `/v1/users/${id}`, { token: ada.token });
    expect(sender).toMatchObject({ id, name: 'shop' });
    const changed = await call(nodeA(), `/v1/admin/users/${id}`, {
      method: 'PATCH',
      token: admin.token,
      body: { role: 'admin' },
      expect: 404,
    });
    expect(changed.body.code).toBe('not_found');
    expect(await refusal(nodeA(), `/v1/rooms/${room}/members`, ada.token, 404, { user: id })).toBe(
      'not_found',
    );
  });
});

describe('scopes', () => {
  test.each<[string, string, string, object | undefined]>([
    ['rooms', 'POST', '/v1/rooms', { name: 'r', visibility: 'public' }],
    ['members', 'GET', '/v1/rooms/ROOM/members', undefined],
    ['messages', 'POST', '/v1/rooms/ROOM/messages', { body: 'x' }],
    ['users', 'GET', '/v1/admin/tenants/TENANT/users', undefined],
    ['sessions', 'POST', '/v1/service/sessions', { external_id: 'scope-test' }],
    ['revoke', 'POST', '/v1/admin/revocations', { user: 'ADA', reason: 'test' }],
  ])('%s opens %s %s, and every other scope leaves it shut', async (scope, method, path, body) => {
    const fill = (text: string) =>
      text
        .replace('ROOM', room)
        .replace('TENANT', world.tenant.id)
        .replace('ADA', (scope === 'revoke' ? ben : ada).id);
    const ask = async (key: string) => {
      const response = await fetch(nodeA() + fill(path), {
        method,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: fill(JSON.stringify(body)) }),
      });
      return [response.status, ((await response.json()) as { code?: string }).code];
    };
    const others = await account(ALL.filter((one) => one !== scope));
    expect(await ask(others.key)).toEqual([403, 'scope_required']);
    const [status] = await ask((await account([scope])).key);
    expect(status).toBeLessThan(300);
  });

  test('that are taken away hold on living connections and keys from the receipt on', async () => {
    const { id, key } = await account(['messages', 'rooms']);
    const { body } = await call(nodeA(), '/v1/auth/token', {
      token: key,
      body: { grant_type: 'client_credentials' },
    });
    const client = await RawClient.live(wsUrl(nodeB()), body.access_token);
    await client.subscribe(room);
    const { body: own } = await call(nodeA(), '/v1/rooms', {
      token: key,
      body: { name: 'own', visibility: 'private' },
    });
    expect(await client.ask({ type: 'watch' })).toMatchObject({ rooms: 1 });
    const { body: changed } = await call(nodeA(), `${accounts()}/${id}`, {
      method: 'PATCH',
      token: admin.token,
      body: { scopes: ['rooms'] },
    });
    expect(changed).toMatchObject({
      service_account: { scopes: ['rooms'] },
      receipt: { effective: true },
    });
    expect(await client.next('unsubscribed')).toMatchObject({ room, code: 'removed' });
    expect(await client.next('rooms_changed', undefined, 0)).toMatchObject({
      room: own.id,
      change: 'removed',
    });
    expect((await client.ask({ type: 'watch' })).code).toBe('scope_required');
    expect((await client.publish(room, 'late')).code).toBe('scope_required');
    expect((await client.subscribe(room)).code).toBe('scope_required');
    for (const base of NODES)
      expect(await refusal(base, `/v1/rooms/${room}/messages`, key, 403, { body: 'late' })).toBe(
        'scope_required',
      );
    client.close();
  });

  test('never reach what is above a member: no admin is made, suspended or renamed', async () => {
    const { key } = await account(['users']);
    const users = `/v1/admin/tenants/${world.tenant.id}/users`;
    const person = (role: string) => ({
      email: `${unique('p')}@example.com`,
      password: 'a-long-password',
      name: 'p',
      role,
    });
    await call(nodeA(), users, { token: key, body: person('member'), expect: 201 });
    expect(await refusal(nodeA(), users, key, 403, person('admin'))).toBe('role_required');
    const { body } = await call(nodeA(), `/v1/admin/users/${admin.id}`, {
      method: 'PATCH',
      token: key,
      body: { state: 'suspended' },
      expect: 403,
    });
    expect(body.code).toBe('role_required');
    for (const path of [
      '/v1/admin/tenants',
      '/v1/admin/audit',
      '/v1/admin/keys',
      '/v1/auth/sessions',
    ])
      expect(await refusal(nodeA(), path, key, 403)).toBe('scope_required');
  });
});

describe('Wardroom-Act-As', () => {
  const as = (user: string) => ({ 'wardroom-act-as': user });

  test('judges the user, stores them as sender, and the audit names both', async () => {
    const { id, key } = await account();
    const { body: sent } = await publish(key, nodeB(), as(ada.id));
    const { body: stored } = await call(nodeA(), `/v1/rooms/${room}/messages/${sent.message_id}`, {
      token: ada.token,
    });
    expect(stored.sender).toBe(ada.id);
    const refused = await call(nodeA(), `/v1/rooms/${room}/messages`, {
      token: key,
      body: { body: 'x' },
      headers: as(ben.id),
      expect: 404,
    });
    expect(refused.body.code).toBe('not_found');
    await call(nodeA(), `/v1/rooms/${room}`, {
      method: 'PATCH',
      token: key,
      body: { archived: false, topic: unique('topic') },
      headers: as(ada.id),
    });
    const audit = await call(nodeA(), `/v1/admin/audit?tenant=${world.tenant.id}`, {
      token: await operator(),
    });
    expect(audit.body.items).toContainEqual(
      expect.objectContaining({
        event: 'room_updated',
        actor_id: id,
        detail: expect.objectContaining({ as: ada.id }),
      }),
    );
  });

  test('of a suspended user, a stranger, an account, or without the scope is refused, and nothing is stored', async () => {
    const { id, key } = await account();
    const [gone] = await world.users('gone');
    await call(nodeA(), `/v1/rooms/${room}/members`, {
      token: ada.token,
      body: { user: gone!.id },
    });
    await publish(key, nodeA(), as(gone!.id));
    await call(nodeA(), `/v1/admin/users/${gone!.id}`, {
      method: 'PATCH',
      token: admin.token,
      body: { state: 'suspended' },
    });
    const { body: before } = await call(nodeA(), `/v1/rooms/${room}`, { token: ada.token });
    const attempt = async (token: string, user: string, expect: number) =>
      (
        await call(nodeB(), `/v1/rooms/${room}/messages`, {
          token,
          body: { body: 'x' },
          headers: as(user),
          expect,
        })
      ).body.code;
    for (const user of [gone!.id, randomUUID(), id, 'external:nobody', 'nonsense'])
      expect(await attempt(key, user, 404)).toBe('not_found');
    const { key: weak } = await account(['messages']);
    expect(await attempt(weak, ada.id, 403)).toBe('scope_required');
    expect(await attempt(ada.token, ben.id, 403)).toBe('scope_required');
    const { body: after } = await call(nodeA(), `/v1/rooms/${room}`, { token: ada.token });
    expect(after.seq).toBe(before.seq);
  });
});

describe('sessions for users of another system', () => {
  const open = (key: string, body: object, base = nodeA()) =>
    call(base, '/v1/service/sessions', { token: key, body });

  test('are opened by external id: the user is made once, also by calls at the same time', async () => {
    const { key } = await account(['sessions']);
    const external = unique('customer');
    const opened = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        open(key, { external_id: external, name: 'Cleo' }, NODES[i % 2]),
      ),
    );
    const users = await Promise.all(
      opened.map(
        async ({ body }) =>
          (await call(nodeA(), '/v1/me', { token: body.access_token })).body.user_id,
      ),
    );
    expect(new Set(users).size).toBe(1);
    const { body: me } = await call(nodeB(), '/v1/me', {
      token: opened[0]!.body.access_token,
    });
    expect(me).toMatchObject({ role: 'member', name: 'Cleo', tenant_id: world.tenant.id });
    await call(nodeA(), '/v1/auth/refresh', {
      body: { refresh_token: opened[0]!.body.refresh_token },
    });
  });

  test('end with a receipt, on both nodes, with their connections', async () => {
    const { key } = await account(['sessions', 'act_as', 'messages']);
    const external = unique('customer');
    const { body } = await open(key, { external_id: external });
    const client = await RawClient.live(wsUrl(nodeB()), body.access_token);
    const { body: receipt } = await call(nodeA(), '/v1/service/sessions/revoke', {
      token: key,
      body: { external_id: external },
    });
    expect(receipt).toMatchObject({ effective: true, sessions: 1 });
    expect(await client.closed).toMatchObject({ reason: { code: 'session_revoked' } });
    for (const base of NODES)
      expect(await refusal(base, '/v1/me', body.access_token, 401)).toBe('session_revoked');
  });

  test('of a suspended user, an operator, a stranger or both ways at once are refused', async () => {
    const { key } = await account(['sessions']);
    const [gone] = await world.users('gone');
    await call(nodeA(), `/v1/admin/users/${gone!.id}`, {
      method: 'PATCH',
      token: admin.token,
      body: { state: 'suspended' },
    });
    const path = '/v1/service/sessions';
    const stranger = await (await World.create()).user('stranger');
    expect(await refusal(nodeA(), path, key, 401, { user: gone!.id })).toBe('user_suspended');
    expect(await refusal(nodeA(), path, key, 404, { user: stranger.id })).toBe('not_found');
    expect(await refusal(nodeA(), path, key, 422, { user: ada.id, external_id: 'x' })).toBe(
      'invalid_request',
    );
    expect(await refusal(nodeA(), path, key, 422, {})).toBe('invalid_request');
    expect(await refusal(nodeA(), path, admin.token, 403, { user: ada.id })).toBe('scope_required');
  });
});
