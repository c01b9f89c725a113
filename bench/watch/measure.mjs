/**
 * `watch` (contract section 8): what does a node of 10,000 watchers cost, in memory and in CPU of
 * publishes and deliveries, with and without them? One server: first nobody watches, then all do.
 *
 *   node bench/watch/measure.mjs [--watchers 10000] [--seconds 8]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { WebSocket } from 'ws';
import { stopChildren, stopOnSignals } from '../../scripts/lib/children.mjs';
import { freePort } from '../../scripts/stores/machine.mjs';
import { writeReport } from '../harness/machine.mjs';
import { LOAD_CORE, pinned, startServer } from '../harness/servers.mjs';
import { storeUsage, usageOf } from '../harness/usage.mjs';
import {
  FIRST_PUBLISHER,
  ROOMS,
  minter,
  nodeCommand,
  nodeEnvironment,
  openWorld,
  pin,
  roomId,
  userId,
} from '../seed.mjs';

/** Bounds of contract and architecture; over one of them the exit code is 1. */
const BOUNDS = { kib_per_watcher: 6, bytes_per_entry: 400, all_told_s: 10 };
const CONNECTING = 50;
const PUBLISHES_A_SECOND = 100;
const SUBSCRIBERS = 1_000;
const DELIVERED_A_SECOND = 20;
/** Users of all rooms. */
const LARGE = { users: 100, first: 10_100 };
const PATIENCE_MS = 120_000;

const { values } = parseArgs({
  options: {
    watchers: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '8' },
  },
});
const [watchers, seconds] = [Number(values.watchers), Number(values.seconds)];
/** The first one: nothing of this load is refused. */
let refusal = null;
const counts = { activity: 0, watching: 0, rooms: 0, messages: 0, acks: 0 };

function open(url, token) {
  const socket = new WebSocket(url, ['wardroom.v1'], {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
  });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (data) => {
      const text = data.toString('latin1');
      if (text.startsWith('{"type":"activity"')) counts.activity += 1;
      else if (text.startsWith('{"type":"message"')) counts.messages += 1;
      else if (text.startsWith('{"type":"ack"')) counts.acks += 1;
      else if (text.startsWith('{"type":"auth_ok"')) resolve(socket);
      else if (text.startsWith('{"type":"watching"')) {
        counts.watching += 1;
        counts.rooms += JSON.parse(text).rooms;
      } else if (text.startsWith('{"type":"error"')) refusal ??= text;
    });
  });
}

async function openAll(url, tokens) {
  const sockets = [];
  for (let from = 0; from < tokens.length; from += CONNECTING) {
    const some = tokens.slice(from, from + CONNECTING);
    sockets.push(...(await Promise.all(some.map((token) => open(url, token)))));
  }
  return sockets;
}

async function until(what, holds) {
  const beganMs = performance.now();
  while (!holds()) {
    if (refusal !== null) throw new Error(`${what}: ${refusal}`);
    if (performance.now() - beganMs > PATIENCE_MS)
      throw new Error(`${what}: not within two minutes (${JSON.stringify(counts)})`);
    await sleep(20);
  }
  return (performance.now() - beganMs) / 1_000;
}

const round = (value, digits = 1) => Number(value.toFixed(digits));

/** CPU of the server, in all and for each publish, while `rooms` are published to in turn. */
async function publish(server, stores, publisher, rate, roomOf) {
  const before = { ...usageOf([server.pid]), ...storeUsage(stores), ...counts };
  const total = rate * seconds;
  const beganMs = performance.now();
  for (let i = 0; i < total; i += 1) {
    const waitMs = beganMs + (i * 1_000) / rate - performance.now();
    if (waitMs > 1) await sleep(waitMs);
    const frame = { type: 'publish', room: roomOf(i), op_id: `${beganMs}-${i}`, body: 'hello' };
    publisher.send(JSON.stringify(frame));
  }
  await until('acks', () => counts.acks - before.acks >= total);
  await sleep(1_500);
  const after = { ...usageOf([server.pid]), ...storeUsage(stores), ...counts };
  const took = (performance.now() - beganMs) / 1_000;
  const deliveries = after.messages - before.messages;
  return {
    publishes: total,
    deliveries,
    activity_frames: after.activity - before.activity,
    server_cpu_percent: round((after.cpuMs - before.cpuMs) / took / 10),
    postgres_cpu_percent: round((after.postgresMs - before.postgresMs) / took / 10),
    cpu_us_per_publish: round(((after.cpuMs - before.cpuMs) * 1_000) / total, 0),
    ...(deliveries === 0
      ? {}
      : { cpu_us_per_delivery: round(((after.cpuMs - before.cpuMs) * 1_000) / deliveries, 2) }),
  };
}

