/**
 * `npm run field` puts every server of the field through the trials and writes
 * bench/results/field.json and, with `npm run docs`, the tables of docs/field.md.
 *
 *   npm run field [-- --only bare-ws,wardroom-2 --trials D3,D4 --out FILE]
 *
 * A run with `--only` or `--trials` keeps nothing unless `--out` says where.
 */
import '../../scripts/lib/require-node.mjs';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { removeAtEnd, stopChildren, stopOnSignals } from '../../scripts/lib/children.mjs';
import { ensureBuilt, ensureInstalled, root } from '../../scripts/lib/install.mjs';
import { describeCommit, describeMachine } from '../harness/machine.mjs';
import { ADAPTERS } from './adapters/index.mjs';
import { RESULTS, figureTable, verdictTable } from './report.mjs';
import { TIMING, TRIALS } from './trials.mjs';

/** Trials that wait more than they do: those of all servers run beside each other. */
const WAITING = [['silence'], ['D1', 'D2']];
const ACTING = ['D3', 'D4', 'D8', 'D9'];

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    trials: { type: 'string' },
    out: { type: 'string' },
  },
});
const wanted = (names, text) => {
  const asked = text?.split(',') ?? names;
  const unknown = asked.filter((name) => !names.includes(name));
  if (unknown.length === 0) return asked;
  console.error(`There is no ${unknown.join(', ')}. Known: ${names.join(', ')}.`);
  process.exit(2);
};
const names = wanted(Object.keys(ADAPTERS), values.only);
const trials = wanted(Object.keys(TRIALS), values.trials);

ensureInstalled();
if (!ensureBuilt()) process.exit(1);
stopOnSignals(() => console.error('\nInterrupted.'), 130);
const began = performance.now();
const seconds = () => Math.round((performance.now() - began) / 1000);
const say = (line) => console.error(`${String(seconds()).padStart(4)} s  ${line}`);
const folder = mkdtempSync(join(tmpdir(), 'wardroom-field-logs-'));
removeAtEnd(folder);
const entries = [];
try {
  for (const name of names) entries.push(await open(ADAPTERS[name]));
  const servers = entries.filter(({ server }) => server !== undefined);
  const waiting = WAITING.map((some) => Promise.all(servers.map((entry) => each(entry, some))));
  await waiting.at(-1);
  for (const entry of servers) await each(entry, ACTING);
  await Promise.all(waiting);
  await Promise.all(servers.map(({ server }) => server.stop()));
} finally {
  await stopChildren();
}

const report = {
  name: 'field',
  at: new Date().toISOString(),
  command: ['npm run field', ...process.argv.slice(2)].join(' '),
  seconds: seconds(),
  commit: describeCommit(),
  machine: { ...describeMachine(), cores_used: null },
  timing: TIMING,
  servers: entries.map(({ server: _server, ...entry }) => entry),
};
const whole = values.only === undefined && values.trials === undefined;
const out = values.out ?? (whole ? RESULTS : undefined);
if (out !== undefined) writeFileSync(out, `${JSON.stringify(report, null, 1)}\n`);
console.log(`${verdictTable(report)}\n\n${figureTable(report)}`);
if (out === RESULTS)
  spawnSync(process.execPath, [join(root, 'scripts/docs.mjs')], { stdio: 'inherit' });
const broken = entries.filter((entry) => Object.values(entry.trials).some(({ error }) => error));
for (const { name } of broken) console.error(`A trial of ${name} could not be run.`);
process.exit(broken.length === 0 ? 0 : 1);

/** @returns {Promise<any>} */
async function open({ name, title, nodes, docs, setUp, means, version, missing, start }) {
  const entry = { name, title, nodes, docs, setUp, means, trials: {} };
  const reason = missing();
  if (reason !== undefined) {
    say(`${name} is left out: ${reason}`);
    return { ...entry, missing: reason };
  }
  const server = await start(folder);
  say(`${name}: ${version()}`);
  return { ...entry, version: version(), server };
}

async function each(entry, some) {
  for (const trial of some.filter((name) => trials.includes(name))) {
    try {
      entry.trials[trial] = await TRIALS[trial].run(entry.server, TIMING);
      say(`${entry.name} ${trial}: ${entry.trials[trial].verdict}`);
    } catch (error) {
      entry.trials[trial] = { error: error instanceof Error ? error.message : String(error) };
      say(`${entry.name} ${trial}: ${entry.trials[trial].error}`);
    }
  }
}
