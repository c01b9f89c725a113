/**
 * `npm run bench` asks every question and writes docs/benchmarks.md; `npm run bench -- fan-out
 * end-session --quick` some of them, quickly. Each question runs in a process of its own on stores
 * that they share. Options are passed on (see harness/question.mjs).
 */
import '../scripts/lib/require-node.mjs';
import { readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild, stopChildren, stopOnSignals } from '../scripts/lib/children.mjs';
import { ensureBuilt, ensureInstalled } from '../scripts/lib/install.mjs';
import { ORDER } from './harness/order.mjs';

const folder = fileURLToPath(new URL('.', import.meta.url));
/** Another harness, on stores and cores of its own choice: it measures promises, not prices. */
const REVOCATION = 'revocation';
const NOT_QUESTIONS = new Set([
  'run',
  'seed',
  'shared-driver',
  'report',
  'gate',
  'scale',
  'paired',
]);
const known = readdirSync(folder)
  .filter((file) => file.endsWith('.mjs'))
  .map((file) => basename(file, '.mjs'))
  .filter((name) => !NOT_QUESTIONS.has(name))
  .sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b))
  .concat(REVOCATION);

const words = process.argv.slice(2);
const firstOption = words.findIndex((word) => word.startsWith('-'));
const asked = firstOption < 0 ? words : words.slice(0, firstOption);
const options = firstOption < 0 ? [] : words.slice(firstOption);
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`There is no question ${unknown.join(', ')}. Known: ${known.join(', ')}.`);
  process.exit(1);
}

ensureInstalled();
if (!ensureBuilt()) process.exit(1);
stopOnSignals(() => console.error('\nInterrupted.'), 130);
const { openWorld, pin } = await import('./seed.mjs');
const { LOAD_CORE, pinned } = await import('./harness/servers.mjs');
const failed = [];
const times = [];
const wanted = asked.length > 0 ? asked : known;
const questions = wanted.filter((name) => name !== REVOCATION);
try {
  if (questions.length > 0) await askAll();
  if (wanted.includes(REVOCATION)) {
    // It has options of its own; only this one means the same.
    const shared = asked.includes(REVOCATION)
      ? options
      : options.filter((option) => option === '--quick');
    await time(REVOCATION, 'revocation/measure.mjs', process.env, shared);
  }
} finally {
  await stopChildren();
}
console.log(
  `\n${times.map(({ name, seconds }) => `${name} ${seconds.toFixed(0)} s`).join(', ')}; ${(times.reduce((sum, { seconds }) => sum + seconds, 0) / 60).toFixed(1)} minutes in all.`,
);
if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(', ')}`);
  process.exitCode = 1;
}

async function askAll() {
  if (pinned) pin(LOAD_CORE);
  const world = await openWorld({ log: console.error, aged: true });
  const file = join(world.dir, 'world.json');
  writeFileSync(file, JSON.stringify(world), { mode: 0o600 });
  for (const name of questions)
    await time(name, `${name}.mjs`, { ...process.env, BENCH_WORLD: file }, options);
  if (!options.includes('--quick')) {
    for (const script of ['report', 'scale'])
      if ((await run([join(folder, `${script}.mjs`)], process.env)) !== 0) failed.push(script);
  }
}

async function time(name, script, env, args) {
  const started = performance.now();
  if ((await run([join(folder, script), ...args], env)) !== 0) failed.push(name);
  times.push({ name, seconds: (performance.now() - started) / 1000 });
}

async function run(args, env) {
  const child = startChild(process.execPath, args, {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
    graceMs: 30_000,
  });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}
