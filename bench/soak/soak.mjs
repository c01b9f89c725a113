/**
 * `npm run soak`: two nodes under a mixed load for half an hour - publishes, signals, reconnects,
 * refreshes, subscriptions that come and go, sessions ended, members removed - while every promise
 * that a client can see is checked (see ledger.mjs) and the memory of the nodes is watched. It
 * takes less than half a core, so it can run beside other work. Exit code 1 when anything was
 * violated or memory grew.
 *
 *   node bench/soak/soak.mjs [--minutes 30] [--out FILE|-]
 */
import '../../scripts/lib/require-node.mjs';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stopChildren, stopOnSignals } from '../../scripts/lib/children.mjs';
import { ensureBuilt, ensureInstalled } from '../../scripts/lib/install.mjs';

const SAMPLE_EVERY_MS = 20_000;
const VERIFY_EVERY_MS = 8_000;
const SETTLE_MS = 4_000;
const STARTED_AT_ONCE = 10;
const PAGE = 100;

const { values: options } = parseArgs({
  options: { minutes: { type: 'string', default: '30' }, out: { type: 'string' } },
});
const minutes = Number(options.minutes);
if (!(minutes > 0)) throw new Error(`--minutes ${options.minutes}: not a time`);
ensureInstalled();
if (!ensureBuilt()) process.exit(1);
const { ADMIN, minter } = await import('../seed.mjs');
const { Histogram } = await import('../harness/histogram.mjs');
const { describeCommit, describeMachine } = await import('../harness/machine.mjs');
const { family } = await import('../harness/usage.mjs');
const { call } = await import('./http.mjs');
const { Ledger } = await import('./ledger.mjs');
const { drift, sampleMemory, DRIFT_MAX, WARM_UP_MINUTES } = await import('./memory.mjs');
const { FAST, mixedLoad } = await import('./mix.mjs');
const { PEOPLE, ROOMS, cpuSeconds, openSoakWorld, readLog, startNode } =
  await import('./nodes.mjs');
const { Person } = await import('./person.mjs');

const soak = {
  run: process.pid,
  ledger: new Ledger(),
  receiptMs: new Histogram(),
  nodes: [],
  mint: undefined,
  stopping: false,
  pace: 1,
  anyNode: () => soak.nodes[Math.floor(Math.random() * soak.nodes.length)],
  pause: (ms) => sleep(ms),
};

