/**
 * `npm run keys`, `audit` and `restore-fence`: the commands of dist/ with the environment they are
 * given, or, when that names no database and `npm start` or `npm run dev` is running here, with
 * that of the try-out. src/ knows nothing of it, and nothing else of scripts/ is imported, because
 * the image does not have it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [command, ...args] = process.argv.slice(2);
process.exitCode =
  spawnSync(process.execPath, [join(root, command), ...args], {
    stdio: 'inherit',
    env: await environment(),
  }).status ?? 1;

async function environment() {
  const { DATABASE_URL, DATABASE_URL_FILE } = process.env;
  if (DATABASE_URL || DATABASE_URL_FILE || !existsSync(join(root, '.wardroom/stores.json')))
    return process.env;
  const { keptStores, nodeEnvironment } = await import('./lib/try-out.mjs');
  const stores = keptStores();
  return stores === null ? process.env : nodeEnvironment(stores);
}
