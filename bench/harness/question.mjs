/**
 * One question: peers that do the same work, side by side in the same run, interleaved (A B C, A B
 * C, ...), a fresh server for each run. Prints medians and spread, writes every run to
 * results/<name>.json, after each repetition.
 *
 *   node bench/<question>.mjs [--quick] [--reps 5] [--peers a,b] [--out FOLDER] [--resume] [--check] [--profile FOLDER]
 *
 * --quick: smaller and shorter, results are not kept unless --out says where. --resume: nothing is
 * done when the result of this commit
 * is there and whole. --check: exit 1 when a ratio to bare `ws` is over its ceiling. --profile: CPU
 * profiles of our servers (the figures are then not to be used).
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stopChildren, stopOnSignals } from '../../scripts/lib/children.mjs';
import { minter, openWorld, pin } from '../seed.mjs';
import { FIGURES, faultsOf, judge, passes, show, spreadOf, wordsOf } from './figures.mjs';
import { describeCommit, describeMachine, loadAverage } from './machine.mjs';
import { runOnce } from './one-run.mjs';
import { peers } from './peers.mjs';
import { LOAD_CORE, pinned } from './servers.mjs';

const RESULTS = fileURLToPath(new URL('../results', import.meta.url));
const REPS = 5;
const QUICK_REPS = 3;

const DEFAULTS = {
  subscribers: 0,
  publishers: 0,
  rooms: 1,
  users: 0,
  window: 8,
  rate: 0,
  flood: 0,
  payload: 128,
  closeOn: 'delivery',
  warmEnds: 0,
  settleMs: 300,
  /**
   * Under the same load, before anything counts: a server runs for days, a compiler needs seconds.
   */
  warmSeconds: 2,
  seconds: 0,
  holdMs: 0,
  nodes: 1,
};

export const withDefaults = (load) => ({ ...DEFAULTS, ...load });

/**
 * @typedef {object} Question
 * @property {string} name of script and result file
 * @property {string} title
 * @property {string} text what is done, in a sentence or two
 * @property {Record<string, unknown>} load see DEFAULTS
 * @property {{ name: string, load?: object, quick?: object, peers?: string[], reps?: number }[]}
 * [steps] the same with variations
 * @property {object} [quick] of `load`, for the quick cut
 * @property {string[]} peers
 * @property {string[]} [others] peers that no target needs: they run in the first repetitions only
 * @property {number} [othersReps] how many that are: 2, and 1 where a run is long
 * @property {string[]} figures the first is the main one
 * @property {object[]} [targets]
 * @property {object} [series] a heading and one value per step: then the plot is a line
 */
/** @param {Question} question */
export async function ask(question) {
  const { values: options } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      resume: { type: 'boolean', default: false },
      reps: { type: 'string' },
      peers: { type: 'string' },
      out: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  stopOnSignals(() => console.error('\nInterrupted.'), 130);
  if (pinned) pin(LOAD_CORE);
  const folder =
    options.out ?? (options.quick || options.profile !== undefined ? undefined : RESULTS);
  const file = folder === undefined ? undefined : join(folder, `${question.name}.json`);
  const commit = describeCommit();
  if (options.resume && file !== undefined && isWhole(file, commit))
    return console.log(`${question.name}: kept, ${file} is whole and of ${commit}.`);
  try {
    const world =
      process.env.BENCH_WORLD === undefined
        ? await openWorld({ log: console.error, aged: true })
        : JSON.parse(readFileSync(process.env.BENCH_WORLD, 'utf8'));
    const report = await measure(question, options, {
      world,
      mint: await minter(world),
      commit,
      file,
    });
    print(report);
    if (report.failed.length > 0 || (options.check && !passes(report))) process.exitCode = 1;
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  } finally {
    await stopChildren();
  }
}

