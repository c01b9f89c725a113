/**
 * `npm run packages [-- FOLDER]`: builds the packages of protocol/, sdk/ and sdk-react/, packs them
 * into this folder, else into dist/packages/, and checks the archives: `publint`, "Are the types
 * wrong?", and the size of the client.
 */
import './lib/require-node.mjs';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { ensureInstalled, root } from './lib/install.mjs';

const sdk = join(root, 'sdk');
const protocol = join(root, 'protocol');
const react = join(root, 'sdk-react');
/** Browsers of two years ago. */
const TARGET = 'es2022';
/** The files for a browser: bytes of gzip at most. */
const SIZES = {
  'wardroom.core.min.js': 12_000,
  'wardroom.min.js': 18_000,
};

/** Builds and packs them. Answers the paths of the archives. */
async function packPackages(out) {
  tsc('--project', protocol);
  rmSync(join(sdk, 'dist'), { recursive: true, force: true });
  await bundleClient();
  await writeClientTypes();
  mkdirSync(out, { recursive: true });
  await bundleReact();
  return [protocol, sdk, react].map((folder) => {
    copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
    return pack(folder, out);
  });
}

/** ES modules for bundlers and Node, and files for a `<script>` (global `Wardroom`). */
async function bundleClient() {
  const { build } = await import('esbuild');
  const common = {
    bundle: true,
    sourcemap: true,
    target: TARGET,
    logLevel: /** @type {const} */ ('warning'),
  };
  const entries = { 'wardroom.min': 'index', 'wardroom.core.min': 'core' };
  await build({
    ...common,
    entryPoints: Object.values(entries).map((name) => join(sdk, `src/${name}.ts`)),
    format: 'esm',
    splitting: true,
    chunkNames: 'shared-[hash]',
    outdir: join(sdk, 'dist'),
  });
  for (const [file, name] of Object.entries(entries)) {
    await build({
      ...common,
      entryPoints: [join(sdk, `src/${name}.ts`)],
      format: 'iife',
      globalName: 'Wardroom',
      minify: true,
      outfile: join(sdk, `dist/${file}.js`),
    });
  }
}

/** The hooks: React and the client stay imports. The gates of `npm test` check the types. */
async function bundleReact() {
  const { build } = await import('esbuild');
  const dist = join(react, 'dist');
  rmSync(dist, { recursive: true, force: true });
  await build({
    entryPoints: [join(react, 'src/index.ts')],
    bundle: true,
    sourcemap: true,
    target: TARGET,
    format: 'esm',
    external: ['react', '@wardroom/client'],
    outfile: join(dist, 'index.js'),
    logLevel: 'warning',
  });
  const raw = join(dist, 'raw');
  tsc('--project', react, '--emitDeclarationOnly', '--noCheck', '--outDir', raw);
  for (const name of readdirSync(join(raw, 'sdk-react/src')))
    copyFileSync(join(raw, 'sdk-react/src', name), join(dist, name));
  rmSync(raw, { recursive: true });
}

/**
 * The declarations of sdk/src, and beside them those of the protocol without zod. The gates of `npm
 * test` check the sources.
 */
async function writeClientTypes() {
  const out = join(sdk, 'dist/types');
  const raw = join(sdk, 'dist/raw');
  tsc('--project', sdk, '--emitDeclarationOnly', '--noCheck', '--outDir', raw);
  mkdirSync(join(out, 'protocol'), { recursive: true });
  for (const name of readdirSync(join(raw, 'sdk/src'), { recursive: true }).map(String)) {
    if (!name.endsWith('.d.ts')) continue;
    const depth = name.split(/[/\\]/).length - 1;
    mkdirSync(dirname(join(out, name)), { recursive: true });
    writeFileSync(
      join(out, name),
      ownProtocol(readFileSync(join(raw, 'sdk/src', name), 'utf8'), depth),
    );
  }
  rmSync(raw, { recursive: true });
  for (const name of ['index', 'codes', 'limits'])
    writeFileSync(
      join(out, `protocol/${name}.d.ts`),
      withoutMap(readFileSync(join(protocol, `dist/${name}.d.ts`), 'utf8')),
    );
  const { plainFrames } = await import('./packages/plain-frames.mjs');
  writeFileSync(join(out, 'protocol/frames.d.ts'), await plainFrames());
}

/** The client has its own copy of the protocol: an application needs no second package. */
function ownProtocol(declarations, depth) {
  const up = depth === 0 ? './' : '../'.repeat(depth);
  return declarations.replaceAll(
    /(['"])@wardroom\/protocol(?:\/(\w+))?\1/g,
    (_, quote, part = 'index') => `${quote}${up}protocol/${part}.js${quote}`,
  );
}

const withoutMap = (text) => text.replace(/^\/\/# sourceMappingURL=.*\n?/m, '');

function tsc(...args) {
  const { status } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), ...args],
    { stdio: ['ignore', 2, 2] },
  );
  if (status !== 0) throw new Error(`tsc ${args.join(' ')} failed.`);
}

/** `npm pack` of a folder. Answers the path of the archive. */
export function pack(folder, out) {
  const packed = npm(['pack', folder, '--pack-destination', out, '--json', '--loglevel=error']);
  // npm 11 answers a list, later ones an object by name.
  const [{ filename }] = Object.values(JSON.parse(packed));
  return join(out, basename(filename));
}

/** Runs the npm that runs us, or the one on PATH. Answers what it wrote. */
export function npm(args, cwd = root) {
  const cli = process.env.npm_execpath;
  const [command, first] = cli?.endsWith('npm-cli.js') ? [process.execPath, [cli]] : ['npm', []];
  const { status, stdout, stderr } = spawnSync(command, [...first, ...args], {
    cwd,
    encoding: 'utf8',
    shell: command === 'npm' && process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`npm ${args[0]} failed: ${stdout}${stderr}`);
  return stdout;
}

/** Findings of publint and "Are the types wrong?" in an archive, for importers of ES modules. */
async function findingsOf(archive) {
  const bytes = readFileSync(archive);
  const [{ publint }, { formatMessage }, attw] = await Promise.all([
    import('publint'),
    import('publint/utils'),
    import('@arethetypeswrong/core'),
  ]);
  const tarball = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
  const analysis = await attw.checkPackage(attw.createPackageFromTarballData(bytes));
  if (analysis.types === false) return [`${archive} has no types`];
  // `require` of an ES module works in every Node that Wardroom supports; resolution without
  // `exports` is that of Node 10.
  const problems = analysis.problems.filter(
    (problem) =>
      !('resolutionKind' in problem) || ['node16-esm', 'bundler'].includes(problem.resolutionKind),
  );
  return [
    ...messages.map((message) => formatMessage(message, pkg, { color: false })),
    ...problems.map((problem) => JSON.stringify(problem)),
  ];
}

/** Bytes of a browser file as a server sends it. */
function gzipBytes(file) {
  return gzipSync(readFileSync(join(sdk, 'dist', file)), { level: 9 }).length;
}

if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
) {
  ensureInstalled();
  const archives = await packPackages(process.argv[2] ?? join(root, 'dist/packages'));
  const findings = (await Promise.all(archives.map(findingsOf))).flat();
  console.log(archives.join('\n'));
  for (const [file, max] of Object.entries(SIZES)) {
    const bytes = gzipBytes(file);
    console.log(`${file}: ${bytes} bytes gzip (at most ${max})`);
    if (bytes > max) findings.push(`${file} has ${bytes} bytes gzip, more than ${max}.`);
  }
  if (findings.length > 0) {
    console.error(findings.join('\n'));
    process.exitCode = 1;
  }
}
