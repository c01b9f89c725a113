/**
 * One question: peers that do the same work, side by side in the same run, interleaved (A B C, A B C, ...), a fresh server for
 * each run. Prints medians and spread, writes every run to results/<name>.json.
 *
 *   node bench/<question>.mjs [--quick] [--reps 5] [--peers a,b] [--out FOLDER] [--check] [--profile FOLDER]
 *
 * --quick: smaller and shorter, results are not kept unless --out says where. --check: exit 1 when a ratio to bare `ws` is over its
 * ceiling. --profile: CPU profiles of our servers (the figures are then not to be used).
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stopChildren, stopOnSignals } from '../../scripts/children.mjs';
import { freePort } from '../../scripts/stores/machine.mjs';
import { ADMIN, FIRST_PUBLISHER, minter, openSessionSet, openWorld, pin, sessionId, writeTokens } from '../seed.mjs';
import { FIGURES, faultsOf, judge, show, spreadOf, wordsOf } from './figures.mjs';
import { describeCommit, describeMachine, loadAverage } from './machine.mjs';
import { peers } from './peers.mjs';
import { LOAD_CORE, family, pinned, startServer } from './servers.mjs';

const LOAD = fileURLToPath(new URL('./load.mjs', import.meta.url));
const RUN_LIMIT_MS = 180_000;
const RESULTS = fileURLToPath(new URL('../results', import.meta.url));

const DEFAULTS = {
  subscribers: 0,
  publishers: 0,
  rooms: 1,
  users: 0,
  window: 8,
  rate: 0,
  payload: 128,
  closeOn: 'delivery',
  settleMs: 500,
  warmSeconds: 1,
  seconds: 0,
  holdMs: 0,
  nodes: 1,
};

/**
 * @param {object} question
 * @param {string} question.name of script and result file
 * @param {string} question.title
 * @param {string} question.text what is done, in a sentence or two
 * @param {object} question.load see DEFAULTS
 * @param {{ name: string, load?: object }[]} [question.steps] the same with variations
 * @param {object} [question.quick] of `load`, for the quick cut
 * @param {string[]} question.peers
 * @param {string[]} question.figures the first is the main one
 * @param {object[]} [question.targets]
 */
export async function ask(question) {
  const { values: options } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      reps: { type: 'string' },
      peers: { type: 'string' },
      out: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  stopOnSignals(() => console.error('\nInterrupted.'), 130);
  if (pinned) pin(LOAD_CORE);
  try {
    const world = process.env.BENCH_WORLD === undefined ? await openWorld({ log: console.error }) : JSON.parse(readFileSync(process.env.BENCH_WORLD, 'utf8'));
    const report = await measure(question, options, { world, mint: await minter(world) });
    print(report);
    const folder = options.out ?? (options.quick || options.profile !== undefined ? undefined : RESULTS);
    if (folder !== undefined) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `${question.name}.json`), `${JSON.stringify(report, null, 1)}\n`);
    }
    if (options.check && !passes(report)) process.exitCode = 1;
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  } finally {
    await stopChildren();
  }
}

async function measure(question, options, ctx) {
  const wanted = options.peers?.split(',') ?? question.peers;
  const asked = question.peers.filter((name) => wanted.includes(name));
  const names = asked.filter((name) => peers[name].available?.() ?? true);
  for (const name of asked) if (!names.includes(name)) console.error(`${name} is not installed here: left out.`);
  const reps = Number(options.reps ?? (options.quick ? 3 : 5));
  const steps = question.steps ?? [{ name: '' }];
  const runs = [];
  for (let rep = 1; rep <= reps; rep += 1) {
    for (const step of steps) {
      for (const name of names) {
        const load = { ...DEFAULTS, ...question.load, ...step.load, ...(options.quick ? { ...question.quick, ...step.quick } : {}) };
        try {
          const result = await runOnce(name, load, options, ctx);
          runs.push({ peer: name, step: step.name, rep, at: new Date().toISOString(), load_average: loadAverage(), result });
          const main = question.figures
            .slice(0, 4)
            .map((figure) => `${FIGURES[figure].heading} ${show(FIGURES[figure].read(result) ?? NaN, FIGURES[figure].digits)}`);
          const faults = Object.entries(faultsOf(result)).filter(([, count]) => count > 0);
          console.error(
            `${question.name} #${rep} ${step.name} ${name}: ${main.join(', ')}${faults.map(([fault, count]) => `, ${count} ${fault}`).join('')}${result.error ? ` (${result.error.split('\r\n')[0]})` : ''}`,
          );
        } catch (error) {
          console.error(`${question.name} #${rep} ${step.name} ${name} FAILED: ${error.message.slice(0, 600)}`);
          runs.push({ peer: name, step: step.name, rep, failed: error.message });
        }
      }
    }
  }
  const { name, title, text, figures, targets = [], series } = question;
  return {
    name,
    title,
    text,
    figures,
    targets,
    ...(series === undefined ? {} : { series }),
    quick: options.quick,
    command: `node bench/${name}.mjs${options.quick ? ' --quick' : ''} --reps ${reps}`,
    machine: describeMachine(),
    commit: describeCommit(),
    peers: Object.fromEntries(names.map((peer) => [peer, { what: peers[peer].what, version: peers[peer].version() }])),
    steps: steps.map((step) => step.name),
    failed: runs.filter((run) => run.failed !== undefined),
    runs: runs.filter((run) => run.failed === undefined),
  };
}