stopOnSignals(() => console.error('\nInterrupted.'), 130);
try {
  const report = await run();
  print(report);
  if (options.out !== '-') {
    const file =
      options.out ??
      join(
        fileURLToPath(new URL('../results', import.meta.url)),
        `soak-${report.started.slice(0, 16).replaceAll(':', '')}.json`,
      );
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(report, null, 1)}\n`);
  }
  process.exitCode = report.passed ? 0 : 1;
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await stopChildren();
}

async function run() {
  const world = await openSoakWorld(console.error);
  soak.mint = await minter(world);
  soak.nodes = [await startNode(world, 0), await startNode(world, 1)];
  const started = new Date();
  const people = Array.from({ length: PEOPLE }, (_, i) => new Person(soak, i));
  for (let i = 0; i < people.length; i += STARTED_AT_ONCE)
    await Promise.all(people.slice(i, i + STARTED_AT_ONCE).map((person) => person.start()));
  const [begun, cpuBefore] = [performance.now(), cpuOf(soak.nodes.map(({ pid }) => pid))];
  const everything = cpuOf(family(process.pid));
  const elapsed = () => (performance.now() - begun) / 60_000;
  console.error(
    `${people.length} people, ${people.flatMap(({ seats }) => seats).length} connections; ${minutes} minutes.`,
  );

  const load = mixedLoad(soak, people);
  const samples = soak.nodes.map(() => []);
  const watching = [
    every(SAMPLE_EVERY_MS, async () => {
      for (const [i, node] of soak.nodes.entries()) {
        if (node.child.exitCode !== null || node.child.signalCode !== null)
          throw new Error(`${node.name} ended by itself`);
        samples[i].push(await sampleMemory(node, elapsed()));
      }
      soak.pace = elapsed() < FAST.minutes ? FAST.pace : 1;
      progress(elapsed(), samples);
    }),
    every(VERIFY_EVERY_MS, async (turn) => verifyHistory(ROOMS[turn % ROOMS.length])),
  ];
  await Promise.race([sleep(minutes * 60_000), ...watching]);
  soak.stopping = true;
  await Promise.all([load, ...watching]);
  const seconds = (performance.now() - begun) / 1000;
  const percent = (before, after) => Math.round(((after - before) / seconds) * 1000) / 10;
  const cpu = {
    nodes_percent: percent(cpuBefore, cpuOf(soak.nodes.map(({ pid }) => pid))),
    everything_percent: percent(everything, cpuOf(family(process.pid))),
  };

  await sleep(SETTLE_MS);
  for (const room of ROOMS) await verifyHistory(room);
  for (const seat of people.flatMap(({ seats }) => seats)) {
    for (const room of seat.live ? seat.subscribed : []) {
      const { head } = soak.ledger.room(room);
      if (seat.seen.get(room) !== head)
        soak.ledger.violation('lost at the end', {
          seat: seat.name,
          room,
          seen: seat.seen.get(room),
          head,
        });
    }
    seat.socket?.terminate();
  }
  return conclude({ started, seconds, cpu, samples });
}

/** Calls `work` again and again until the soak stops. */
async function every(ms, work) {
  for (let turn = 0; !soak.stopping; turn += 1) {
    await work(turn);
    for (let waited = 0; waited < ms && !soak.stopping; waited += 200) await sleep(200);
  }
}

async function verifyHistory(room) {
  for (;;) {
    const after = soak.ledger.room(room).verified;
    const { status, body } = await call(
      soak.anyNode().url,
      'GET',
      `/v1/rooms/${room}/messages?after=${after}&limit=${PAGE}`,
      soak.mint(ADMIN),
    );
    if (status === 503) return soak.ledger.note(`history: ${body.code}`);
    if (status !== 200) return soak.ledger.violation('history was refused', { room, status, body });
    soak.ledger.verify(
      room,
      body.items.toSorted((a, b) => a.seq - b.seq),
    );
    if (body.items.length < PAGE) return;
  }
}

function conclude({ started, seconds, cpu, samples }) {
  const { counts, trouble, violations } = soak.ledger;
  const logs = soak.nodes.map(readLog);
  for (const [i, { errors }] of logs.entries())
    for (const line of errors)
      soak.ledger.violation('an error in a log', { node: soak.nodes[i].name, line });
  const memory = samples.map((all, i) => ({
    node: soak.nodes[i].name,
    heap: drift(all, 'heap_kib'),
    pss: drift(all, 'pss_kib'),
    samples: all,
  }));
  const grew = memory.filter(
    ({ heap, pss }) => (heap?.drift ?? 0) > DRIFT_MAX || (pss?.drift ?? 0) > DRIFT_MAX,
  );
  return {
    started: started.toISOString(),
    command: `npm run soak -- --minutes ${minutes}`,
    machine: describeMachine(),
    commit: describeCommit(),
    seconds: Math.round(seconds),
    connections: PEOPLE + Math.ceil(PEOPLE / 3),
    counts,
    receipt_ms: soak.receiptMs.summary(),
    trouble,
    violations,
    logs: logs.map(({ levels }) => levels),
    cpu,
    drift_max: DRIFT_MAX,
    warm_up_minutes: WARM_UP_MINUTES,
    memory,
    passed: violations.count === 0 && grew.length === 0,
  };
}

function cpuOf(pids) {
  return pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
}

function progress(minute, samples) {
  const { counts, violations } = soak.ledger;
  const mib = samples.map(
    (all) => `${(all.at(-1).heap_kib / 1024).toFixed(2)}/${(all.at(-1).pss_kib / 1024).toFixed(1)}`,
  );
  console.error(
    `${minute.toFixed(1)} min: ${counts.deliveries} deliveries, ${counts.acknowledged} acknowledged, ${counts.receipts} receipts, ${counts.reconnects} reconnects, ` +
      `${violations.count} violations; live data/PSS MiB ${mib.join(' ')}`,
  );
}

function print({
  passed,
  counts,
  trouble,
  violations,
  logs,
  cpu,
  memory,
  receipt_ms: receipts,
  seconds,
}) {
  console.log(`\nSoak of ${(seconds / 60).toFixed(1)} minutes: ${passed ? 'passed' : 'FAILED'}`);
  console.log(
    `  ${Object.entries(counts)
      .map(([name, count]) => `${name.replaceAll('_', ' ')} ${count}`)
      .join(', ')}`,
  );
  if (receipts !== null)
    console.log(`  receipts: p50 ${receipts.p50.toFixed(1)} ms, p99 ${receipts.p99.toFixed(1)} ms`);
  console.log(
    `  violations: ${violations.count}; trouble: ${JSON.stringify(trouble)}; log lines by level: ${JSON.stringify(logs)}`,
  );
  console.log(
    `  CPU: nodes ${cpu.nodes_percent} % of one core, with stores and load ${cpu.everything_percent} %`,
  );
  for (const { node, heap, pss } of memory) {
    const words = [
      ['live data', heap],
      ['PSS', pss],
    ].map(([what, line]) =>
      line === null
        ? `${what} not judged (too short)`
        : `${what} ${(line.from / 1024).toFixed(2)} -> ${(line.to / 1024).toFixed(2)} MiB (${(line.drift * 100).toFixed(2)} %)`,
    );
    console.log(`  ${node}: ${words.join(', ')}`);
  }
}
