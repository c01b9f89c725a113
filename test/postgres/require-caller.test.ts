/**
 * The caller is authorized by their rows as they are when they are locked, whatever was true when
 * the statement began.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import type { Config } from '../../src/platform/config/config.js';
import { Database } from '../../src/platform/stores/database.js';
import { lockCaller } from '../../src/sessions/lock-caller.js';
import { migratedDatabase } from '../support/node-process.js';

let database: Database;
let client: pg.Client;
let principal: { tenantId: string; userId: string; sessionId: string };

beforeAll(async () => {
  const databaseUrl = await migratedDatabase();
  database = new Database({ databaseUrl, authorityLeaseMs: 5_000 } as Config);
  client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.onApplicationShutdown();
});

beforeEach(async () => {
  principal = { tenantId: randomUUID(), userId: randomUUID(), sessionId: randomUUID() };
  const { tenantId, userId, sessionId } = principal;
  await client.query(`INSERT INTO tenants (id, slug, name) VALUES ($1, $2, 't')`, [
    tenantId,
    tenantId,
  ]);
  await client.query(
    `INSERT INTO users (id, tenant_id, email, name, role) VALUES ($1, $2, 'u', 'u', 'admin')`,
    [userId, tenantId],
  );
  await client.query(
    `INSERT INTO sessions (id, tenant_id, user_id, user_version, idle_seconds, expires_at, refresh_family, refresh_hash)
     VALUES ($1, $2, $3, 1, 60, now() + interval '1 hour', '', '')`,
    [sessionId, tenantId, userId],
  );
});

const asked = (who = principal) => database.transaction((tx) => lockCaller(tx, who, 'change'));

/** Until another connection waits for a lock. */
async function somebodyWaits(): Promise<void> {
  for (;;)
    if ((await database.pool.query('SELECT 1 FROM pg_locks WHERE NOT granted')).rows.length > 0)
      return;
}

/**
 * The code of the refusal, or the caller's role, when `change` was made but not committed at the
 * time of the call.
 */
async function verdictAfter(change: string, values: unknown[]): Promise<string> {
  await client.query('BEGIN');
  await client.query(change, values);
  const answer = asked().then(
    (caller) => caller.role,
    (error: { code: string }) => error.code,
  );
  await somebodyWaits();
  await client.query('COMMIT');
  return answer;
}

describe('a change that commits while the caller waits for its lock decides', () => {
  test('the tenant is disabled', async () => {
    expect(
      await verdictAfter(`UPDATE tenants SET state = 'disabled' WHERE id = $1`, [
        principal.tenantId,
      ]),
    ).toBe('tenant_disabled');
  });

  test('the caller is suspended', async () => {
    expect(
      await verdictAfter(`UPDATE users SET state = 'suspended' WHERE id = $1`, [principal.userId]),
    ).toBe('user_suspended');
  });

  test('the role is lost', async () => {
    expect(
      await verdictAfter(`UPDATE users SET role = 'member' WHERE id = $1`, [principal.userId]),
    ).toBe('member');
  });

  test('the session ends', async () => {
    const ended = `UPDATE sessions SET ended_at = now(), end_reason = 'session_revoked' WHERE id = $1`;
    expect(await verdictAfter(ended, [principal.sessionId])).toBe('session_revoked');
  });

  test('the session ends in the change that holds the tenant', async () => {
    const both = `WITH t AS (UPDATE tenants SET name = 'other' WHERE id = $1)
      UPDATE sessions SET ended_at = now(), end_reason = 'session_revoked' WHERE tenant_id = $1`;
    expect(await verdictAfter(both, [principal.tenantId])).toBe('session_revoked');
  });
});

test('no tenant, no session, no user, and an expired session have their codes; a guest has no user row', async () => {
  expect(await asked()).toMatchObject({ role: 'admin', userId: principal.userId });
  await expect(asked({ ...principal, tenantId: randomUUID() })).rejects.toMatchObject({
    code: 'tenant_disabled',
  });
  await expect(asked({ ...principal, sessionId: randomUUID() })).rejects.toMatchObject({
    code: 'auth_invalid',
  });
  await client.query('DELETE FROM users WHERE id = $1', [principal.userId]);
  await expect(asked()).rejects.toMatchObject({ code: 'auth_invalid' });
  await client.query('UPDATE sessions SET guest = true WHERE id = $1', [principal.sessionId]);
  expect(await asked()).toMatchObject({ role: 'guest' });
  await client.query(`UPDATE sessions SET expires_at = now() WHERE id = $1`, [principal.sessionId]);
  await expect(asked()).rejects.toMatchObject({ code: 'session_expired' });
});

test('two administrators who act on each other take turns', async () => {
  const other = { ...principal, userId: randomUUID(), sessionId: randomUUID() };
  await client.query(
    `INSERT INTO users (id, tenant_id, email, name, role) VALUES ($1, $2, 'v', 'v', 'admin')`,
    [other.userId, other.tenantId],
  );
  await client.query(
    `INSERT INTO sessions (id, tenant_id, user_id, user_version, idle_seconds, expires_at, refresh_family, refresh_hash)
     VALUES ($1, $2, $3, 1, 60, now() + interval '1 hour', '', '')`,
    [other.sessionId, other.tenantId, other.userId],
  );
  const act = (who: typeof principal, on: string) =>
    database.transaction((tx) => lockCaller(tx, who, 'change', on));
  const acts = Array.from({ length: 20 }, () => [
    act(principal, other.userId),
    act(other, principal.userId),
  ]).flat();
  expect((await Promise.all(acts)).map(({ role }) => role)).toEqual(Array(40).fill('admin'));
});
