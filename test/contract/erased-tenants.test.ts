/** A tenant is deleted: disabled first, gone at once, erased in batches (contract section 10). */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { startCluster, startNode } from '../support/node-process.js';
import { query } from '../support/sql.js';
import { World, call, nodeA, nodeB, operator, unique } from '../support/world.js';
import type { CallOptions, SignedIn } from '../support/world.js';

const DATABASE = process.env['TEST_CLUSTER_DATABASE_URL']!;
const TABLES = ['users', 'sessions', 'rooms', 'members', 'room_events', 'reactions', 'user_links'];
let root: string;

beforeAll(async () => {
  root = await operator();
});

const erase = (ref: string, options: CallOptions = {}, base = nodeA()) =>
  call(base, `/v1/admin/tenants/${ref}`, { method: 'DELETE', token: root, ...options });
const disable = (ref: string) =>
  call(nodeA(), `/v1/admin/tenants/${ref}`, {
    method: 'PATCH',
    token: root,
    body: { state: 'disabled' },
  });
const isErased = (id: string, base = nodeA()) =>
  eventually(`tenant ${id} is erased`, () =>
    erase(id, { expect: 404 }, base).then(
      () => true,
      () => false,
    ),
  );

/** A tenant with something in every table. */
async function lived(): Promise<{ world: World; ada: SignedIn; rooms: string[] }> {
  const world = await World.create();
  const [ada, ben] = await world.users('ada', 'ben');
  const rooms = [await world.room(ada!, {}, [[ben!, 'member']]), await world.room(ben!)];
  for (const text of ['one', 'two']) {
    await call(nodeA(), `/v1/rooms/${rooms[0]}/messages`, {
      token: ada!.token,
      body: { body: text },
    });
  }
  await call(nodeA(), `/v1/rooms/${rooms[1]}`, { method: 'DELETE', token: ben!.token });
  await query(
    DATABASE,
    `INSERT INTO reactions (message_id, user_id, emoji, room_id, reaction_on, seq)
     SELECT message_id, $2, '+', room_id, true, 1 FROM room_events WHERE room_id = $1`,
    [rooms[0], ada!.id],
  );
  await query(
    DATABASE,
    `INSERT INTO user_links (issuer, subject, tenant_id, user_id) VALUES ($1, 'ada', $2, $3)`,
    [unique('issuer'), world.tenant.id, ada!.id],
  );
  return { world, ada: ada!, rooms };
}

async function rowsOf(tenant: string, rooms: string[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of TABLES) {
    const ofRoom = ['members', 'room_events', 'reactions'].includes(table);
    const [column, value] = ofRoom ? ['room_id', rooms] : ['tenant_id', [tenant]];
    const [row] = await query<{ n: number }>(
      DATABASE,
      `SELECT count(*)::int AS n FROM ${table} WHERE ${column} = ANY($1::uuid[])`,
      [value],
    );
    counts[table] = row!.n;
  }
  return counts;
}

