/**
 * The arithmetic of docs/scale.md, from measured costs: what a million connections and half a
 * million deliveries a second need. Every cost comes from results/<question>.json. How the members
 * of a room fall on nodes is simulated (a seeded generator: the same table every time).
 *
 *   node bench/scale.mjs [--connections 1000000] [--deliveries 500000] [--members 10] [--connects 3333] [--load 0.6] [--print]
 */
import '../scripts/lib/require-node.mjs';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { show, spreadOf } from './harness/figures.mjs';

const DOC = fileURLToPath(new URL('../docs/scale.md', import.meta.url));
const MARKERS = ['<!-- figures of bench/scale.mjs -->', '<!-- end of figures -->'];
/** Of a room in the questions that the costs come from. */
const MEASURED_MEMBERS = 10;
const ROOMS_SIMULATED = 50_000;

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '1000000' },
    deliveries: { type: 'string', default: '500000' },
    members: { type: 'string', default: '10' },
    connects: { type: 'string', default: '3333' },
    load: { type: 'string', default: '0.6' },
    results: { type: 'string', default: fileURLToPath(new URL('./results', import.meta.url)) },
    print: { type: 'boolean', default: false },
  },
});
const target = Object.fromEntries(
  ['connections', 'deliveries', 'members', 'connects', 'load'].map((name) => [
    name,
    Number(values[name]),
  ]),
);

/** Median of a figure in the results of a question. */
function cost(question, peer, step, figure) {
  const file = join(values.results, `${question}.json`);
  const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { runs: [] };
  const spread = spreadOf(
    report.runs.filter((run) => run.peer === peer && run.step === step),
    figure,
  );
  if (spread === null)
    throw new Error(`${figure} of ${peer} is not in ${file}: npm run bench -- ${question}`);
  return {
    value: spread.median,
    source: `[${question}](benchmarks.md#${question}), ${spread.runs} runs${report.quick ? ' of a quick cut' : ''}, ${report.commit}`,
  };
}

const signal = 'wardroom-signal';
const durable = 'wardroom-durable';
const inputs = {
  'memory of an idle connection, KiB': cost('idle-memory', signal, '', 'kib_per_connection'),
  'an idle node with 10,000 connections, % of a core': cost(
    'idle-memory',
    signal,
    '',
    'idle_cpu_percent',
  ),
  'connect, authenticate, subscribe, ms': cost('connect-storm', signal, '', 'cpu_ms_per_connect'),
  'signal in rooms of 10, µs per delivery': cost('steady-rate', signal, '', 'cpu_us_per_delivery'),
  'durable in rooms of 10, µs per delivery': cost(
    'steady-rate',
    durable,
    '',
    'cpu_us_per_delivery',
  ),
  'the same on 1 node at 500 messages/s': cost('more-nodes', signal, '1', 'cpu_us_per_delivery'),
  'the same on 4 nodes at 500 messages/s': cost('more-nodes', signal, '4', 'cpu_us_per_delivery'),
  'messages/s there': {
    ...cost('more-nodes', signal, '4', 'deliveries_per_s'),
    per: MEASURED_MEMBERS,
  },
  'Redis, 2 nodes, µs per message': cost('more-nodes', signal, '2', 'redis_us_per_publish'),
  'Redis, 4 nodes, µs per message': cost('more-nodes', signal, '4', 'redis_us_per_publish'),
  'Postgres, µs per durable message': cost(
    'publish-rate',
    durable,
    'nobody listening',
    'postgres_us_per_publish',
  ),
  'durable messages/s on one node beside its Postgres': cost(
    'publish-rate',
    durable,
    'nobody listening',
    'acks_per_s',
  ),
};
const input = (name) => inputs[name].value / (inputs[name].per ?? 1);

/** The cost of three further nodes for each message, without the cost of an idle node. */
const idlePerMessage =
  (3 * input('an idle node with 10,000 connections, % of a core') * 10_000) /
  input('messages/s there');
const receiving = Math.max(
  0,
  ((input('the same on 4 nodes at 500 messages/s') -
    input('the same on 1 node at 500 messages/s')) *
    MEASURED_MEMBERS -
    idlePerMessage) /
    3,
);
const perReceiver = Math.max(
  0,
  (input('Redis, 4 nodes, µs per message') - input('Redis, 2 nodes, µs per message')) / 2,
);
const perMessage = Math.max(0, input('Redis, 2 nodes, µs per message') - perReceiver);

