/** The build of this installation, for commands that need no running service. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { CliError } from './client.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A module of dist/. */
export function fromBuild(path) {
  const file = join(root, 'dist', path);
  if (!existsSync(file)) throw new CliError(3, 'There is no build here. Run: npm run build');
  return import(pathToFileURL(file).href);
}

/** `npm run keys` and the like: their own output; answers the exit code. */
export function runBuilt(script, args) {
  if (!existsSync(join(root, 'dist', script)))
    throw new CliError(3, 'There is no build here. Run: npm run build');
  const child = spawn(
    process.execPath,
    [join(root, 'scripts/with-try-out.mjs'), join('dist', script), ...args],
    { stdio: 'inherit' },
  );
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 3)));
}
