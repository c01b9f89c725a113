/**
 * How long does access live after somebody took it away? From the call to the last byte that any socket of the session
 * hears, and to the receipt; on 1 and 3 nodes, among idle connections, healthy and with a node partitioned from both stores.
 * Writes the raw figures to results/ and prints a table.
 *
 *   node bench/revocation/measure.mjs [--nodes 1,3] [--connections 10000] [--samples 500] [--lease 5000] [--partitions 10] [--out FILE|-]
 */
import { execFileSync, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stopChildren, stopOnSignals } from '../../scripts/children.mjs';
import { OPERATOR, call, openStores, ready, startNodes } from './cluster.mjs';
import { openVictim, startTalking } from './victim.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const TALK_EVERY_MS = 20;
/** Victims that are made ready at once; logins cost an argon2 each. */
const BATCH = 25;
const USERS = 25;

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1,3' },
    connections: { type: 'string', default: '10000' },
    samples: { type: 'string', default: '500' },
    lease: { type: 'string', default: '5000' },
    partitions: { type: 'string', default: '10' },
    out: { type: 'string' },
  },
});
const settings = {
  nodes: values.nodes.split(',').map(Number),
  connections: Number(values.connections),
  samples: Number(values.samples),
  leaseMs: Number(values.lease),
  partitions: Number(values.partitions),
};

stopOnSignals();
const started = new Date();
const stores = await openStores((line) => console.error(line));
const runs = [];
try {
  for (const count of settings.nodes) runs.push(...(await measureCluster(count)));
} finally {
  await stopChildren();
}
const report = {
  started: started.toISOString(),
  command: `node bench/revocation/measure.mjs ${process.argv.slice(2).join(' ')}`.trim(),
  settings,
  machine: machine(),
  runs,
};
if (values.out !== '-') {
  const file = values.out ?? join(here, 'results', `${started.toISOString().slice(0, 16).replaceAll(':', '')}-${report.machine.commit}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 1)}\n`);
  console.error(`raw figures: ${file}`);
}
console.log(table(report));
process.exit(0);

