/**
 * Writes `dist/main.js`: the service with every package it imports, in one file. Finding, reading
 * and linking 2,300 files was half of a start (ADR 0017). The compiled modules stay beside it in
 * dist/, for the commands.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { root } from './lib/install.mjs';

const dist = join(root, 'dist');
/** Packages of this repository: their errors are logged with the lines of their sources. */
const OURS = [dist, join(root, 'protocol/dist')];
export const entry = join(dist, 'main.js');
/** Stays where it is: a binary, and megabytes of WebAssembly as text. */
const APART = ['@node-rs/argon2', '@prisma/client/runtime/query_compiler_*'];
/**
 * A class as its author or the compiler wrote it. The bundler renames many; Nest and our logs use
 * the written name. esbuild's `keepNames` would do the same for every function, at a price for each
 * closure on the way of a message.
 */
const CLASS = /^(?:export |let \w+ = (?:\w+ = )?)?class (\w+)(?: extends [^{]+)? \{/gm;

/**
 * Only what is in src/ itself is TypeScript here: all that main.ts imports was compiled with its
 * decorators before.
 */
const compiledModules = {
  name: 'compiled modules',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\// }, ({ path, importer }) =>
      importer === join(root, 'src/main.ts') ? { path: join(dist, path) } : undefined,
    );
  },
};

/**
 * A package that some other one could use, and that is not installed, is looked for when it is
 * asked for: as without a bundle.
 */
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
        .replace(
          CLASS,
          "$& static { Object.defineProperty(this, 'name', { value: '$1', configurable: true }); }",
        );
      return {
        contents: OURS.some((folder) => path.startsWith(folder + sep))
          ? text
          : text + withoutLines(path),
        loader: 'js',
      };
    });
  },
};

/**
 * One entry for a file of a package instead of one for each expression: the map is read whole for
 * the first error that is logged.
 */
function withoutLines(path) {
  const map = JSON.stringify({ version: 3, sources: [basename(path)], mappings: 'AAAA' });
  return `\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString('base64')}`;
}

/**
 * Packages written as CommonJS ask for parts of Node by `require`, which a module does not have.
 */
const REQUIRE =
  "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);";

export async function bundle() {
  await build({
    entryPoints: [join(root, 'src/main.ts')],
    outfile: entry,
    allowOverwrite: true,
    bundle: true,
    minifyWhitespace: true,
    minifySyntax: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    tsconfig: join(root, 'tsconfig.build.json'),
    external: APART,
    plugins: [compiledModules, optionalPackages, modulesAsTheyWere],
    sourcemap: true,
    sourcesContent: false,
    banner: { js: REQUIRE },
    logLevel: 'warning',
  });
}

if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
)
  await bundle();
