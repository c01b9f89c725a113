/**
 * Postgres and Redis for trying out, developing and testing. DATABASE_URL and REDIS_URL win when
 * they are set; else private stores start here and end with the launcher. Run alone (`node
 * scripts/lib/stores.mjs`) it prints both URLs and waits.
 */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeAtEnd, stopOnSignals } from './children.mjs';
import { commandLine, processIsAlive } from '../stores/machine.mjs';
import { startPostgres } from '../stores/postgres.mjs';
import { startRedis } from '../stores/redis.mjs';

/**
 * @param {{ dir?: string, log?: (line: string) => void }} [options] `dir` keeps the data; without
 * it they are thrown away.
 * @returns {Promise<{ databaseUrl: string, redisUrl: string, privatePostgres: boolean,
 * privateRedis: boolean, stop: () => Promise<void> }>}
 */
export async function startStores({ dir, log = () => {} } = {}) {
  const { DATABASE_URL, REDIS_URL } = process.env;
  let folder = dir;
  if (folder === undefined) {
    // Postgres may run as another user: it has to be able to enter
    folder = mkdtempSync(join(tmpdir(), 'wardroom-stores-'));
    chmodSync(folder, 0o711);
    removeAtEnd(folder);
  } else {
    holdFolder(folder);
  }
  const [postgres, redis] = await Promise.all([
    DATABASE_URL
      ? { url: DATABASE_URL, name: 'DATABASE_URL', stop: async () => {} }
      : startPostgres({ dir: folder, throwaway: dir === undefined }),
    REDIS_URL ? { url: REDIS_URL, name: 'REDIS_URL', stop: async () => {} } : startRedis(),
  ]);
  log(`Postgres: ${postgres.name}`);
  log(`Redis: ${redis.name}`);
  return {
    databaseUrl: postgres.url,
    redisUrl: redis.url,
    privatePostgres: !DATABASE_URL,
    privateRedis: !REDIS_URL,
    async stop() {
      await Promise.all([postgres.stop(), redis.stop()]);
      if (dir === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      else rmSync(join(folder, 'launcher.pid'), { force: true });
    },
  };
}

/**
 * One launcher at a time has a data folder. A pid file of a dead one, or whose number another
 * program got, is stale.
 */
function holdFolder(folder) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'launcher.pid');
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    if (
      pid !== process.pid &&
      pid !== process.ppid &&
      processIsAlive(pid) &&
      /scripts[/\\](start|dev|stores)\.mjs/.test(commandLine(pid))
    ) {
      throw new Error(
        `The data folder ${folder} is in use by process ${pid} (another npm start or npm run dev). Stop that one first.`,
      );
    }
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  writeFileSync(file, String(process.pid));
}

if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
) {
  const stopping = stopOnSignals();
  try {
    const stores = await startStores({
      log: console.error,
      ...(process.argv[2] === undefined ? {} : { dir: process.argv[2] }),
    });
    console.log(`DATABASE_URL=${stores.databaseUrl}\nREDIS_URL=${stores.redisUrl}`);
    setInterval(() => {}, 1 << 30);
  } catch (error) {
    if (!stopping()) {
      console.error(error.message);
      process.exitCode = 1;
    }
  }
}
