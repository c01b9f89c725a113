/**
 * `npm run packages [-- FOLDER]`: builds `@wardroom/protocol` and `@wardroom/client`, packs them
 * into this folder, else into dist/packages/, and checks the archives: `publint`, "Are the types
 * wrong?", and the size of the client.
 */
import './require-node.mjs';
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
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { ensureInstalled, root } from './install.mjs';

const sdk = join(root, 'sdk');
const protocol = join(root, 'protocol');
/** Browsers of two years ago. */
const TARGET = 'es2022';
/** The client with connection and rooms, as a browser gets it. */
const CLIENT_GZIP_MAX = 12_000;

/** Builds and packs both. Answers the paths of the archives. */
async function packPackages(out) {
  tsc('--project', protocol);
  rmSync(join(sdk, 'dist'), { recursive: true, force: true });
  await bundleClient();
  await writeClientTypes();
  mkdirSync(out, { recursive: true });
  return [protocol, sdk].map((folder) => {
    copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
    return pack(folder, out);
  });
}

/** One ES module for bundlers and Node, and one file for a `<script>` (global `Wardroom`). */
async function bundleClient() {
  const { build } = await import('esbuild');
  const common = {
    entryPoints: [join(sdk, 'src/index.ts')],
    bundle: true,
    sourcemap: true,
    target: TARGET,
    logLevel: /** @type {const} */ ('warning'),
  };
  await build({ ...common, format: 'esm', outfile: join(sdk, 'dist/index.js') });
  await build({
    ...common,
    format: 'iife',
    globalName: 'Wardroom',
    minify: true,
    outfile: join(sdk, 'dist/wardroom.min.js'),
  });
}

/** The declarations of sdk/src, and beside them those of the protocol without zod. */
async function writeClientTypes() {
  const out = join(sdk, 'dist/types');
  const raw = join(sdk, 'dist/raw');
  tsc('--project', sdk, '--emitDeclarationOnly', '--outDir', raw);
  mkdirSync(join(out, 'protocol'), { recursive: true });
  for (const name of readdirSync(join(raw, 'sdk/src')))
    writeFileSync(join(out, name), ownProtocol(readFileSync(join(raw, 'sdk/src', name), 'utf8')));
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
function ownProtocol(declarations) {
  return declarations.replaceAll(
    /(['"])@wardroom\/protocol(?:\/(\w+))?\1/g,
    (_, quote, part = 'index') => `${quote}./protocol/${part}.js${quote}`,
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

/** Bytes of the browser file as a server sends it. */
function clientGzipBytes() {
  return gzipSync(readFileSync(join(sdk, 'dist/wardroom.min.js')), { level: 9 }).length;
}

if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
) {
  ensureInstalled();
  const archives = await packPackages(process.argv[2] ?? join(root, 'dist/packages'));
  const findings = (await Promise.all(archives.map(findingsOf))).flat();
  const bytes = clientGzipBytes();
  if (bytes > CLIENT_GZIP_MAX)
    findings.push(`The client has ${bytes} bytes gzip, more than ${CLIENT_GZIP_MAX}.`);
  console.log(`${archives.join('\n')}\nclient: ${bytes} bytes gzip (at most ${CLIENT_GZIP_MAX})`);
  if (findings.length > 0) {
    console.error(findings.join('\n'));
    process.exitCode = 1;
  }
}
