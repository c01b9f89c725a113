/**
 * `GET /v1/users` in a tenant of 100,000 people (contract section 8): beginnings of names and
 * addresses that nobody, few and everybody have, by an admin, who reads more than others. The times
 * are those of a client.
 *
 *   node bench/directory/measure.mjs [--people 100000] [--calls 100]
 */
import { parseArgs } from 'node:util';
import pg from 'pg';
import { stopChildren, stopOnSignals } from '../../scripts/lib/children.mjs';
import { freePort } from '../../scripts/stores/machine.mjs';
import { measureCalls } from '../harness/list-calls.mjs';
import { writeReport } from '../harness/machine.mjs';
import { startServer } from '../harness/servers.mjs';
import {
  ADMIN,
  minter,
  nodeCommand,
  nodeEnvironment,
  openWorld,
  tenantId,
  userId,
} from '../seed.mjs';

const BOUND_MS = 50;
const { values } = parseArgs({
  options: {
    people: { type: 'string', default: '100000' },
    calls: { type: 'string', default: '100' },
  },
});
const [people, calls] = [Number(values.people), Number(values.calls)];

/** Names of two words, and addresses that begin like them or like nobody's name. */
const FILL = `
  INSERT INTO users (id, tenant_id, email, name)
  SELECT ('01900000-0000-7009-8000-' || lpad(to_hex(i), 12, '0'))::uuid, $1,
    CASE WHEN i % 2 = 0 THEN 'zoe' ELSE 'mail' END || i || '@example.com',
    CASE WHEN i < 20 THEN 'Rare ' ELSE 'Zoe ' END || i
  FROM generate_series(0, $2 - 1) i`;

stopOnSignals(() => console.error('\nInterrupted.'), 130);
try {
  const world = await openWorld({ log: console.error });
  const client = new pg.Client({ connectionString: world.databaseUrl });
  await client.connect();
  await client.query(`UPDATE users SET role = 'admin' WHERE id = $1`, [userId(ADMIN)]);
  await client.query(FILL, [tenantId, people]);
  await client.query('VACUUM ANALYZE users');
  await client.end();
  const port = await freePort();
  const server = await startServer(
    { ...nodeCommand(), env: nodeEnvironment(world, port) },
    { port, dir: world.dir, name: 'wardroom' },
  );
  const middle = `01900000-0000-7009-8000-${Math.floor(people / 2)
    .toString(16)
    .padStart(12, '0')}`;
  const paths = {
    'first page': '/v1/users',
    'first page, 200 people': '/v1/users?limit=200',
    'a page in the middle': `/v1/users?cursor=name_${middle}`,
    'a name of everybody': '/v1/users?q=zoe',
    'a name of everybody, in the middle': `/v1/users?q=zoe&cursor=name_${middle}`,
    'a rare name': '/v1/users?q=RARE%20',
    'a name of nobody': '/v1/users?q=nobody',
    'an address of half': '/v1/users?q=mail',
    'an address of half, in the middle': `/v1/users?q=mail&cursor=email_${middle.slice(0, -1)}1`,
    'addresses of people who were among the names': `/v1/users?q=zoe&cursor=email_${middle}`,
  };
  const answers = await measureCalls({ port, token: (await minter(world))(ADMIN), paths, calls });
  await server.stop();
  const report = {
    bound_ms: BOUND_MS,
    answers,
  };
  writeReport(
    undefined,
    `node bench/directory/measure.mjs --people ${people} --calls ${calls}`,
    report,
  );
  process.exitCode = answers.some(({ p95_ms: p95 }) => p95 > BOUND_MS) ? 1 : 0;
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await stopChildren();
}
