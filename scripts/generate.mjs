/**
 * `npm run generate`: the Prisma client in src/platform/generated, when schema.prisma or Prisma
 * itself changed. `prisma generate` asks for a schema engine that it never runs; where that cannot
 * be downloaded any executable will do.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const output = join(root, 'src/platform/generated');
const stamp = join(output, '.stamp');
const require = createRequire(import.meta.url);
const prisma = require.resolve('prisma/package.json');

const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'prisma/schema.prisma')))
  .update(JSON.parse(readFileSync(prisma, 'utf8')).version)
  .update(readFileSync(fileURLToPath(import.meta.url)))
  .digest('hex');

if (
  existsSync(stamp) &&
  readFileSync(stamp, 'utf8') === wanted &&
  existsSync(join(output, 'client.ts'))
)
  process.exit(0);

const engines = join(root, 'node_modules/@prisma/engines');
const engineIsThere =
  existsSync(engines) && readdirSync(engines).some((name) => name.startsWith('schema-engine'));
/** @type {NodeJS.ProcessEnv} */
const env = { ...process.env, CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1' };
if (!engineIsThere) env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;

rmSync(output, { recursive: true, force: true });
const { bin } = JSON.parse(readFileSync(prisma, 'utf8'));
const run = spawnSync(process.execPath, [join(dirname(prisma), bin.prisma), 'generate'], {
  cwd: root,
  env,
  encoding: 'utf8',
});
if (run.status !== 0) {
  console.error(`prisma generate failed:\n${run.stdout ?? ''}${run.stderr ?? ''}`);
  process.exit(1);
}
importModules();
writeFileSync(stamp, wanted);
console.log('Generated the Prisma client in src/platform/generated.');

/**
 * Node's condition for the runtime leads to CommonJS, in whose 200 KB Node has to look for names
 * before it can be imported. The same as a module takes 115 ms less of each start.
 */
function importModules() {
  const [from, to] = ['"@prisma/client/runtime/client"', '"@prisma/client/runtime/client.mjs"'];
  const files = readdirSync(output, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const changed = files.filter((entry) => {
    const file = join(entry.parentPath, entry.name);
    const text = readFileSync(file, 'utf8');
    if (text.includes(from)) writeFileSync(file, text.replaceAll(from, to));
    return text.includes(from);
  });
  if (changed.length === 0)
    throw new Error(`${from} is not what the generated client imports any more`);
}
