/**
 * Writes each file of the pages a second and a third time, as brotli and as gzip: the server sends
 * what is there and compresses nothing while it runs.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import type { Plugin } from 'vite';

const packBrotli = promisify(brotliCompress);
const packGzip = promisify(gzip);

/** Less fits into one packet anyway. */
const BYTES_MIN = 1_000;

export function packedPlugin(): Plugin {
  return {
    name: 'wardroom-packed',
    apply: 'build',
    async writeBundle({ dir }, bundle) {
      const files = Object.keys(bundle).filter((name) => /^assets\/.*\.(js|css)$/.test(name));
      await Promise.all(files.map((name) => writePacked(join(dir!, name))));
    },
  };
}

async function writePacked(path: string): Promise<void> {
  const source = await readFile(path);
  if (source.length < BYTES_MIN) return;
  await Promise.all([
    packBrotli(source).then((packed) => writeFile(`${path}.br`, packed)),
    packGzip(source).then((packed) => writeFile(`${path}.gz`, packed)),
  ]);
}
