/**
 * How long does access live after somebody took it away? From the call to the last byte that any
 * socket of the session hears, and to the receipt; on 1 and 3 nodes, among idle connections,
 * healthy and while something is broken. Writes the raw figures to bench/results/revocation.json
 * and docs/benchmarks-revocation.md from them.
 *
 *   npm run bench -- revocation [--quick] [--nodes 1,3] [--connections 10000] [--samples 500] [--lease 5000] [--rounds 8] [--only Redis] [--out FILE|-]
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stopChildren, stopOnSignals } from '../../scripts/lib/children.mjs';
import { describeCommit, describeMachine, loadAverage } from '../harness/machine.mjs';
import { OPERATOR, call, openStores, ready, startNodes } from './cluster.mjs';
import { costOfComparing } from './compare.mjs';
import { FAULTS } from './faults.mjs';
import { resultsFile, table, writeReport } from './report.mjs';
import { openVictim, startTalking } from './victim.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const TALK_EVERY_MS = 20;
/** Victims that are made ready at once; logins cost an argon2 each. */
const BATCH = 25;
const USERS = 25;
/** Of one fault; all lose their sessions at once. */
const VICTIMS_PER_ROUND = 5;
/** A fault falls anywhere between two rounds of the lease. */
const ROUND_MS = 400;

// Options of other questions may come along when all are asked.
const { values } = /** @type {{ values: Record<string, any> }} */ (
  parseArgs({
    strict: false,
    options: {
      quick: { type: 'boolean', default: false },
      nodes: { type: 'string', default: '1,3' },
      connections: { type: 'string' },
      samples: { type: 'string' },
      lease: { type: 'string', default: '5000' },
      rounds: { type: 'string' },
      only: { type: 'string' },
      out: { type: 'string' },
    },
  })
);
const settings = {
  nodes: values.nodes.split(',').map(Number),
  connections: Number(values.connections ?? (values.quick ? 500 : 10_000)),
  samples: Number(values.samples ?? (values.quick ? 25 : 500)),
  leaseMs: Number(values.lease),
  rounds: Number(values.rounds ?? (values.quick ? 1 : 8)),
};
const chosen =
  settings.rounds === 0
    ? []
    : FAULTS.filter(({ name }) => values.only === undefined || name.includes(values.only));

stopOnSignals();
const began = performance.now();
const say = (line) =>
  console.error(`${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s  ${line}`);
