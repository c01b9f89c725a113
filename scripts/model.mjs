/**
 * `npm run test:model`: SPIN over docs/model/authority.pml. The true protocol must hold in every
 * reachable state; every seeded bug must be found, or the checker proves nothing. `npm run
 * test:model -- WORD` runs what has WORD in its name, `-- WORD,WORD` what has one of them. Without
 * spin or a C compiler it says so and passes, except in CI.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const model = fileURLToPath(new URL('../docs/model/authority.pml', import.meta.url));
/** Deeper than any run; pan says so itself when it is not. */
const DEPTH = 2_000_000;
const SECONDS_MAX = 240;
const MEMORY_MB = 6_000;

const SESSION = 'SESSION';
const ROOM = 'ROOM';
/** A property has to be searched to the end; a bug only has to be found. */
const runs = [
  { name: 'two nodes', flags: [SESSION], holds: true },
  { name: 'two nodes, one reloads its snapshot', flags: [SESSION, 'RELOAD', 'ALONE'], holds: true },
  {
    name: 'a node dies or leaves, its successor starts',
    flags: [SESSION, 'RESTART', 'RELOAD'],
    holds: true,
  },
  { name: 'Postgres steps back', flags: [SESSION, 'REWIND', 'SOLO'], holds: true },
  {
    name: 'Postgres steps back, two nodes and nothing but the end',
    flags: [SESSION, 'REWIND', 'ALONE'],
    holds: true,
  },
  { name: 'durable events', flags: [ROOM, 'DURABLE', 'RELOAD'], holds: true },
  { name: 'transient frames and the receipt', flags: [ROOM, 'TRANSIENT', 'RELOAD'], holds: true },
  { name: 'what a member publishes', flags: [ROOM, 'PUBLISH', 'RELOAD'], holds: true },
  { name: 'lease extended without reaching the head', flags: [SESSION, 'BUG_LEASE'] },
  { name: 'registered without a second check', flags: [SESSION, 'BUG_REGISTER'] },
  { name: 'effect without its guard', flags: [SESSION, 'BUG_GUARD'] },
  { name: 'the waiter is impatient', flags: [SESSION, 'BUG_WAIT'] },
  {
    name: 'the waiter counts from a round of before and does not look again',
    flags: [SESSION, 'BUG_SIGHTING'],
  },
  { name: 'a hole in the log is skipped', flags: [SESSION, 'BUG_GAP'] },
  { name: 'a late announcement gives back what the log took', flags: [SESSION, 'BUG_LATE'] },
  {
    name: 'a round that reads the head before its row is committed',
    flags: [SESSION, 'BUG_ROUND'],
  },
  {
    name: 'a confirmation is a number, whatever the history',
    flags: [SESSION, 'REWIND', 'SOLO', 'BUG_CONFIRMED'],
  },
  {
    name: 'a round compares numbers, whatever the history',
    flags: [SESSION, 'REWIND', 'SOLO', 'BUG_ROUND_NUMBER'],
  },
  {
    name: 'the head counts as reached by its number',
    flags: [SESSION, 'REWIND', 'SOLO', 'BUG_HEAD_NUMBER'],
  },
  { name: 'silence counts across a step back', flags: [SESSION, 'REWIND', 'SOLO', 'BUG_SILENCE'] },
  { name: 'delivery without the epoch rule', flags: [ROOM, 'DURABLE', 'BUG_EPOCH'] },
  { name: 'a load that the log overtook is kept', flags: [ROOM, 'DURABLE', 'BUG_LOAD'] },
  {
    name: 'an addition of rights moves the epoch (delivery)',
    flags: [ROOM, 'DURABLE', 'BUG_GROWN'],
  },
  {
    name: 'an addition of rights moves the epoch (publish)',
    flags: [ROOM, 'PUBLISH', 'BUG_GROWN'],
  },
  {
    name: 'a reload keeps the subscriptions (delivery)',
    flags: [ROOM, 'DURABLE', 'RELOAD', 'BUG_RELOAD'],
  },
  {
    name: 'a reload keeps the subscriptions (transient)',
    flags: [ROOM, 'TRANSIENT', 'RELOAD', 'BUG_RELOAD'],
  },
  { name: 'commit without comparing epochs', flags: [ROOM, 'PUBLISH', 'BUG_STALE'] },
];

