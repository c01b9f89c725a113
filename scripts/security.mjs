/**
 * `npm run test:security`: test/security in its long form, every other test that docs/security.md
 * names, and the verdict of the sentinel of silence over the whole run. `npm test` runs the same
 * files with a cut of the long ones.
 *
 *   npm run test:security [-- jest patterns or flags]
 */
import './lib/require-node.mjs';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeAtEnd, startChild, stopChildren, stopOnSignals } from './lib/children.mjs';
import { ensureBuilt, ensureInstalled, root } from './lib/install.mjs';
import { judgeSilence } from './lib/silence.mjs';

const named = readFileSync(join(root, 'docs/security.md'), 'utf8').matchAll(/`(test\/[\w./-]+)`/g);
const suites = new Set(['test/security/', ...Array.from(named, ([, path]) => path)]);

stopOnSignals(undefined, 1);
ensureInstalled();
process.exitCode = ensureBuilt() && (await jest()) ? 0 : 1;
await stopChildren();

async function jest() {
  const patterns = process.argv.slice(2);
  const logs = process.env.TEST_LOG_DIR ?? mkdtempSync(join(tmpdir(), 'wardroom-security-'));
  if (process.env.TEST_LOG_DIR === undefined) removeAtEnd(logs);
  const env = {
    ...process.env,
    SECURITY: 'full',
    REFRESH_ROUNDS: process.env.REFRESH_ROUNDS ?? '200',
    TEST_LOG_DIR: logs,
    NODE_OPTIONS:
      `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --disable-warning=ExperimentalWarning`.trim(),
  };
  const args = [
    join(root, 'node_modules/jest/bin/jest.js'),
    ...(patterns.length > 0 ? patterns : suites),
  ];
  const child = startChild(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env,
  });
  const passed = (await new Promise((resolve) => child.once('exit', resolve))) === 0;
  return judgeSilence(logs) && passed;
}
