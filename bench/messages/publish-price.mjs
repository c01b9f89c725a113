/**
 * The price of message numbers, read markers, mentions and the words for the search in a durable
 * publish: `apply_room_events` of the schema before them, of now, and of now without the words,
 * called in turns on one Postgres, with batches as a node sends them. Milliseconds of the clock,
 * and of CPU of the backend.
 *
 *   node bench/messages/publish-price.mjs [--turns 300] [--out FILE]
 */
import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { removeAtEnd, stopChildren, stopOnSignals } from '../../scripts/lib/children.mjs';
import { startStores } from '../../scripts/lib/stores.mjs';
import { createDatabase } from '../../scripts/stores/postgres.mjs';
import { migrate } from '../../dist/platform/stores/migrate.js';
import { PostgresAccess } from '../../dist/platform/stores/postgres-access.js';
import { writeReport } from '../harness/machine.mjs';
import { usageOf } from '../harness/usage.mjs';

const MIGRATIONS = new URL('../../prisma/migrations/', import.meta.url).pathname;
/** The first of those that are measured. */
const NUMBERS = '20261130170000';
const BATCHES = [1, 8, 64];
const ROOMS = 20;
const BOUND = 1.15;
const { values } = parseArgs({
  options: { turns: { type: 'string', default: '300' }, out: { type: 'string' } },
});
const turns = Number(values.turns);

const people = {
  tenant: randomUUID(),
  user: randomUUID(),
  session: randomUUID(),
  rooms: Array.from({ length: ROOMS }, () => randomUUID()),
};

/** A database whose schema ends before this migration; all of them without it. */
async function database(stores, name, until) {
  const folder = mkdtempSync(join(tmpdir(), 'wardroom-migrations-'));
  removeAtEnd(folder);
  for (const migration of readdirSync(MIGRATIONS))
    if (until === undefined || migration < until)
      cpSync(join(MIGRATIONS, migration), join(folder, migration), { recursive: true });
  const url = await createDatabase(stores.databaseUrl, name);
  await migrate(new PostgresAccess(url), undefined, folder);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { tenant, user, session, rooms } = people;
  await client.query(`INSERT INTO tenants (id, slug, name) VALUES ($1, 'b', 'B')`, [tenant]);
  await client.query(
    `INSERT INTO users (id, tenant_id, email, name, role) VALUES ($1, $2, 'a@b.test', 'A', 'member')`,
    [user, tenant],
  );
  await client.query(
    `INSERT INTO sessions (id, tenant_id, user_id, user_version, idle_seconds, expires_at, refresh_family, refresh_hash)
     VALUES ($1, $2, $3, 1, 604800, now() + interval '1 day', sha256('f'), sha256('h'))`,
    [session, tenant, user],
  );
  await client.query(
    `INSERT INTO rooms (id, tenant_id, slug, name, visibility, created_by) SELECT r, $2, 'r' || r, 'R', 'private', $3 FROM unnest($1::uuid[]) r`,
    [rooms, tenant, user],
  );
  await client.query(
    `INSERT INTO members (room_id, user_id, role) SELECT r, $2, 'owner' FROM unnest($1::uuid[]) r`,
    [rooms, user],
  );
  const { rows } = await client.query(
    `SELECT pg_backend_pid() AS pid, authz_epoch AS epoch FROM rooms LIMIT 1`,
  );
  return { client, name, pid: rows[0].pid, epoch: Number(rows[0].epoch) };
}

/** Messages are stored without words; the function is otherwise as it is. */
async function withoutWords(side) {
  const words = /CASE WHEN n\.type = 'message' THEN message_words\([^)]*\) END/;
  const { rows } = await side.client.query(
    `SELECT pg_get_functiondef('apply_room_events'::regproc) AS text`,
  );
  if (!words.test(rows[0].text)) throw new Error('apply_room_events makes words in another way');
  await side.client.query(rows[0].text.replace(words, 'NULL::tsvector'));
  return side;
}

function batchOf(count, epoch, mentions) {
  const text = `a message of ${randomUUID()} as people write them`;
  return Array.from({ length: count }, (_, i) => ({
    i,
    type: 'message',
    room: people.rooms[i % ROOMS],
    sender: people.user,
    session: people.session,
    user_version: 1,
    epoch,
    message_id: randomUUID(),
    op_id: randomUUID(),
    fingerprint: '00'.repeat(32),
    value_fingerprint: null,
    kind: 'text',
    body: JSON.stringify(text),
    emoji: null,
    on: null,
    reply_to: null,
    mentions,
    words: text,
    until: null,
  }));
}

async function apply({ client, epoch }, count, mentions) {
  const { rows } = await client.query({
    name: 'apply',
    text: 'SELECT outcome FROM apply_room_events($1::json)',
    values: [JSON.stringify(batchOf(count, epoch, mentions))],
  });
  if (rows.length !== count || rows.some(({ outcome }) => outcome !== 'new'))
    throw new Error(`not committed: ${JSON.stringify(rows[0] ?? null)}`);
}

async function measure(sides, count) {
  for (let i = 0; i < 30; i += 1) for (const side of sides) await apply(side, count, side.mentions);
  const taken = sides.map(() => ({ clock: 0, cpu: 0 }));
  const before = sides.map(({ pid }) => usageOf([pid]).cpuMs);
  for (let i = 0; i < turns; i += 1)
    for (const [at, side] of sides.entries()) {
      const beganMs = performance.now();
      await apply(side, count, side.mentions);
      taken[at].clock += performance.now() - beganMs;
    }
  for (const [at, { pid }] of sides.entries()) taken[at].cpu = usageOf([pid]).cpuMs - before[at];
  const each = (ms) => Number(((ms * 1_000) / (turns * count)).toFixed(1));
  return {
    batch: count,
    ...Object.fromEntries(
      sides.map(({ what }, at) => [
        what,
        {
          clock_us: each(taken[at].clock),
          cpu_us: each(taken[at].cpu),
          clock_ratio: Number((taken[at].clock / taken[0].clock).toFixed(2)),
          cpu_ratio: Number((taken[at].cpu / taken[0].cpu).toFixed(2)),
        },
      ]),
    ),
  };
}

stopOnSignals(() => console.error('\nInterrupted.'), 130);
try {
  delete process.env.DATABASE_URL;
  const stores = await startStores({ log: console.error });
  const sides = [
    { what: 'before', mentions: null, ...(await database(stores, 'before', NUMBERS)) },
    { what: 'now', mentions: null, ...(await database(stores, 'now')) },
    {
      what: 'now, without words',
      mentions: null,
      ...(await withoutWords(await database(stores, 'wordless'))),
    },
    { what: 'now, with a mention', mentions: [people.user], ...(await database(stores, 'too')) },
  ];
  const answers = [];
  for (const count of BATCHES) answers.push(await measure(sides, count));
  for (const { client } of sides) await client.end();
  const report = {
    bound: BOUND,
    answers,
  };
  writeReport(values.out, `node bench/messages/publish-price.mjs --turns ${turns}`, report);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await stopChildren();
}