const missing = ['spin', 'gcc'].filter(
  (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).error !== undefined,
);
if (missing.length > 0) {
  console.log(
    `The model was not checked: ${missing.join(' and ')} not found (Debian: apt-get install spin gcc).`,
  );
  process.exitCode = process.env.CI === undefined ? 0 : 1;
} else {
  checkAll();
}

function checkAll() {
  const words = process.argv.slice(2);
  const wanted = runs.filter(({ name, flags }) =>
    words.every((word) => hasOneOf(`${name} ${flags.join(' ')}`, word)),
  );
  let failed = 0;
  console.log(row('', 'model', 'states', 'seconds', 'found'));
  for (const run of wanted) {
    const { verdict, states, seconds, output } = check(run);
    const passed = verdict === (run.holds === true ? 'holds' : 'violated');
    if (!passed) failed += 1;
    console.log(
      row(
        passed ? 'ok' : 'FAILED',
        `${run.name} (${run.flags.join(' ')})`,
        states.toLocaleString('en'),
        seconds.toFixed(1),
        verdict,
      ),
    );
    if (!passed) console.log(output);
  }
  console.log(`${wanted.length - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && wanted.length > 0 ? 0 : 1;
}

function hasOneOf(text, words) {
  return words.split(',').some((word) => text.toLowerCase().includes(word.toLowerCase()));
}

/** Violated, holds in every reachable state, or neither: out of time, memory or depth. */
function check({ flags }) {
  const folder = mkdtempSync(join(tmpdir(), 'wardroom-model-'));
  const started = performance.now();
  try {
    const defines = flags.filter((flag) => flag !== SESSION).map((flag) => `-D${flag}`);
    command(folder, 'spin', [...defines, '-a', model]);
    command(folder, 'gcc', [
      '-O2',
      '-w',
      '-DSAFETY',
      '-DNOFAIR',
      '-DCOLLAPSE',
      `-DMEMLIM=${MEMORY_MB}`,
      '-o',
      'pan',
      'pan.c',
    ]);
    const { stdout, error } = spawnSync(join(folder, 'pan'), [`-m${DEPTH}`, '-n'], {
      cwd: folder,
      encoding: 'utf8',
      timeout: SECONDS_MAX * 1000,
    });
    const seconds = (performance.now() - started) / 1000;
    const states = Number(/([\d.e+]+) states, stored/.exec(stdout)?.[1] ?? 0);
    return { verdict: verdictOf(folder, stdout, error), states, seconds, output: stdout };
  } catch (error) {
    return {
      verdict: 'broken',
      states: 0,
      seconds: (performance.now() - started) / 1000,
      output: error.message,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function verdictOf(folder, stdout, error) {
  // A truncated search, an invalid end state and a violated assertion all write a trail or a
  // warning.
  if (/assertion violated/.test(stdout) && existsSync(join(folder, 'authority.pml.trail')))
    return 'violated';
  if (
    error === undefined &&
    /errors: 0\b/.test(stdout) &&
    !/Search not completed|max search depth too small|out of memory|truncated/i.test(stdout)
  )
    return 'holds';
  return 'undecided';
}

function command(cwd, name, args) {
  const { status, stdout, stderr } = spawnSync(name, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${name} failed:\n${stdout}${stderr}`);
}

function row(mark, name, states, seconds, found) {
  return `${mark.padEnd(7)}${name.padEnd(90)}${states.padStart(10)}${seconds.padStart(9)}  ${found}`.trimEnd();
}
