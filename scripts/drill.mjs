/**
 * `npm run drill -- --url URL`: bundles `dist/drill.js` from drills/ and runs it. In the image it
 * is built already: `node dist/drill.js`.
 */
import './lib/require-node.mjs';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureInstalled, root } from './lib/install.mjs';

const entry = join(root, 'dist/drill.js');

export async function bundleDrill() {
  const { build } = await import('esbuild');
  await build({
    entryPoints: [join(root, 'drills/command/main.ts')],
    outfile: entry,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['ws'],
    logLevel: 'warning',
  });
}

if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
) {
  ensureInstalled();
  await bundleDrill();
  if (process.argv[2] !== '--bundle-only') await import(pathToFileURL(entry).href);
}
