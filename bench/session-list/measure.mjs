/**
 * `GET /v1/admin/sessions` over a million sessions (contract section 10): the first page, a page in
 * the middle, and every filter, alone and together, asked in turns of one real node. The
 * times are those of a client: request, answer and everything between. Nothing else does the same,
 * so this is no question of `npm run bench`.
 *
 *   node bench/session-list/measure.mjs [--sessions 1000000] [--calls 100] [--out FILE]
 */
import { writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { stopChildren, stopOnSignals } from '../../scripts/children.mjs';
import { freePort } from '../../scripts/stores/machine.mjs';
import { describeCommit, describeMachine, loadAverage } from '../harness/machine.mjs';
import { startServer } from '../harness/servers.mjs';
import { ADMIN, minter, nodeCommand, nodeEnvironment, openWorld, userId } from '../seed.mjs';
import { fillSessions, filters } from './fill.mjs';

const BOUND_MS = 100;
const WARM_UP = 3;
const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '1000000' },
    calls: { type: 'string', default: '100' },
    out: { type: 'string' },
  },
});
const [sessions, calls] = [Number(values.sessions), Number(values.calls)];
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

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
  const answers = await measure(port, token, filters(filled));
  await server.stop();
  const report = {
    command: `node bench/session-list/measure.mjs --sessions ${sessions} --calls ${calls}`,
    at: new Date().toISOString(),
    machine: describeMachine(),
    load_average: loadAverage(),
    commit: describeCommit(),
    bound_ms: BOUND_MS,
    filled: rows[0],
    answers,
  };
  const text = `${JSON.stringify(report, null, 1)}\n`;
  if (values.out === undefined) process.stdout.write(text);
  else writeFileSync(values.out, text);
  const slow = answers.filter(({ p95_ms: p95 }) => p95 > BOUND_MS);
  for (const { filter, p95_ms: p95 } of slow) console.error(`${filter}: p95 ${p95} ms`);
  process.exitCode = slow.length > 0 ? 1 : 0;
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  agent.destroy();
  await stopChildren();
}

/**
 * Filters take turns, so that what else the machine does falls on all of them. `/v1/me` has a turn,
 * too: the price of a call that reads one row.
 */
async function measure(port, token, queries) {
  const asked = Object.entries(queries).map(([filter, query]) => ({
    filter,
    path: `/v1/admin/sessions?${query}`,
    took: [],
    page: { items: [], next_cursor: null },
  }));
  const bare = { filter: 'nothing: GET /v1/me', path: '/v1/me', took: [], page: null };
  for (let turn = 0; turn < WARM_UP + calls; turn += 1)
    for (const one of [bare, ...asked]) {
      const askedMs = performance.now();
      const page = await ask(port, token, one.path);
      if (turn >= WARM_UP) one.took.push(performance.now() - askedMs);
      if (one !== bare) one.page = page;
    }
  return [bare, ...asked].map(({ filter, took, page }) => ({
    filter,
    ...figures(took),
    ...(page === null ? {} : { items: page.items.length, more: page.next_cursor !== null }),
  }));
}

function figures(took) {
  took.sort((a, b) => a - b);
  const at = (q) =>
    Number(took[Math.min(took.length - 1, Math.ceil(q * took.length) - 1)].toFixed(1));
  return { p50_ms: at(0.5), p95_ms: at(0.95), max_ms: at(1) };
}

function ask(port, token, path) {
  const options = { port, agent, path, headers: { authorization: `Bearer ${token}` } };
  return new Promise((resolve, reject) => {
    request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => (text += piece));
      response.once('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`${path}: ${response.statusCode} ${text}`));
      });
    })
      .once('error', reject)
      .end();
  });
}