async function measureCluster(count) {
  const nodes = await startNodes(stores, count, settings.leaseMs);
  const operator = (await call(nodes[0].url, '/v1/auth/login', { body: OPERATOR })).access_token;
  const slug = `bench-${randomBytes(4).toString('hex')}`;
  const { id: tenant } = await call(nodes[0].url, '/v1/admin/tenants', { token: operator, body: { slug, name: slug } });
  const people = [];
  for (let i = 0; i < USERS + 2; i += 1) {
    const person = { email: `u${i}@bench.example`, password: randomBytes(12).toString('base64url') };
    const made = await call(nodes[0].url, `/v1/admin/tenants/${tenant}/users`, { token: operator, body: { ...person, name: `u${i}`, role: 'member' } });
    people.push({ ...person, id: made.id });
  }
  const [talker, sleeper, ...victims] = people;
  const signIn = async (person) =>
    (await call(nodes[0].url, '/v1/auth/login', { body: { tenant: slug, email: person.email, password: person.password } })).access_token;
  const talkerToken = await signIn(talker);
  const room = (await call(nodes[0].url, '/v1/rooms', { token: talkerToken, body: { name: 'bench', visibility: 'public' } })).id;

  const idle = fork(join(here, 'idle-connections.mjs'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  let lost = 0;
  idle.on('message', (message) => (lost = message.lost ?? lost));
  const opened = new Promise((resolve) => idle.on('message', (message) => message.open !== undefined && resolve(message.open)));
  idle.send({ urls: nodes.map((node) => node.wsUrl), token: await signIn(sleeper), count: settings.connections });
  const open = await opened;
  console.error(`${count} node(s): ${open} of ${settings.connections} idle connections are open`);

  const stopTalking = await Promise.all(nodes.map((node) => startTalking(node, talkerToken, room, TALK_EVERY_MS)));
  const world = { nodes, operator, slug, victims, room };
  try {
    const about = { nodes: count, idle_connections: open };
    const healthy = await oneByOne(world, settings.samples);
    const result = [{ ...about, fault: 'none', idle_connections_lost: lost, samples: healthy }];
    if (count > 1 && settings.partitions > 0) {
      const samples = await partitioned(world, Math.ceil(settings.samples / settings.partitions), settings.partitions);
      result.push({ ...about, fault: 'a node partitioned from Postgres and Redis', idle_connections_lost: lost, samples });
    }
    return result;
  } finally {
    for (const stop of stopTalking) stop();
    idle.disconnect();
    for (const node of nodes) {
      node.child.kill('SIGKILL');
      await Promise.all(node.lines.map((line) => line.stop()));
    }
  }
}

function victimsOf({ nodes, slug, victims, room }, count) {
  return Promise.all(Array.from({ length: count }, (_, i) => openVictim(nodes, slug, victims[i % victims.length], room)));
}

/** One revocation at a time. */
async function oneByOne(world, count) {
  const samples = [];
  while (samples.length < count) {
    const batch = await victimsOf(world, Math.min(BATCH, count - samples.length));
    for (const victim of batch) samples.push(await outcome(victim, await ask(world, victim)));
  }
  return samples;
}

/** The last node is cut off the moment before; all revocations of a round meet the same partition. */
async function partitioned(world, perRound, rounds) {
  const samples = [];
  const away = world.nodes.at(-1);
  for (let round = 0; round < rounds; round += 1) {
    const batch = await victimsOf(world, perRound);
    away.partition();
    const asked = await Promise.all(batch.map((victim) => ask(world, victim)));
    // The sockets of the fenced node are closed when it is back and has read the log.
    away.mend();
    for (const [i, victim] of batch.entries()) samples.push(await outcome(victim, asked[i]));
    await ready(away);
    console.error(`partition ${round + 1} of ${rounds}`);
  }
  return samples;
}

async function ask({ nodes, operator }, victim) {
  const beganMs = performance.now();
  const receipt = await call(nodes[0].url, '/v1/admin/revocations', { token: operator, body: { session: victim.session, reason: 'measured' } });
  return { beganMs, receipt, receiptMs: performance.now() - beganMs };
}

async function outcome(victim, { beganMs, receipt, receiptMs }) {
  await victim.gone;
  return {
    receipt_ms: round(receiptMs),
    last_byte_ms: round(victim.lastByteMs() - beganMs),
    last_room_frame_ms: round(Math.max(0, victim.lastRoomFrameMs() - beganMs)),
    effective: receipt.effective,
    nodes: receipt.nodes.map((node) => node.state),
    connections_closed: receipt.connections_closed,
  };
}

function machine() {
  const git = (...args) => execFileSync('git', args, { cwd: here, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  const commit = (() => {
    try {
      return `${git('rev-parse', '--short=12', 'HEAD')}${git('status', '--porcelain', '--', '../../src', '../../prisma') === '' ? '' : '+'}`;
    } catch {
      return 'unknown';
    }
  })();
  const load = readFileSync('/proc/loadavg', 'utf8').split(' ')[0];
  return {
    cpu: cpus()[0].model.trim(),
    cores: cpus().length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    kernel: `${release()} ${arch()}`,
    node: process.version,
    stores: stores.names,
    commit,
    load_average_at_end: Number(load),
  };
}

function table({ runs: all, machine: on, command, started: when }) {
  const quantile = (numbers, q) => numbers.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(numbers.length * q) - 1)];
  const cell = (samples, field) =>
    [0.5, 0.99, 1]
      .map((q) =>
        quantile(
          samples.map((sample) => sample[field]),
          q,
        ).toFixed(1),
      )
      .join(' / ');
  const rows = all.map(({ nodes, idle_connections, fault, samples }) => {
    const wrong = samples.filter((sample) => !sample.effective).length;
    const cells = [
      nodes,
      idle_connections,
      fault,
      samples.length,
      cell(samples, 'receipt_ms'),
      cell(samples, 'last_room_frame_ms'),
      cell(samples, 'last_byte_ms'),
      wrong,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| nodes | idle connections | fault | samples | receipt, ms (p50 / p99 / max) | last frame of the room, ms | last byte of the close, ms | not effective |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
    `B = ${settings.leaseMs} ms. ${on.cpu}, ${on.cores} cores, ${on.memory_gib} GiB, Linux ${on.kernel}, Node ${on.node}, ${on.stores.join(', ')}. Commit ${on.commit}, ${when}. \`${command}\``,
  ].join('\n');
}

function round(ms) {
  return Math.round(ms * 100) / 100;
}
