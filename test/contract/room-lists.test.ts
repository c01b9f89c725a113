/**
 * F8: a page of rooms costs a page, whatever others have. Judged by what the statement of the
 * service reads, not by a clock.
 */
import { beforeAll, expect, test } from '@jest/globals';
import type { Database } from '../../src/platform/stores/database.js';
import { Prisma } from '../../src/platform/generated/client.js';
import type { Decisions } from '../../src/policy/decisions.js';
import { Rooms } from '../../src/rooms/rooms.js';
import { startCluster } from '../support/node-process.js';
import { World, call } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { withPostgres } from '../support/sql.js';

const OTHERS = process.env['SECURITY'] === 'full' ? 150_000 : 30_000;
const LIMIT = 20;
/**
 * Rows that a page may read: of each of three ways in a page, each of those again with what is
 * shown of it, and small tables that the planner reads whole.
 */
const ROWS_MAX = 20 * (LIMIT + 1);

interface PlanNode {
  'Node Type': string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Join Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: PlanNode[];
}

let databaseUrl: string;
let world: World;
let member: SignedIn;
let admin: SignedIn;
let guest: { id: string };

beforeAll(async () => {
  const cluster = await startCluster(1);
  databaseUrl = cluster.databaseUrl;
  const base = cluster.nodes[0]!.url;
  world = await World.create({ base, tenant: { allow_guests: true } });
  [member, admin] = [await world.user('u'), await world.user('admin', 'admin')];
  const { access_token: token } = (
    await call(base, '/v1/auth/guest', { body: { tenant: world.tenant.slug } })
  ).body;
  guest = { id: (await call(base, '/v1/me', { token })).body.user_id };
  for (let i = 0; i < 3; i += 1)
    await world.room(member, { visibility: i === 0 ? 'public' : 'private' });
  await withPostgres(databaseUrl, (client) =>
    client.query(
      `INSERT INTO rooms (id, tenant_id, name, visibility, created_by) SELECT gen_random_uuid(), $1, 'r', 'private', $2 FROM generate_series(1, $3)`,
      [world.tenant.id, admin.id, OTHERS],
    ),
  );
}, 120_000);

/** The query of the service for a page, caught on its way. */
async function statementOf(userId: string): Promise<Prisma.Sql> {
  let caught: Prisma.Sql | null = null;
  const prisma = {
    $queryRaw: async (strings: TemplateStringsArray, ...values: unknown[]) => {
      caught = Prisma.sql(strings, ...(values as Prisma.Sql[]));
      return [];
    },
  };
  const rooms = new Rooms({ prisma } as unknown as Database, {} as Decisions);
  const principal = { userId, tenantId: world.tenant.id, sessionId: userId, tokenEndsAtMs: 0 };
  await rooms.list(principal, { limit: LIMIT });
  return caught!;
}

/** Rows that scans and joins touched, kept or not. */
function rowsOf(node: PlanNode): number {
  const removed =
    (node['Rows Removed by Filter'] ?? 0) +
    (node['Rows Removed by Join Filter'] ?? 0) +
    (node['Rows Removed by Index Recheck'] ?? 0);
  const own = /Scan/.test(node['Node Type']) ? node['Actual Rows'] + removed : removed;
  return (
    own * node['Actual Loops'] + (node.Plans ?? []).reduce((sum, child) => sum + rowsOf(child), 0)
  );
}

const rowsRead = ({ text, values }: Prisma.Sql): Promise<number> =>
  withPostgres(databaseUrl, async (client) => {
    const { rows } = await client.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
      `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
      values,
    );
    return rowsOf(rows[0]!['QUERY PLAN'][0]!.Plan);
  });

test.each(['before', 'after'])(
  `a member, a guest and an admin read no more than ${ROWS_MAX} rows for a page beside ${OTHERS} private rooms, %s ANALYZE`,
  async (when) => {
    if (when === 'after') await withPostgres(databaseUrl, (client) => client.query('ANALYZE'));
    for (const [who, { id }] of Object.entries({ member, guest, admin })) {
      const rows = await rowsRead(await statementOf(id));
      console.log(`${who}: ${rows} rows`);
      expect(rows).toBeLessThanOrEqual(ROWS_MAX);
    }
  },
);
