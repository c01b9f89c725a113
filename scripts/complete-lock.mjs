/**
 * `npm run lock`: adds the platform packages that npm left out of package-lock.json. Where the
 * registry in use does not carry the packages of other systems, npm drops them from the lock, and
 * `npm ci` then fails on every machine, also on this one. The version is the one their parent
 * names; os, cpu and libc follow from the name; an integrity is only known to a full registry.
 * `--check` changes nothing and fails if something is missing.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('../package-lock.json', import.meta.url));
const lock = JSON.parse(readFileSync(file, 'utf8'));
const missing = new Map();

for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isLocked(path, name)) continue;
    const platform = platformOf(name);
    if (platform === undefined || !/^\d+\.\d+\.\d+/.test(version)) continue; // not of a platform: npm resolves it as it likes
    missing.set(`node_modules/${name}`, {
      version,
      ...platform,
      ...(entry.dev ? { dev: true } : {}),
      optional: true,
    });
  }
}

if (missing.size === 0) {
  console.log('package-lock.json names every platform package.');
} else if (process.argv.includes('--check')) {
  console.error(
    `package-lock.json lacks ${missing.size} platform packages, npm ci would fail: run npm run lock.\n${[...missing.keys()].map((path) => `  ${path}`).join('\n')}`,
  );
  process.exitCode = 1;
} else {
  lock.packages = Object.fromEntries(
    [...Object.entries(lock.packages), ...missing].sort(([a], [b]) => a.localeCompare(b, 'en')),
  );
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`Added ${missing.size} platform packages to package-lock.json.`);
}

/** Node's own look-up: beside the parent, then in each folder above it. */
function isLocked(parent, name) {
  for (
    let folder = parent;
    ;
    folder = folder.slice(0, Math.max(folder.lastIndexOf('/node_modules/'), 0))
  ) {
    if (
      lock.packages[folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`] !==
      undefined
    )
      return true;
    if (folder === '') return false;
  }
}

function platformOf(name) {
  const os =
    /(?:^|[-/])(darwin|linux|win32|windows|android|freebsd|openharmony|netbsd|openbsd|sunos|aix)(?:-|$)/.exec(
      name,
    )?.[1];
  const cpu = /-(arm64|x64|arm|ia32|ppc64|s390x|riscv64|loong64)(?:-|$)/.exec(name)?.[1];
  if (os === undefined || cpu === undefined) return undefined;
  const libc = { gnu: 'glibc', musl: 'musl' }[/-(gnu|musl)(?:eabihf)?$/.exec(name)?.[1]];
  const ofLinux = os === 'linux' && libc !== undefined ? { libc: [libc] } : {};
  return { cpu: [cpu], ...ofLinux, os: [os === 'windows' ? 'win32' : os] };
}