function plan(kind) {
  const perDelivery = input(`${kind} in rooms of 10, µs per delivery`);
  const messages = target.deliveries / target.members;
  const base =
    (target.connections / 10_000) *
      (input('an idle node with 10,000 connections, % of a core') / 100) +
    (target.connects * input('connect, authenticate, subscribe, ms')) / 1_000 +
    (target.deliveries * perDelivery) / 1e6;
  // More nodes make more copies of a message, which need more nodes: a few rounds settle it.
  let nodes = Math.ceil(base / target.load);
  let spread = placement(nodes);
  for (let round = 0; round < 20; round += 1) {
    const cores = base + (messages * (spread.distinct - 1) * receiving) / 1e6;
    const needed = Math.ceil(cores / target.load);
    if (needed === nodes) break;
    nodes = needed;
    spread = placement(nodes);
  }
  const busiest = spread.largest / (target.connections / nodes);
  const redis = (messages * (perMessage + perReceiver * (spread.distinct - 1))) / 1e6;
  const postgres =
    kind === 'durable' ? (messages * input('Postgres, µs per durable message')) / 1e6 : 0;
  return {
    nodes,
    distinct: spread.distinct,
    busiest,
    redis,
    postgres,
    memory: (target.connections * input('memory of an idle connection, KiB')) / 2 ** 20,
  };
}

/**
 * Members of a room connect to any node. @returns how many nodes a message has to reach, and the
 * connections of the fullest node
 */
function placement(nodes) {
  const random = seeded(1);
  const filled = new Float64Array(nodes);
  let distinct = 0;
  for (let room = 0; room < ROOMS_SIMULATED; room += 1) {
    const reached = new Set();
    for (let member = 0; member < target.members; member += 1)
      reached.add(Math.floor(random() * nodes));
    distinct += reached.size;
    for (const node of reached) filled[node] += 1;
  }
  const mean = filled.reduce((sum, count) => sum + count, 0) / nodes;
  return {
    distinct: distinct / ROOMS_SIMULATED,
    largest: (Math.max(...filled) / mean) * (target.connections / nodes),
  };
}

/**
 * A linear congruential generator: good enough to throw members at nodes, and the same everywhere.
 */
function seeded(start) {
  let state = start;
  return () => (state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32) / 2 ** 32;
}

function table() {
  const plans = [plan('signal'), plan('durable')];
  const row = (what, read, yardstick = '') =>
    `| ${what} | ${plans.map(read).join(' | ')} | ${yardstick} |`;
  const { load, members, connects, connections, deliveries } = target;
  return [
    `${show(connections, 0)} connections, ${show(deliveries, 0)} deliveries/s in rooms of ${members} (${show(deliveries / members, 0)} messages/s), ${show(connects, 0)} connects/s, nodes ${load * 100} % busy:`,
    '',
    '| | all signals | all durable | Centrifugo, published |',
    '|---|---|---|---|',
    row('nodes, one core each', (p) => show(p.nodes, 0), '20 pods of 2 CPU: 40'),
    row('memory of the connections, GiB', (p) => show(p.memory, 1), '27 GB, everything'),
    row('nodes that a message reaches', (p) => show(p.distinct, 1)),
    row('fullest node against the mean', (p) => show(p.busiest, 2)),
    row('Redis cores', (p) => show(p.redis, 1), '5 x 0.32 = 1.6'),
    row(
      `Redis shards at ${load * 100} %`,
      (p) => show(Math.max(1, Math.ceil(p.redis / load)), 0),
      '5',
    ),
    row(
      'Postgres cores for messages',
      (p) => (p.postgres === 0 ? '0' : show(p.postgres, 1)),
      'no database',
    ),
    '',
    '| input | value | from |',
    '|---|---|---|',
    ...Object.entries(inputs).map(
      ([name, { source }]) =>
        `| ${name} | ${show(input(name), input(name) < 100 ? 2 : 0)} | ${source} |`,
    ),
    `| receiving a message from Redis, µs (derived) | ${show(receiving, 1)} | ((4 nodes - 1 node) x ${MEASURED_MEMBERS} - 3 idle nodes) / 3 |`,
    `| Redis, µs per message + per further node (derived) | ${show(perMessage, 1)} + ${show(perReceiver, 1)} | from 2 and 4 nodes |`,
  ].join('\n');
}

const text = table();
if (values.print) console.log(text);
else {
  const doc = readFileSync(DOC, 'utf8');
  const [start, end] = MARKERS.map((marker) => doc.indexOf(marker));
  if (start < 0 || end < start) throw new Error(`${DOC} has no ${MARKERS.join(' ... ')}`);
  writeFileSync(DOC, `${doc.slice(0, start + MARKERS[0].length)}\n\n${text}\n\n${doc.slice(end)}`);
  console.log('Wrote the tables of docs/scale.md.');
}
