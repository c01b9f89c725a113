/** Builds the Dockerfile as it stands, with buildah, in a storage of its own. */
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../lib/install.mjs';
import { makeBase } from './base.mjs';
import { run, step } from './steps.mjs';

export const IMAGE = 'localhost/wardroom:test';
export const folder = join(tmpdir(), 'wardroom-image');
/** Global flags of buildah and podman. */
export const storage = [
  '--root',
  join(folder, 'storage'),
  '--runroot',
  join(folder, 'run'),
  '--storage-driver',
  'vfs',
];

export async function buildImage() {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o711);
  await step('base image', () => makeBase({ folder, image: fromOf('Dockerfile'), storage }));
  await step('build', () =>
    run(
      'buildah',
      ...storage,
      'bud',
      '--isolation',
      'chroot',
      '--network',
      'host',
      '--pull-never',
      '--format',
      'docker',
      '-t',
      IMAGE,
      root,
    ),
  );
}

/** The one image that every stage begins with. */
function fromOf(file) {
  const names = new Set(
    Array.from(
      readFileSync(join(root, file), 'utf8').matchAll(/^FROM (\S+)/gm),
      ([, name]) => name,
    ),
  );
  if (names.size !== 1)
    throw new Error(`${file} begins with ${[...names].join(', ')}: one base image is expected`);
  return [...names][0];
}
