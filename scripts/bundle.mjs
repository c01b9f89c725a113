/**
 * `dist/service.cjs`: the service with every package it imports, in one file. Finding, reading and linking 2,300 files was half of a start
 * (ADR 0017), compiling it a third of the rest (ADR 0020). The modules that were compiled stay beside it in dist/, for commands and tools
 * that need one of them.
 */
import { copyFileSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { root } from './install.mjs';
import { bytecode, rehearse } from './rehearse.mjs';

const dist = join(root, 'dist');
const bundled = join(dist, 'service.cjs');
export const entry = join(dist, 'main.js');
/** Stays where it is: a binary, and megabytes of WebAssembly as text. */
const APART = ['@node-rs/argon2', '@prisma/client/runtime/query_compiler_*'];
/** A class as its author or the compiler wrote it. The bundler gives many another name, and Nest and our logs call them by their own. */
const CLASS = /^(?:export |let \w+ = (?:\w+ = )?)?class (\w+)(?: extends [^{]+)? \{/gm;

/** Only what is in src/ itself is TypeScript here: all that main.ts imports was compiled with its decorators before. */
const compiledModules = {
  name: 'compiled modules',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\// }, ({ path, importer }) => (importer === join(root, 'src/main.ts') ? { path: join(dist, path) } : undefined));
  },
};

/** A package that some other one could use, and that is not installed, is looked for when it is asked for: as without a bundle. */
const optionalPackages = {
  name: 'optional packages',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === optionalPackages) return undefined;
      const { errors } = await resolve(path, { ...from, pluginData: optionalPackages });
      return errors.length > 0 ? { path, external: true } : undefined;
    });
  },
};

/** Each module believes to be where it was, and its classes keep their names. */
const modulesAsTheyWere = {
  name: 'modules as they were',
  setup({ onLoad }) {
    onLoad({ filter: /\.m?js$/ }, ({ path }) => {
      const url = `./${relative(dist, path).split(sep).join('/')}`;
      const text = readFileSync(path, 'utf8')
        .replaceAll('import.meta.url', `new URL(${JSON.stringify(url)}, import.meta.url).href`)
        .replace(CLASS, "$& static { Object.defineProperty(this, 'name', { value: '$1', configurable: true }); }");
      return { contents: path.startsWith(dist + sep) ? text : text + withoutLines(path), loader: 'js' };
    });
  },
};

/** One entry for a file of a package instead of one for each expression: the map is read whole for the first error that is logged. */
function withoutLines(path) {
  const map = JSON.stringify({ version: 3, sources: [basename(path)], mappings: 'AAAA' });
  return `\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString('base64')}`;
}

/** A script has no `import()` of its own. As many letters, so that the source map stays true. */
const LOAD = '$load$';

export async function bundle() {
  // V8 takes bytecode for that of any text of the same length.
  rmSync(bytecode, { force: true });
  await build({
    entryPoints: [join(root, 'src/main.ts')],
    outfile: bundled,
    bundle: true,
    minifyWhitespace: true,
    minifySyntax: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: APART,
    plugins: [compiledModules, optionalPackages, modulesAsTheyWere],
    define: { 'import.meta': 'entry' },
    sourcemap: true,
    sourcesContent: false,
    // One function, which scripts/entry.mjs calls. Packages that were not written for strict mode have long been run in it.
    banner: { js: `(function (require, ${LOAD}, entry) { 'use strict';` },
    footer: { js: '})' },
    logLevel: 'warning',
  });
  writeFileSync(bundled, readFileSync(bundled, 'utf8').replaceAll(/\bimport\(/g, `${LOAD}(`));
  copyFileSync(join(root, 'scripts/entry.mjs'), entry);
  rehearse();
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await bundle();
