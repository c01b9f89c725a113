/**
 * Makes dist/service.bytecode: the service starts once, until it looks for a Postgres that is not there, and what it ran until then is
 * kept as V8 compiled it. Run by scripts/bundle.mjs.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './install.mjs';

export const bytecode = join(root, 'dist/service.bytecode');
const itself = fileURLToPath(import.meta.url);
/** Nothing listens on the first port, so the start ends there. */
const NOWHERE = {
  DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing',
  REDIS_URL: 'redis://127.0.0.1:1',
  SECRET_KEY: 'of-a-rehearsal-that-encrypts-nothing',
  AUTO_MIGRATE: 'off',
  PORT: '0',
  INTERNAL_PORT: '0',
};

export function rehearse() {
  const run = spawnSync(process.execPath, [itself], { env: NOWHERE, encoding: 'utf8', timeout: 60_000 });
  if (!existsSync(bytecode)) throw new Error(`The start could not be rehearsed: ${run.error?.message ?? ''}\n${run.stdout}${run.stderr}`);
}

if (process.argv[1] === itself) {
  // What is there is scripts/entry.mjs; src/main.ts, of which TypeScript knows, is in the bundle.
  const { script } = /** @type {any} */ (await import('../dist/main.js'));
  process.on('exit', () => writeFileSync(bytecode, script.createCachedData()));
}
