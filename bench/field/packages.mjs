/** Packages that the project does not use: in a folder of their own, kept between runs. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NEEDED = {
  'socket.io': 4,
  'socket.io-client': 4,
  'socketcluster-server': 20,
  'socketcluster-client': 20,
  jsonwebtoken: 9,
  'express-session': 1,
  'cookie-signature': 1,
};
const INSTALL_MS = 120_000;
let reason;

const folder = () => process.env.FIELD_WORK ?? join(tmpdir(), 'wardroom-field');

export const packagesFile = () => join(folder(), 'package.json');

export const load = (name) => createRequire(packagesFile())(name);

export const versionOf = (name, from = join(folder(), 'node_modules')) =>
  JSON.parse(readFileSync(join(from, name, 'package.json'), 'utf8')).version;

/** Once. @returns {string | undefined} the reason why the packages cannot be had */
export function missingPackages() {
  const has = (name) => existsSync(join(folder(), 'node_modules', name));
  if (Object.keys(NEEDED).every(has)) return undefined;
  if (reason !== undefined) return reason;
  mkdirSync(folder(), { recursive: true });
  writeFileSync(packagesFile(), '{ "private": true }\n');
  const names = Object.entries(NEEDED).map(([name, major]) => `${name}@${major}`);
  const run = spawnSync(
    'npm',
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...names],
    { cwd: folder(), stdio: 'ignore', timeout: INSTALL_MS },
  );
  reason = run.status === 0 ? undefined : 'npm could not install its packages';
  return reason;
}
