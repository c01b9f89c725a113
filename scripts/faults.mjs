/**
 * The whole fault suite: every scenario on three nodes, the races at full size. `npm test` runs a
 * cut of it.
 *
 *   npm run test:faults [-- --only "Postgres is frozen"] [--seed 42] [--repeat 10]
 */
import './lib/require-node.mjs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startChild, stopChildren, stopOnSignals } from './lib/children.mjs';
import { ensureBuilt, ensureInstalled, root } from './lib/install.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seed: { type: 'string' },
    repeat: { type: 'string', default: '1' },
  },
});

stopOnSignals(undefined, 1);
ensureInstalled();
process.exitCode = ensureBuilt() ? await repeat(Number(values.repeat)) : 1;
await stopChildren();

async function repeat(times) {
  for (let round = 1; round <= times; round += 1) {
    if (times > 1) console.log(`\n=== round ${round} of ${times}`);
    const code = await jest();
    if (code !== 0) return code;
  }
  return 0;
}

async function jest() {
  const env = {
    ...process.env,
    FAULTS: 'full',
    NODE_OPTIONS:
      `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --disable-warning=ExperimentalWarning`.trim(),
    ...(values.only === undefined ? {} : { FAULTS_ONLY: values.only }),
    ...(values.seed === undefined ? {} : { FAULTS_SEED: values.seed }),
  };
  // One after the other: two clusters beside each other would measure each other's load.
  const args = [
    join(root, 'node_modules/jest/bin/jest.js'),
    '--maxWorkers',
    '1',
    ...(values.only === undefined
      ? ['test/faults', 'test/postgres', 'test/drills/nginx']
      : ['test/faults/scenarios']),
  ];
  const child = startChild(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env,
  });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}