const at = new Date().toISOString();
const stores = await openStores(say);
const runs = [];
try {
  if (values.only === undefined)
    for (const count of settings.nodes) runs.push(...(await onCluster(count, healthy)));
  // Clusters of their own: a whole run is longer than the life of a token.
  for (const group of new Set(chosen.map((fault) => fault.group))) {
    runs.push(...(await onCluster(Math.max(...settings.nodes), (world) => broken(world, group))));
  }
} finally {
  await stopChildren();
}
const report = {
  name: 'revocation',
  at,
  command: `npm run bench -- revocation ${process.argv.slice(2).join(' ')}`.trim(),
  settings,
  machine: { ...describeMachine(), stores: stores.names, load_average_at_end: loadAverage() },
  commit: describeCommit(),
  comparison_ns: await costOfComparing(),
  runs,
};
if (!values.quick && values.out !== '-') {
  const file = values.out ?? resultsFile;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 1)}\n`);
  writeReport(report);
  say(`raw figures: ${file}`);
}
console.log(table(report));
process.exit(0);

/** Nodes, people, a busy room and idle connections; `work` answers runs. */
async function onCluster(count, work) {
  const nodes = await startNodes(stores, count, settings.leaseMs);
  const operator = (await call(nodes[0].url, '/v1/auth/login', { body: OPERATOR })).access_token;
  const slug = `bench-${randomBytes(4).toString('hex')}`;
  const { id: tenant } = await call(nodes[0].url, '/v1/admin/tenants', {
    token: operator,
    body: { slug, name: slug },
  });
  const people = [];
  for (let i = 0; i < USERS + 2; i += 1) {
    const person = {
      email: `u${i}@bench.example`,
      password: randomBytes(12).toString('base64url'),
    };
    await call(nodes[0].url, `/v1/admin/tenants/${tenant}/users`, {
      token: operator,
      body: { ...person, name: `u${i}`, role: 'member' },
    });
    people.push(person);
  }
  const [talker, sleeper, ...victims] = people;
  const signIn = async (person) =>
    (await call(nodes[0].url, '/v1/auth/login', { body: { tenant: slug, ...person } }))
      .access_token;
  const talkerToken = await signIn(talker);
  const room = (
    await call(nodes[0].url, '/v1/rooms', {
      token: talkerToken,
      body: { name: 'bench', visibility: 'public' },
    })
  ).id;

  const idle = fork(join(here, 'idle-connections.mjs'), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const told = (task) =>
    new Promise(
      (resolve) => (
        idle.once('message', (/** @type {{ open: number }} */ { open }) => resolve(open)),
        idle.send(task)
      ),
    );
  const open = await told({
    urls: nodes.map((node) => node.wsUrl),
    token: await signIn(sleeper),
    count: settings.connections,
  });
  say(`${count} node(s): ${open} of ${settings.connections} idle connections are open`);

  const talks = nodes.map((node) => startTalking(node, talkerToken, room, TALK_EVERY_MS));
  const reconnect = async () => {
    await talks.at(-1).again();
    await told({ reconnect: true });
  };
  try {
    await Promise.all(talks.map((talk) => talk.again()));
    const world = { nodes, redis: stores.redis, operator, slug, victims, room, reconnect };
    return (await work(world)).map((run) => ({ nodes: count, idle_connections: open, ...run }));
  } finally {
    for (const talk of talks) talk.stop();
    idle.disconnect();
    for (const node of nodes) {
      node.process.kill('SIGKILL');
      await Promise.all(node.lines.map((line) => line.stop()));
    }
  }
}

/** One revocation at a time. */
async function healthy(world) {
  const samples = [];
  while (samples.length < settings.samples) {
    const batch = await victimsOf(world, Math.min(BATCH, settings.samples - samples.length));
    for (const victim of batch) samples.push(await outcome(victim, await ask(world, victim)));
    if (samples.length % 100 === 0)
      say(`${samples.length} of ${settings.samples} healthy revocations`);
  }
  return [{ fault: 'none', samples }];
}

/** The fault comes the moment before; all revocations of a round meet it together. */
async function broken(world, group) {
  const runs = [];
  for (const fault of chosen.filter((one) => one.group === group)) {
    const samples = [];
    for (let round = 0; round < settings.rounds; round += 1) {
      const batch = await victimsOf(world, VICTIMS_PER_ROUND);
      await sleep(Math.random() * ROUND_MS);
      const mend = await fault.apply(world);
      const asked = await Promise.all(batch.map((victim) => ask(world, victim)));
      // The sockets of a fenced node are closed when it is back and has read the log.
      await mend();
      for (const [i, victim] of batch.entries()) samples.push(await outcome(victim, asked[i]));
      await Promise.all(world.nodes.map((node) => ready(node)));
    }
    say(
      `${fault.name}: ${samples.length} samples, receipt after at most ${Math.max(...samples.map((sample) => sample.receipt_ms)).toFixed(0)} ms`,
    );
    runs.push({ fault: fault.name, samples });
  }
  return runs;
}

function victimsOf({ nodes, slug, victims, room }, count) {
  return Promise.all(
    Array.from({ length: count }, (_, i) =>
      openVictim(nodes, slug, victims[i % victims.length], room),
    ),
  );
}

async function ask({ nodes, operator }, victim) {
  const beganMs = performance.now();
  const receipt = await call(nodes[0].url, '/v1/admin/revocations', {
    token: operator,
    body: { session: victim.session, reason: 'measured' },
  });
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

function round(ms) {
  return Math.round(ms * 100) / 100;
}
