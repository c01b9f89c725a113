/**
 * `npm test`: every gate in order, then a table of times and one last line `N passed, N failed, N
 * skipped` from jest. `npm test -- <pattern or jest flag>` builds if needed and passes the
 * arguments to jest only. Folders of unit tests need no build, no store and no node: `npm run
 * test:unit`.
 */
import './lib/require-node.mjs';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { startChild, stopChildren, stopOnSignals } from './lib/children.mjs';
import { ensureBuilt, ensureGenerated, ensureInstalled, root } from './lib/install.mjs';
import { judgeSilence } from './lib/silence.mjs';

const patterns = process.argv.slice(2);
const isUnit =
  patterns.length > 0 &&
  patterns.every(
    (pattern) => pattern.startsWith('-') || /^(?:\.\/)?test\/(?:unit|model)(?:\/|$)/.test(pattern),
  );
const scratch = mkdtempSync(join(tmpdir(), 'wardroom-npm-test-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
stopOnSignals(() => console.error('\nInterrupted.'), 130);

const bin = (name, path) => join(root, 'node_modules', name, path);
const sourceFolders = [
  'protocol',
  'src',
  'sdk',
  'sdk-react',
  'examples',
  'drills',
  'web',
  'test',
  'scripts',
  'cli',
  'bench',
];
const logs = process.env.TEST_LOG_DIR ?? join(scratch, 'logs');
const jestResult = join(scratch, 'jest.json');
const againResult = join(scratch, 'again.json');
/** More failed files than this are no accident. */
const AGAIN_MAX = 12;

/**
 * Budgets are seconds. A check is true when it passes. Gates that stand in one list use a core each
 * and run two at a time.
 */
const gates = [
  {
    name: 'lock file',
    budget: 5,
    check: () => run(join(root, 'scripts/complete-lock.mjs'), '--check'),
  },
  {
    name: 'generate and build',
    budget: 60,
    check: () => (isUnit ? ensureGenerated() : ensureBuilt()),
  },
  {
    name: 'lint and types',
    budget: 45,
    check: () =>
      run(
        bin('oxlint', 'bin/oxlint'),
        '--type-aware',
        '--type-check',
        '--deny-warnings',
        ...sourceFolders,
      ),
  },
  [
    {
      name: 'types of scripts',
      budget: 30,
      command: [
        bin('typescript', 'bin/tsc'),
        '--noEmit',
        '--project',
        'scripts/tsconfig.types.json',
      ],
    },
    {
      name: 'format',
      budget: 30,
      command: [bin('prettier', 'bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'],
    },
    {
      name: 'dependency rules',
      budget: 30,
      command: [
        bin('dependency-cruiser', 'bin/dependency-cruise.mjs'),
        '--output-type',
        'err',
        'protocol',
        'src',
        'sdk',
        'sdk-react',
        'drills',
        'web',
      ],
    },
    { name: 'dead code', budget: 30, command: [bin('knip', 'bin/knip.js')] },
    { name: 'docs', budget: 20, command: [join(root, 'scripts/docs.mjs'), '--check'] },
    {
      name: 'model (cut)',
      budget: 30,
      command: [
        join(root, 'scripts/model.mjs'),
        'publish,bug_confirmed,postgres steps back session',
      ],
    },
  ],
  { name: 'cost of a delivery', budget: 30, check: () => run(join(root, 'bench/gate.mjs')) },
  { name: 'jest', budget: 420, check: () => jest() },
  { name: 'silence', budget: 10, check: () => noTokenIn(logs) && judgeSilence(logs) },
];

ensureInstalled();
const rows = [];
const startedMs = performance.now();
for (const gate of gates) {
  if (Array.isArray(gate)) {
    if (patterns.length === 0) await twoAtATime(gate);
    continue;
  }
  if (patterns.length > 0 && gate.name !== 'generate and build' && gate.name !== 'jest') continue;
  console.log(`\n=== ${gate.name}`);
  await timed(gate, gate.check);
}
await stopChildren();
const failed = rows.filter(({ passed }) => !passed);
console.log(`\n${table(rows)}\n`);
if (failed.length > 0) console.log(`Failed: ${failed.map(({ name }) => name).join(', ')}`);
console.log(lastLine());
process.exitCode = failed.length > 0 ? 1 : 0;

async function timed({ name, budget }, check) {
  const started = performance.now();
  const passed = await check();
  rows.push({ name, budget, passed, seconds: (performance.now() - started) / 1000 });
}

async function run(script, ...args) {
  const child = startChild(process.execPath, [script, ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return (await new Promise((resolve) => child.once('exit', resolve))) === 0;
}

/** The output of each is printed when it is over. */
async function twoAtATime(list) {
  const left = [...list];
  const lane = async () => {
    for (let gate = left.shift(); gate !== undefined; gate = left.shift())
      await timed(gate, () => runHeld(gate));
  };
  await Promise.all([lane(), lane()]);
}

async function runHeld({ name, command }) {
  const child = startChild(process.execPath, command, { cwd: root });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  console.log(`\n=== ${name}\n${output.trimEnd()}`);
  return code === 0;
}

async function jest() {
  process.env.NODE_OPTIONS =
    `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --disable-warning=ExperimentalWarning`.trim();
  process.env.TEST_LOG_DIR = logs;
  if (await runJest(jestResult, patterns)) return true;
  const failed = failedFiles(jestResult);
  if (patterns.length > 0 || failed.length === 0 || failed.length > AGAIN_MAX) return false;
  // Bounds of time are those of a machine that has nothing else to do: what failed beside other
  // files is asked once more, alone.
  console.log(
    `\nFailed beside other files, now once more and alone:\n${failed.map((file) => `  ${relative(root, file)}`).join('\n')}\n`,
  );
  return runJest(againResult, ['--runInBand', '--runTestsByPath', ...failed]);
}

function runJest(result, args) {
  return run(bin('jest', 'bin/jest.js'), '--json', `--outputFile=${result}`, ...args);
}

/** Of a run that wrote its result; a run that did not get so far is not repaired by another. */
function failedFiles(result) {
  if (!existsSync(result)) return [];
  const { testResults } = JSON.parse(readFileSync(result, 'utf8'));
  return testResults.filter(({ status }) => status === 'failed').map(({ name }) => name);
}

/** P6 over everything the nodes of this run wrote: no compact JWT in any line. */
function noTokenIn(folder) {
  const files = existsSync(folder) ? readdirSync(folder) : [];
  if (files.length === 0) console.error('No node has written a log.');
  const leaks = files.filter((file) =>
    /eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{20,}/.test(readFileSync(join(folder, file), 'utf8')),
  );
  for (const file of leaks) console.error(`A token is in the log ${file}.`);
  return files.length > 0 && leaks.length === 0;
}

function table(lines) {
  const cells = [
    ['gate', 'seconds', 'budget', ''],
    ...lines.map(({ name, seconds, budget, passed }) => [
      name,
      seconds.toFixed(1),
      String(budget),
      [passed ? 'ok' : 'FAILED', ...(seconds > budget ? ['over budget'] : [])].join(', '),
    ]),
    ['all', ((performance.now() - startedMs) / 1000).toFixed(1), '480', ''],
  ];
  return cells
    .map(([name, seconds, budget, verdict]) =>
      `${name.padEnd(20)} ${seconds.padStart(8)} ${budget.padStart(7)}  ${verdict}`.trimEnd(),
    )
    .join('\n');
}

/**
 * A test file that could not be loaded counts as one failed test. A test that passed when it was
 * run once more is counted as passed, and named above.
 */
function lastLine() {
  if (!existsSync(jestResult)) return '0 passed, 1 failed, 0 skipped';
  const first = counts(jestResult);
  const again = existsSync(againResult) ? counts(againResult) : null;
  const left = again === null ? first.failed : again.failed;
  return `${first.passed + Math.max(0, first.failed - left)} passed, ${left} failed, ${first.skipped} skipped`;
}

function counts(result) {
  const {
    numPassedTests,
    numFailedTests,
    numPendingTests,
    numTodoTests,
    numRuntimeErrorTestSuites,
  } = JSON.parse(readFileSync(result, 'utf8'));
  return {
    passed: numPassedTests,
    failed: numFailedTests + numRuntimeErrorTestSuites,
    skipped: numPendingTests + numTodoTests,
  };
}
