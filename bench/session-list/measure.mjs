/**
 * `GET /v1/admin/sessions` over a million sessions (contract section 10): the first page, a page in
 * the middle, and every filter, alone and together, asked in turns of one real node. The
 * times are those of a client: request, answer and everything between. Nothing else does the same,
 * so this is no question of `npm run bench`.
 *
 *   node bench/session-list/measure.mjs [--sessions 1000000] [--calls 100] [--out FILE]
 */
import { parseArgs } from 'node:util';
import pg from 'pg';
import { stopChildren, stopOnSignals } from '../../scripts/lib/children.mjs';
import { freePort } from '../../scripts/stores/machine.mjs';
import { measureCalls } from '../harness/list-calls.mjs';
import { writeReport } from '../harness/machine.mjs';
import { startServer } from '../harness/servers.mjs';
import { ADMIN, minter, nodeCommand, nodeEnvironment, openWorld, userId } from '../seed.mjs';
import { fillSessions, filters } from './fill.mjs';

const BOUND_MS = 100;
const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '1000000' },
    calls: { type: 'string', default: '100' },
    out: { type: 'string' },
  },
});
const [sessions, calls] = [Number(values.sessions), Number(values.calls)];

stopOnSignals(() => console.error('\nInterrupted.'), 130);
try {
  const world = await openWorld({ log: console.error });
  const client = new pg.Client({ connectionString: world.databaseUrl });
  await client.connect();
  const beganMs = performance.now();
  const filled = await fillSessions(client, sessions, userId(ADMIN));
  const { rows } = await client.query(
    `SELECT count(*)::int AS sessions, count(*) FILTER (WHERE ended_at IS NULL)::int AS live,
       pg_indexes_size('sessions')::float8 / 1048576 AS index_mib, pg_table_size('sessions')::float8 / 1048576 AS table_mib FROM sessions`,
  );
  await client.end();
  console.error(`Filled in ${Math.round((performance.now() - beganMs) / 1000)} s.`);
  const port = await freePort();
  const server = await startServer(
    { ...nodeCommand(), env: nodeEnvironment(world, port) },
    { port, dir: world.dir, name: 'wardroom' },
  );
  const token = (await minter(world))(ADMIN);
  const paths = Object.fromEntries(
    Object.entries(filters(filled)).map(([filter, query]) => [
      filter,
      `/v1/admin/sessions?${query}`,
    ]),
  );
  const answers = await measureCalls({ port, token, paths, calls });
  await server.stop();
  const report = {
    bound_ms: BOUND_MS,
    filled: rows[0],
    answers,
  };
  writeReport(
    values.out,
    `node bench/session-list/measure.mjs --sessions ${sessions} --calls ${calls}`,
    report,
  );
  const slow = answers.filter(({ p95_ms: p95 }) => p95 > BOUND_MS);
  for (const { filter, p95_ms: p95 } of slow) console.error(`${filter}: p95 ${p95} ms`);
  process.exitCode = slow.length > 0 ? 1 : 0;
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await stopChildren();
}