async function idle(server) {
  await sleep(2_000);
  const before = usageOf([server.pid]).cpuMs;
  await sleep(5_000);
  return round((usageOf([server.pid]).cpuMs - before) / 50);
}

stopOnSignals(() => console.error('\nInterrupted.'), 130);
try {
  const world = await openWorld({ log: console.error });
  if (pinned) pin(LOAD_CORE);
  const client = new pg.Client({ connectionString: world.databaseUrl });
  await client.connect();
  const large = Array.from({ length: LARGE.users }, (_, i) => userId(LARGE.first + i));
  await client.query(
    `INSERT INTO members (room_id, user_id, role) SELECT r.id, u.id, 'member' FROM rooms r, unnest($1::uuid[]) AS u (id) ON CONFLICT DO NOTHING`,
    [large],
  );
  await client.query('VACUUM ANALYZE members');
  await client.end();
  const port = await freePort();
  const server = await startServer(
    { ...nodeCommand(), env: nodeEnvironment(world, port) },
    { port, dir: world.dir, name: 'wardroom' },
  );
  const url = `ws://127.0.0.1:${port}/v1/ws`;
  const mint = await minter(world);
  const publisher = await open(url, mint(FIRST_PUBLISHER));
  const sockets = await openAll(
    url,
    Array.from({ length: watchers }, (_, i) => mint(i)),
  );
  // The publisher owns every hundredth room.
  const everyRoom = (i) => roomId(((i % (ROOMS / 100)) * 100) % ROOMS);
  const crowdedRoom = () => roomId(0);
  for (const socket of sockets.slice(0, SUBSCRIBERS))
    socket.send(JSON.stringify({ type: 'subscribe', room: roomId(0) }));
  const memory = () => usageOf([server.pid], true).pssKib;
  const load = async () => ({
    idle_cpu_percent: await idle(server),
    quiet_rooms: await publish(server, world.stores, publisher, PUBLISHES_A_SECOND, (i) =>
      everyRoom(i).replace(roomId(0), roomId(100)),
    ),
    crowded_room: await publish(server, world.stores, publisher, DELIVERED_A_SECOND, crowdedRoom),
  });
  const without = await load();
  const before = memory();
  for (const socket of sockets) socket.send('{"type":"watch"}');
  const watchingSeconds = await until('watching', () => counts.watching === watchers);
  await sleep(2_000);
  const entries = counts.rooms;
  const after = memory();
  const withWatchers = await load();
  await until('rest', () => true);
  await sleep(5_000);
  const told = counts.activity;
  publisher.send(
    JSON.stringify({ type: 'publish', room: roomId(0), op_id: 'last', body: 'to all' }),
  );
  const allTold = await until('activity of all', () => counts.activity - told >= watchers);
  const largeBefore = memory();
  const largeSockets = await openAll(
    url,
    Array.from({ length: LARGE.users }, (_, i) => mint(LARGE.first + i)),
  );
  const known = counts.watching;
  for (const socket of largeSockets) socket.send('{"type":"watch"}');
  const largeSeconds = await until('rooms of all', () => counts.watching - known === LARGE.users);
  await sleep(2_000);
  const largeEntries = counts.rooms - entries;
  const figures = {
    kib_per_watcher: round((after - before) / watchers, 2),
    rooms_of_a_watcher: round(entries / watchers),
    all_watching_s: round(watchingSeconds),
    all_told_s: round(allTold, 2),
    rooms_of_a_large_user: largeEntries / LARGE.users,
    bytes_per_entry: round(((memory() - largeBefore) * 1024) / largeEntries, 0),
    large_users_watching_s: round(largeSeconds, 2),
  };
  for (const socket of [publisher, ...sockets, ...largeSockets]) socket.terminate();
  await server.stop();
  const report = {
    bounds: BOUNDS,
    figures,
    without_watchers: without,
    with_watchers: withWatchers,
  };
  writeReport(
    undefined,
    `node bench/watch/measure.mjs --watchers ${watchers} --seconds ${seconds}`,
    report,
  );
  process.exitCode = Object.entries(BOUNDS).some(([name, most]) => figures[name] > most) ? 1 : 0;
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await stopChildren();
}
