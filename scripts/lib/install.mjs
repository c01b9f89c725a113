/**
 * Prepares a command that imports from npm: the packages of package-lock.json, and dist/ newer than
 * its sources.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  readFileSync,
  readdirSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Runs `npm ci` when node_modules is missing or is not what package-lock.json says. No install
 * script is needed.
 */
export function ensureInstalled() {
  const reason = whyInstall();
  if (reason === undefined) return;
  console.error(`${reason}: running npm ci (once, about a minute) ...`);
  // under `npm run` this is the npm that runs us
  const cli = process.env.npm_execpath;
  const [command, args] = cli?.endsWith('npm-cli.js') ? [process.execPath, [cli]] : ['npm', []];
  const run = spawnSync(
    command,
    [...args, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: root,
      stdio: ['ignore', 2, 2],
      shell: command === 'npm' && process.platform === 'win32',
      env: { ...process.env, NODE_ENV: '' }, // the tools for building are needed too
    },
  );
  if (run.status === 0) return;
  console.error(
    'npm ci failed. The packages of package-lock.json have to come from a registry once; see the message above.',
  );
  process.exit(1);
}

/** npm keeps a copy of what it installed; a package that is optional may be missing from it. */
function whyInstall() {
  const copy = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(copy)) return 'The packages are not installed';
  const installed = JSON.parse(readFileSync(copy, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const differs = Object.entries(wanted).some(
    ([path, { version, optional, devOptional, peer }]) =>
      path !== '' &&
      (installed[path] === undefined
        ? !optional && !devOptional && !peer
        : installed[path].version !== version),
  );
  return differs ? 'The installed packages are not those of package-lock.json' : undefined;
}

/** Generates the database client where there is none: all that the unit tests need. */
export function ensureGenerated() {
  if (existsSync(join(root, 'src/platform/generated/client.ts'))) return true;
  return (
    spawnSync(process.execPath, [join(root, 'scripts/generate.mjs')], {
      cwd: root,
      stdio: ['ignore', 2, 2],
    }).status === 0
  );
}

/**
 * Generates the database client, compiles protocol/ and src/ and bundles the service when a source
 * is newer than the last build.
 */
export function ensureBuilt({ log = console.error } = {}) {
  const stamp = join(root, 'dist/.built');
  const bundling = ['scripts/bundle.mjs', 'scripts/drill.mjs'];
  const sources = [
    'src',
    'protocol/src',
    'protocol/package.json',
    'protocol/tsconfig.json',
    'sdk/src',
    'drills',
    'web',
    'docs',
    'README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'prisma/schema.prisma',
    'tsconfig.json',
    'tsconfig.build.json',
    'nest-cli.json',
    'package-lock.json',
    ...bundling,
  ].map((path) => join(root, path));
  const started = new Date();
  if (
    existsSync(stamp) &&
    existsSync(join(root, 'dist/main.js')) &&
    existsSync(join(root, 'protocol/dist/index.js')) &&
    newest(sources) <= statSync(stamp).mtimeMs
  )
    return true;
  log('Building ...');
  const steps = [
    [join(root, 'scripts/generate.mjs')],
    [join(root, 'node_modules/typescript/bin/tsc'), '--project', join(root, 'protocol')],
    [join(root, 'node_modules/@nestjs/cli/bin/nest.js'), 'build'],
    [join(root, 'scripts/bundle.mjs')],
    [join(root, 'scripts/drill.mjs'), '--bundle-only'],
    [join(root, 'node_modules/vite/bin/vite.js'), 'build', 'web'],
  ];
  for (const args of steps) {
    if (spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] }).status !== 0)
      return false;
  }
  writeFileSync(stamp, '');
  utimesSync(stamp, started, started); // a source saved while we compiled is newer
  return true;
}

/**
 * When a file in these folders, or one of these files, was changed last (ms), of those that count.
 */
export function newest(paths, counts = (/** @type {string} */ _path) => true) {
  let latest = 0;
  for (const path of paths) {
    if (path.endsWith('generated') || path.endsWith('node_modules') || !existsSync(path)) continue;
    const stat = statSync(path);
    const inside = stat.isDirectory() ? readdirSync(path).map((name) => join(path, name)) : null;
    if (inside !== null) latest = Math.max(latest, newest(inside, counts));
    else if (counts(path)) latest = Math.max(latest, stat.mtimeMs);
  }
  return latest;
}
