/**
 * The search over a million messages and the list of a thousand rooms (contract section 8): a
 * member of every room asks one real node, and one of five. The times are those of a client:
 * request, answer and everything between.
 *
 *   node bench/messages/measure.mjs [--messages 1000000] [--calls 100] [--out FILE]
 */
import { parseArgs } from 'node:util';
import pg from 'pg';
import { stopChildren, stopOnSignals } from '../../scripts/lib/children.mjs';
import { freePort } from '../../scripts/stores/machine.mjs';
import { measureCalls } from '../harness/list-calls.mjs';
import { writeReport } from '../harness/machine.mjs';
import { startServer } from '../harness/servers.mjs';
import {
  ROOMS,
  minter,
  nodeCommand,
  nodeEnvironment,
  openWorld,
  roomId,
  tenantId,
  userId,
} from '../seed.mjs';
import { fillMessages } from './fill.mjs';

const BOUND_MS = 50;
const MEMBER = 0;
const PATHS = {
  'search: a word of every tenth message': '/v1/search?q=w5',
  'search: the most frequent word': '/v1/search?q=w1',
  'search: a word of 100 messages': '/v1/search?q=w8000',
  'search: no such word': '/v1/search?q=nowhere',
  'search: two frequent words': '/v1/search?q=w2+w3',
  'search: a phrase': '/v1/search?q=%22w2+w3%22',
  'search: one word and not another': '/v1/search?q=w4+-w1',
  'search: a frequent word in one room': `/v1/search?q=w1&room=${roomId(7)}`,
  'search: a frequent word of one sender': `/v1/search?q=w1&sender=${userId(7)}`,
  'the list of 1,000 rooms, first page': '/v1/me/rooms',
  'the list of 1,000 rooms, a page of 200': '/v1/me/rooms?limit=200',
};

/** Asked by a member of five rooms, who finds few of the newest messages. */
const FEW = 9_000;
const PATHS_OF_FEW = {
  'in five rooms: the most frequent word': '/v1/search?q=w1',
  'in five rooms: a word of every hundredth message': '/v1/search?q=w100',
  'in five rooms: no such word': '/v1/search?q=nowhere',
};

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '1000000' },
    calls: { type: 'string', default: '100' },
    out: { type: 'string' },
  },
});
const [messages, calls] = [Number(values.messages), Number(values.calls)];

stopOnSignals(() => console.error('\nInterrupted.'), 130);
try {
  const world = await openWorld({ log: console.error });
  const client = new pg.Client({ connectionString: world.databaseUrl });
  await client.connect();
  const beganMs = performance.now();
  await client.query(
    `INSERT INTO members (room_id, user_id, role) SELECT id, $1, 'member' FROM rooms ON CONFLICT DO NOTHING`,
    [userId(MEMBER)],
  );
  await fillMessages(client, { messages, rooms: ROOMS, roomId, userId, tenantId });
  const { rows } = await client.query(
    `SELECT count(*)::int AS messages, pg_table_size('room_events')::float8 / 1048576 AS table_mib,
       pg_relation_size('room_events_words')::float8 / 1048576 AS words_mib FROM room_events`,
  );
  await client.end();
  console.error(`Filled in ${Math.round((performance.now() - beganMs) / 1000)} s.`);
  const port = await freePort();
  const server = await startServer(
    { ...nodeCommand(), env: nodeEnvironment(world, port) },
    { port, dir: world.dir, name: 'wardroom' },
  );
  const mint = await minter(world);
  const answers = [
    ...(await measureCalls({ port, token: mint(MEMBER), paths: PATHS, calls })),
    ...(await measureCalls({ port, token: mint(FEW), paths: PATHS_OF_FEW, calls })).slice(1),
  ];
  await server.stop();
  const report = {
    bound_ms: BOUND_MS,
    filled: rows[0],
    answers,
  };
  writeReport(
    values.out,
    `node bench/messages/measure.mjs --messages ${messages} --calls ${calls}`,
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
