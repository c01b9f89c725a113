/**
 * The world of a measurement: private stores (with fsync, pinned beside the load), one tenant,
 * 12,000 users with a session each, 1,000 private rooms and the memberships that the questions
 * need. A node makes the schema and the signing key itself; the rest is SQL, and access tokens are
 * minted with the node's own key, because 12,000 logins cost an hour of argon2. Run alone it prints
 * one line of JSON and lives until its stdin ends.
 */
import { execFileSync } from 'node:child_process';
import { createPrivateKey, randomBytes, randomInt, sign } from 'node:crypto';
import { chmodSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import pg from 'pg';
import {
  removeAtEnd,
  startChild,
  stopChild,
  stopChildren,
  stopOnSignals,
} from '../scripts/lib/children.mjs';
import { serviceArgs } from '../scripts/lib/node-command.mjs';
import { startStores } from '../scripts/lib/stores.mjs';
import { commandLine, freePort } from '../scripts/stores/machine.mjs';
import { family } from './harness/usage.mjs';

export const USERS = 12_000;
export const ROOMS = 1_000;
const TOKEN_SECONDS = 900;
const WAL_SEGMENTS = 60;

/** The project whose dist/ is measured: this one, or a frozen copy of it. */
export const project = resolve(
  process.env.WARDROOM_DIR ?? fileURLToPath(new URL('..', import.meta.url)),
);

const id = (kind, i, set = 0) =>
  `01900000-0000-700${kind}-${(0x8000 + set).toString(16)}-${i.toString(16).padStart(12, '0')}`;
export const tenantId = id(0, 0);
export const userId = (i) => id(1, i);
export const roomId = (i) => id(2, i);
/** Each user has a session; more sets of them are made where some will be ended. */
export const sessionId = (i, set = 0) => id(3, i, set);
export const FIRST_PUBLISHER = 10_000;
/** These users have more sessions from the start: a set of them for each run that ends some. */
export const SPARE_USERS = 50;
export const SPARE_SETS = 100;
/** A tenant admin, who may end sessions. */
export const ADMIN = USERS - 1;

/**
 * Pins this process, with all its threads and its future children, to one core. False where there
 * is no `taskset`.
 */
export function pin(core) {
  try {
    execFileSync('taskset', ['-a', '-p', '-c', String(core), String(process.pid)], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

/**
 * The environment of a node under measurement: the defaults of production, with the limits per
 * client lifted.
 */
export function nodeEnvironment(world, port) {
  return {
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: String(port),
    INTERNAL_PORT: '0',
    DATABASE_URL: world.databaseUrl,
    REDIS_URL: world.redisUrl,
    SECRET_KEY: world.secretKey,
    PUBLIC_URL: world.publicUrl,
    ACCESS_TTL_SECONDS: String(TOKEN_SECONDS),
    MAX_CONNECTIONS_PER_IP: '0',
    MAX_UNAUTHENTICATED: '0',
    MAX_UNAUTHENTICATED_PER_IP: '0',
    PUBLISH_RATE: '0',
    SIGNAL_RATE: '0',
    SUBSCRIBE_RATE: '0',
    CALL_RATE: '0',
    LOGINS_PER_MINUTE: '0',
    FRAME_RATE: '0',
  };
}

/** As the image starts it. */
export const nodeCommand = (dir = project) => ({ cmd: process.execPath, args: serviceArgs(dir) });

/** Starts empty stores. The caller ends them with `stopChildren`. */
export async function emptyWorld({ log = (/** @type {string} */ _line) => {} } = {}) {
  delete process.env.DATABASE_URL;
  delete process.env.REDIS_URL;
  const dir = mkdtempSync(join(tmpdir(), 'wardroom-bench-'));
  chmodSync(dir, 0o711); // Postgres may run as another user
  removeAtEnd(dir);
  const stores = await startStores({ dir, log });
  return {
    dir,
    databaseUrl: stores.databaseUrl,
    redisUrl: stores.redisUrl,
    stores: {
      postgres: pidOf('postgres'),
      redis: pidOf('redis-server', 'valkey-server', 'js-redis.mjs'),
    },
    publicUrl: 'https://bench.test',
    secretKey: randomBytes(32).toString('base64url'),
  };
}

/**
 * Starts stores and fills them; `aged`: with a log that is written over, see `age`. The caller ends
 * them with `stopChildren`.
 */
export async function openWorld({ log = (/** @type {string} */ _line) => {}, aged = false } = {}) {
  const world = await emptyWorld({ log });
  await firstStart(world);
  const client = new pg.Client({ connectionString: world.databaseUrl });
  await client.connect();
  try {
    await fill(client);
    if (aged) await age(client);
    const { rows } = await client.query('SELECT kid, public_jwk, wrapped FROM signing_keys');
    world.key = { kid: rows[0].kid, wrapped: rows[0].wrapped.toString('base64') };
    world.publicJwk = rows[0].public_jwk;
  } finally {
    await client.end();
  }
  log(`Seeded ${USERS} users, ${ROOMS} rooms.`);
  return world;
}

/** Of a child of this process; 0 where nobody says. */
function pidOf(...names) {
  return (
    family(process.pid).find(
      (pid) => pid !== process.pid && names.some((name) => commandLine(pid).includes(name)),
    ) ?? 0
  );
}

async function firstStart(world) {
  const port = await freePort();
  const { cmd, args } = nodeCommand();
  const node = startChild(cmd, args, {
    env: { PATH: process.env.PATH ?? '', ...nodeEnvironment(world, port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [node.stdout, node.stderr]) stream.on('data', (text) => (output += text));
  for (let waited = 0; ; waited += 50) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok === true) break;
    if (node.exitCode !== null || waited > 30_000)
      throw new Error(`The first node did not get ready:\n${output}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await stopChild(node);
}

/**
 * Subscriber i of a question is user i and sits in room i mod 1, 200, 500 or 1,000; publishers own
 * every 20th or 100th room and are users from FIRST_PUBLISHER on (in the shared harness: those
 * after the subscribers). Memberships are the union of these, so that one world serves all
 * questions.
 */
async function fill(client) {
  await client.query('BEGIN');
  await client.query(`INSERT INTO tenants (id, slug, name) VALUES ($1, 'bench', 'Bench')`, [
    tenantId,
  ]);
  await client.query(
    `INSERT INTO users (id, tenant_id, email, name, role)
     SELECT ${uuid(1, 'i')}, $1, 'u' || i || '@bench.test', 'User ' || i, CASE WHEN i = $2 THEN 'admin' ELSE 'member' END FROM generate_series(0, $3 - 1) i`,
    [tenantId, ADMIN, USERS],
  );
  await insertSessions(client, 0, USERS);
  for (let set = 1; set < SPARE_SETS; set += 1) await insertSessions(client, set, SPARE_USERS);
  await client.query(
    `INSERT INTO rooms (id, tenant_id, slug, name, visibility, created_by)
     SELECT ${uuid(2, 'r')}, $1, 'room' || r, 'Room ' || r, 'private', ${uuid(1, '0')} FROM generate_series(0, $2 - 1) r`,
    [tenantId, ROOMS],
  );
  await client.query(
    `INSERT INTO members (room_id, user_id, role)
     SELECT DISTINCT ${uuid(2, 'r')}, ${uuid(1, 'i')}, 'member' FROM (
       SELECT i, unnest(ARRAY[0, i % 1000, (i + 500) % 1000, i % 500, i % 200]) AS r FROM generate_series(0, $1 - 1) i
       UNION ALL SELECT i, r FROM generate_series(10000, 10099) i, generate_series(i % 100, 999, 100) r
       UNION ALL SELECT i, r FROM generate_series(10000, 10019) i, generate_series(i % 20, 199, 20) r
       UNION ALL SELECT i, r FROM generate_series(2000, 2019) i, generate_series(i % 20, 199, 20) r
     ) x`,
    [USERS],
  );
  await client.query('COMMIT');
  // Not room_events: fresh, it has the statistics of a new installation.
  await client.query('VACUUM ANALYZE tenants, users, sessions, rooms, members');
}

/**
 * A new Postgres creates each segment of its log (16 MB of zeros, synced) when it is reached: 0.1 s
 * in which every commit waits, at 10,000 publishes a second every 3 s. One that has been in use for
 * a while writes over old segments: as many as it needs between two checkpoints, and a few more.
 */
async function age(client) {
  for (let segment = 0; segment < WAL_SEGMENTS; segment += 1) {
    await client.query(`SELECT pg_logical_emit_message(true, 'bench', '')`);
    await client.query('SELECT pg_switch_wal()');
  }
  await client.query('CHECKPOINT');
}

async function insertSessions(client, set, count) {
  await client.query(
    `INSERT INTO sessions (id, tenant_id, user_id, user_version, idle_seconds, expires_at, refresh_family, refresh_hash)
     SELECT ${uuid(3, 'i', set)}, $1, ${uuid(1, 'i')}, 1, 604800, now() + interval '30 days', sha256(('f' || i)::bytea), sha256(('h' || i)::bytea)
     FROM generate_series(0, $2 - 1) i`,
    [tenantId, count],
  );
}

/** `id` in SQL. */
const uuid = (kind, index, set = 0) =>
  `('01900000-0000-700${kind}-${(0x8000 + set).toString(16)}-' || lpad(to_hex(${index}), 12, '0'))::uuid`;

/** One more session for every user. @returns {Promise<number>} the set to mint tokens for */
export async function openSessionSet(world) {
  const set = randomInt(SPARE_SETS, 0x1000);
  const client = new pg.Client({ connectionString: world.databaseUrl });
  await client.connect();
  try {
    await insertSessions(client, set, USERS);
  } finally {
    await client.end();
  }
  return set;
}

/** Writes one access token a line, valid for 15 minutes. */
export function writeTokens(mint, file, users, setOf = (/** @type {number} */ _user) => 0) {
  writeFileSync(file, users.map((user) => `${mint(user, setOf(user))}\n`).join(''), {
    mode: 0o600,
  });
  return file;
}

/** @returns {Promise<(user: number, set?: number) => string>} */
export async function minter(world) {
  const from = (path) => import(pathToFileURL(join(project, 'dist/auth', path)).href);
  const [{ unwrapSigningKey }, { newTokenId }, { TOKEN_TYPE }] = await Promise.all([
    from('keys/wrapped-key.js'),
    from('tokens/token-id.js'),
    from('tokens/token-shape.js'),
  ]);
  const row = { kid: world.key.kid, wrapped: Buffer.from(world.key.wrapped, 'base64') };
  const key = createPrivateKey({
    key: unwrapSigningKey(row, [world.secretKey]),
    format: 'der',
    type: 'pkcs8',
  });
  const header = base64url({ alg: 'ES256', typ: TOKEN_TYPE, kid: row.kid });
  return (user, set = 0) => {
    const iat = Math.floor(Date.now() / 1000);
    const claims = {
      iss: world.publicUrl,
      aud: world.publicUrl,
      sub: userId(user),
      tid: tenantId,
      sid: sessionId(user, set),
      jti: newTokenId(1),
      iat,
      exp: iat + TOKEN_SECONDS,
    };
    const text = `${header}.${base64url(claims)}`;
    return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };
}

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
) {
  stopOnSignals();
  pin(process.env.STORES_CORE ?? 1);
  try {
    const world = await openWorld({ log: console.error });
    console.log(JSON.stringify(world));
    process.stdin.on('end', () => void stopChildren().then(() => process.exit(0))).resume();
  } catch (error) {
    console.error(error);
    await stopChildren();
    process.exitCode = 1;
  }
}