async function measure(question, options, { commit, file, world, mint }) {
  const {
    name,
    title,
    text,
    figures,
    targets = [],
    series,
    others = [],
    othersReps = 2,
    steps = [{ name: '' }],
  } = question;
  const known = [...question.peers, ...others];
  const asked = known.filter((peer) => options.peers?.split(',').includes(peer) ?? true);
  const names = asked.filter((peer) => {
    const reason = peers[peer].missing?.();
    if (reason) console.error(`${peer} is left out: ${reason}.`);
    return !reason;
  });
  const reps = Number(options.reps ?? (options.quick ? QUICK_REPS : REPS));
  const report = {
    name,
    title,
    text,
    figures,
    targets,
    ...(series === undefined ? {} : { series }),
    quick: options.quick,
    command: `npm run bench -- ${name}${options.quick ? ' --quick' : ''}${reps === REPS ? '' : ` --reps ${reps}`}${options.peers === undefined ? '' : ` --peers ${options.peers}`}`,
    machine: describeMachine(),
    commit,
    whole: false,
    seconds: 0,
    peers: Object.fromEntries(
      names.map((peer) => [peer, { what: peers[peer].what, version: peers[peer].version() }]),
    ),
    steps: steps.map((step) => step.name),
    failed: [],
    runs: [],
  };
  const started = performance.now();
  for (let rep = 1; rep <= reps; rep += 1) {
    for (const step of steps) {
      const load = withDefaults({
        ...question.load,
        ...step.load,
        ...(options.quick ? { ...question.quick, ...step.quick } : {}),
      });
      for (const peer of names) {
        const runs = step.peers?.includes(peer) ?? true;
        if (!runs || rep > (step.reps ?? reps) || (rep > othersReps && others.includes(peer)))
          continue;
        await note(report, { peer, step: step.name, rep }, () =>
          runOnce(peer, load, options.profile, { world, mint }),
        );
      }
    }
    Object.assign(report, {
      seconds: Math.round((performance.now() - started) / 1000),
      whole: rep === reps && report.failed.length === 0,
    });
    if (file === undefined) continue;
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, `${JSON.stringify(report, null, 1)}\n`);
  }
  return report;
}

/** A run that fails is reported and takes nothing else with it. */
async function note(report, { peer, step, rep }, run) {
  const where = `${report.name} #${rep} ${step} ${peer}`.replace('  ', ' ');
  const started = performance.now();
  try {
    const result = await run();
    report.runs.push({
      peer,
      step,
      rep,
      at: new Date().toISOString(),
      load_average: loadAverage(),
      result,
    });
    const main = report.figures.slice(0, 4).flatMap((figure) => {
      const value = FIGURES[figure].read(result);
      return value === undefined
        ? []
        : [`${FIGURES[figure].heading} ${show(value, FIGURES[figure].digits)}`];
    });
    const faults = Object.entries(faultsOf(result)).filter(([, count]) => count > 0);
    const trouble =
      faults.map(([fault, count]) => `, ${count} ${fault}`).join('') +
      (result.error ? ` (${result.error.split('\r\n')[0]})` : '');
    console.error(
      `${where}: ${main.join(', ')}${trouble} [${((performance.now() - started) / 1000).toFixed(1)} s]`,
    );
  } catch (error) {
    console.error(`${where} FAILED: ${error.message.slice(0, 600)}`);
    report.failed.push({ peer, step, rep, error: error.message });
  }
}

function isWhole(file, commit) {
  if (!existsSync(file)) return false;
  const report = JSON.parse(readFileSync(file, 'utf8'));
  return (
    report.commit === commit &&
    !commit.endsWith('+') &&
    report.whole === true &&
    report.quick === false
  );
}

function print({ title, figures, peers: measured, steps, runs, targets }) {
  console.log(`\n${title}`);
  for (const step of steps) {
    if (step !== '') console.log(`  ${step}`);
    for (const peer of Object.keys(measured)) {
      const mine = runs.filter((run) => run.peer === peer && run.step === step);
      const cells = figures
        .map((figure) => [FIGURES[figure], spreadOf(mine, figure)])
        .filter(([, spread]) => spread !== null);
      if (cells.length === 0) continue;
      const words = cells.map(
        ([{ heading, digits }, { median, min, max }]) =>
          `${heading} ${show(median, digits)} (${show(min, digits)}..${show(max, digits)})`,
      );
      console.log(`    ${peer.padEnd(18)} ${words.join('; ')}`);
    }
  }
  for (const target of targets) {
    const verdict = judge(target, runs);
    if (verdict !== null)
      console.log(
        `  ${verdict.met ? 'met   ' : 'MISSED'} ${wordsOf(target)}: ${show(verdict.value, 2)}`,
      );
  }
}
