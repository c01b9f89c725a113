/**
 * The migration to addresses in one form, of which one knows whether they are proven: on a database
 * of the version before.
 */
import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { migrate } from '../../src/platform/stores/migrate.js';
import { PostgresAccess } from '../../src/platform/stores/postgres-access.js';
import { freshDatabase } from '../support/node-process.js';

const SHIPPED = join(import.meta.dirname, '../../prisma/migrations');
const NAME = '20261130070000_proven_addresses';
const before = mkdtempSync(join(tmpdir(), 'wardroom-migrations-'));
for (const name of readdirSync(SHIPPED).filter((each) => each < NAME))
  cpSync(join(SHIPPED, name), join(before, name), { recursive: true });
afterAll(() => rmSync(before, { recursive: true, force: true }));

let url: string;
let client: pg.Client;
const tenants = [randomUUID(), randomUUID()];

beforeEach(async () => {
  url = await freshDatabase();
  await migrate(new PostgresAccess(url), undefined, before);
  client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const id of tenants)
    await client.query(`INSERT INTO tenants (id, slug, name) VALUES ($1, $2, 'x')`, [
      id,
      `t-${id}`,
    ]);
});
afterEach(() => client?.end());

async function user(
  email: string,
  { tenant = tenants[0], password = null as string | null, linked = false } = {},
): Promise<string> {
  const id = randomUUID();
  await client.query(
    `INSERT INTO users (id, tenant_id, email, name, password_hash) VALUES ($1, $2, $3, 'x', $4)`,
    [id, tenant, email, password],
  );
  if (linked)
    await client.query(
      `INSERT INTO user_links (issuer, subject, tenant_id, user_id) VALUES ('https://issuer', $1, $2, $3)`,
      [id, tenant, id],
    );
  return id;
}
const rows = async () =>
  (
    await client.query(
      'SELECT id, email, email_proven_at IS NOT NULL AS proven FROM users ORDER BY email',
    )
  ).rows;

test('proven are those who came by an issuer and never had a password; addresses are put into their form', async () => {
  const [ada, ben, cleo, dora] = [
    await user('ADA@Example.COM'),
    await user('ben@x.com', { linked: true }),
    await user('cleo@x.com', { linked: true, password: 'hash' }),
    await user('dora@x.com', { password: 'hash' }),
  ];
  // The same address in another tenant is another user.
  const other = await user('ada@example.com', { tenant: tenants[1]! });
  expect(await migrate(new PostgresAccess(url))).toContain(NAME);
  const expected = [
    { id: ada, email: 'ada@example.com', proven: false },
    { id: other, email: 'ada@example.com', proven: false },
    { id: ben, email: 'ben@x.com', proven: true },
    { id: cleo, email: 'cleo@x.com', proven: false },
    { id: dora, email: 'dora@x.com', proven: false },
  ];
  const found = await rows();
  expect(found).toHaveLength(expected.length);
  expect(found).toEqual(expect.arrayContaining(expected));
});

test.each([
  ['case', 'ADA@example.com', 'differ only in how they are written'],
  ['compatibility', 'ａda@example.com', 'differ only in how they are written'],
  ['a domain that DNS does not have', 'eva@bücher.example', 'Write the domain as DNS has it'],
])(
  'users whose addresses collide, or have no form, are named and nothing is changed: %s',
  async (_, address, message) => {
    const ids = [await user('ada@example.com'), await user(address)];
    const refused = migrate(new PostgresAccess(url));
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toThrow(
      message.startsWith('Write') ? ids[1] : [...ids].sort().join(', '),
    );
    expect((await client.query('SELECT email FROM users WHERE id = $1', [ids[1]])).rows).toEqual([
      { email: address },
    ]);
    await client.query('DELETE FROM users WHERE id = $1', [ids[1]]);
    expect(await migrate(new PostgresAccess(url))).toContain(NAME);
  },
);
