/**
 * The packages as an application gets them: packed, and installed into an empty folder without a
 * registry. Removed with the test file.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from '@jest/globals';
import { npm, pack } from '../../scripts/packages.mjs';

export const root = fileURLToPath(new URL('../../', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'wardroom-packages-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Runs `npm run packages`. Answers its lines; throws with them when it finds a fault. */
export function packAll(): string {
  const { status, stdout, stderr } = run(join(root, 'scripts/packages.mjs'), [archives]);
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
  return stdout;
}
const archives = join(scratch, 'archives');

/** A project that depends on these packages, each packed before, or one of ours in node_modules. */
export function project(name: string, dependencies: string[]): string {
  const folder = join(scratch, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  const files = dependencies.map((dependency) => {
    const packed = readdirSync(archives).find((file) =>
      file.startsWith(`${dependency.replace('@', '').replace('/', '-')}-`),
    );
    return packed === undefined
      ? pack(join(root, 'node_modules', dependency), archives)
      : join(archives, packed);
  });
  npm(['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', ...files], folder);
  return folder;
}

export function write(folder: string, files: Record<string, string>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
}

/** Runs a program of Node in a folder to its end. */
export function run(script: string, args: string[] = [], cwd = scratch) {
  return spawnSync(process.execPath, [script, ...args], { cwd, encoding: 'utf8' });
}

/**
 * The compiler's errors in the project, strictly and down to the declarations it reads, but for
 * those that came with the compiler.
 */
export function typeErrors(folder: string, options: object = {}): string {
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    skipLibCheck: false,
    skipDefaultLibCheck: true,
    target: 'es2022',
    lib: ['es2022', 'dom'],
    module: 'nodenext',
    types: [],
    ...options,
  };
  write(folder, { 'tsconfig.json': JSON.stringify({ compilerOptions }) });
  return run(join(root, 'node_modules/typescript/bin/tsc'), ['--project', folder]).stdout;
}