let runNumber = 0;

async function runOnce(name, load, options, { world, mint }) {
  runNumber += 1;
  const { server, client, ours } = peers[name];
  const flags = ours && options.profile !== undefined ? ['--cpu-prof', `--cpu-prof-dir=${options.profile}`] : [];
  const users = Array.from({ length: load.users || load.subscribers }, (_, i) => i);
  const publishers = Array.from({ length: load.publishers }, (_, i) => FIRST_PUBLISHER + i);
  const set = load.ends === undefined ? 0 : await openSessionSet(world);
  const tokens = writeTokens(mint, join(world.dir, 'tokens.txt'), [...users, ...publishers], () => set);
  const servers = [];
  const start = async (port) => startServer(server({ port, world, flags }), { port, dir: world.dir, name });
  let generator;
  try {
    const ports = [];
    for (let i = 0; i < load.nodes; i += 1) ports.push(await freePort());
    for (const port of ports) servers.push(await start(port));
    await sleep(500);
    const spec = {
      ...load,
      ...client,
      publish: client.publish.replace('{run}', `${process.pid}-${runNumber}`),
      ports,
      tokens,
      watch: servers.flatMap(({ pid }) => family(pid)),
      ends: load.ends === undefined ? undefined : Array.from({ length: load.ends }, (_, user) => ({ user, request: endRequest(mint, user, set) })),
    };
    generator = spawn(process.execPath, [LOAD], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the run took too long')), RUN_LIMIT_MS);
      generator.once('exit', (code) => {
        clearTimeout(timer);
        reject(new Error(`the load generator ended with ${code}`));
      });
      generator.on('message', (message) => {
        if (message.result !== undefined) resolve(message.result);
        else if (message.error !== undefined) reject(new Error(message.error));
        else if (message.event === 'ready') void restart().catch(reject);
      });
      generator.send({ spec });
    });
    async function restart() {
      await sleep(1_000);
      await servers[0].kill();
      servers[0] = await start(ports[0]);
    }
  } finally {
    generator?.kill('SIGKILL');
    for (const each of servers) await each.stop();
  }
}

/** Ours only: an admin of the tenant ends a session. */
function endRequest(mint, user, set) {
  const body = JSON.stringify({ session: sessionId(user, set), reason: 'bench' });
  return (
    `POST /v1/admin/revocations HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${mint(ADMIN)}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}

function print({ title, figures, peers: measured, steps, runs, targets }) {
  console.log(`\n${title}`);
  for (const step of steps) {
    if (step !== '') console.log(`  ${step}`);
    for (const peer of Object.keys(measured)) {
      const mine = runs.filter((run) => run.peer === peer && run.step === step);
      const cells = figures.map((figure) => [FIGURES[figure], spreadOf(mine, figure)]).filter(([, spread]) => spread !== null);
      if (cells.length === 0) continue;
      const words = cells.map(
        ([{ heading, digits }, { median, min, max }]) => `${heading} ${show(median, digits)} (${show(min, digits)}..${show(max, digits)})`,
      );
      console.log(`    ${peer.padEnd(18)} ${words.join('; ')}`);
    }
  }
  for (const target of targets) {
    const verdict = judge(target, runs);
    if (verdict !== null) console.log(`  ${verdict.met ? 'met   ' : 'MISSED'} ${wordsOf(target)}: ${show(verdict.value, 2)}`);
  }
}

/** Only what is robust on a busy machine: every run succeeded, and no ratio is over its ceiling. */
function passes({ targets, runs, failed }) {
  let good = failed.length === 0;
  for (const target of targets) {
    const verdict = target.ceiling === undefined ? null : judge(target, runs);
    if (verdict === null || verdict.value <= target.ceiling) continue;
    console.log(`REGRESSION ${wordsOf(target)}: ${show(verdict.value, 2)}, over the ceiling of ${target.ceiling}`);
    good = false;
  }
  return good;
}