describe('DELETE /v1/admin/tenants/{tenant}', () => {
  test('is for operators, for another tenant than theirs, and for a disabled one', async () => {
    const world = await World.create();
    const admin = await world.user('admin', 'admin');
    for (const ref of [world.tenant.id, randomUUID()])
      expect((await erase(ref, { token: admin.token, expect: 403 })).body.code).toBe(
        'role_required',
      );
    expect((await erase('system', { expect: 403 })).body.code).toBe('role_required');
    expect((await erase(randomUUID(), { expect: 404 })).body.code).toBe('not_found');
    expect((await erase(unique('no'), { expect: 404 })).body.code).toBe('not_found');
    expect((await erase(world.tenant.slug, { expect: 422 })).body).toMatchObject({
      code: 'invalid_request',
      errors: [{ path: 'tenant', message: 'has to be disabled first' }],
    });
    await call(nodeB(), '/v1/me', { token: admin.token });
  });

  test('answers 202, erases every row, then answers 404 on every node', async () => {
    const { world, rooms } = await lived();
    const { id, slug } = world.tenant;
    expect(Object.values(await rowsOf(id, rooms)).every((count) => count > 0)).toBe(true);
    await disable(id);
    expect((await erase(slug, { expect: 202 })).body).toEqual({ id, state: 'erasing' });
    await isErased(id, nodeB());
    expect(await rowsOf(id, rooms)).toEqual(Object.fromEntries(TABLES.map((table) => [table, 0])));
    expect((await erase(id, { expect: 404 })).body.code).toBe('not_found');
  });

  test('is final at once: the tenant is in no list, cannot be restored, and its name is free', async () => {
    const { world, ada } = await lived();
    const { id, slug } = world.tenant;
    await disable(id);
    await erase(id, { expect: 202 });
    const admin = (path: string, options: CallOptions) =>
      call(nodeB(), `/v1/admin/tenants${path}`, { token: root, ...options });
    const patch = { method: 'PATCH', body: { state: 'active' }, expect: 404 };
    expect((await admin(`/${id}`, patch)).body.code).toBe('not_found');
    expect((await admin(`/${id}/users`, { expect: 404 })).body.code).toBe('not_found');
    const user = { email: 'a@example.com', password: 'password', name: 'a' };
    expect((await admin(`/${id}/users`, { body: user, expect: 404 })).body.code).toBe('not_found');
    const listed: string[] = [];
    for (let cursor = ''; ;) {
      const { body } = await admin(`?limit=200${cursor}`, {});
      listed.push(...body.items.map((tenant: { id: string }) => tenant.id));
      if (body.next_cursor === null) break;
      cursor = `&cursor=${body.next_cursor}`;
    }
    expect(listed).not.toContain(id);
    const again = await admin('', { body: { slug, name: 'Again' }, expect: 201 });
    expect(again.body.id).not.toBe(id);
    const login = { tenant: id, email: ada.email, password: ada.password };
    expect((await call(nodeB(), '/v1/auth/login', { body: login, expect: 401 })).body.code).toBe(
      'invalid_credentials',
    );
  });

  test('leaves its tokens dead, and its audit readable, with who deleted it', async () => {
    const { world, ada } = await lived();
    const { id, slug } = world.tenant;
    await disable(id);
    await erase(id);
    await isErased(id);
    for (const base of [nodeA(), nodeB()]) {
      const me = await call(base, '/v1/me', { token: ada.token, expect: 401 });
      expect(me.body.code).toBe('tenant_disabled');
    }
    const audit = `/v1/admin/audit?event=tenant_erased&tenant=${id}`;
    const { body } = await call(nodeA(), audit, { token: root });
    expect(body.items).toEqual([
      expect.objectContaining({ tenant_id: id, actor_id: expect.any(String), detail: { slug } }),
    ]);
  });

  test('keeps its tokens dead on a node that starts when everything is erased', async () => {
    const env = {
      BOOTSTRAP_OPERATOR_EMAIL: 'operator@system.test',
      BOOTSTRAP_OPERATOR_PASSWORD: unique('password-of-the-operator'),
    };
    const cluster = await startCluster(1, env);
    const { url } = cluster.nodes[0]!;
    const signIn = (tenant: string, email: string, password: string) =>
      call(url, '/v1/auth/login', { body: { tenant, email, password } });
    const { BOOTSTRAP_OPERATOR_EMAIL: email, BOOTSTRAP_OPERATOR_PASSWORD: password } = env;
    const token = (await signIn('system', email, password)).body.access_token;
    const admin = (method: string, path: string, body?: object) =>
      call(url, `/v1/admin/tenants${path}`, { method, token, ...(body ? { body } : {}) });
    const { id } = (await admin('POST', '', { slug: 'acme', name: 'Acme' })).body;
    const ada = { email: 'ada@example.com', password: 'password of ada', name: 'ada' };
    await admin('POST', `/${id}/users`, ada);
    const adas = (await signIn('acme', ada.email, ada.password)).body.access_token;
    await admin('PATCH', `/${id}`, { state: 'disabled' });
    await admin('DELETE', `/${id}`);
    await eventually('acme is erased', () =>
      call(url, `/v1/admin/tenants/${id}`, { method: 'DELETE', token, expect: 404 }).then(
        () => true,
        () => false,
      ),
    );
    const late = await startNode(cluster.env);
    const me = await call(late.url, '/v1/me', { token: adas, expect: 401 });
    expect(me.body.code).toBe('tenant_disabled');
  });
});
