/**
 * An asynchronous standby of a Postgres of these tests: a base backup that follows by streaming,
 * through a wire that can be cut. It has then what had reached it, and not a byte more.
 */
import { chownSync, copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type pg from 'pg';
import { startChild } from '../../scripts/lib/children.mjs';
import { systemFolders, unprivileged } from '../../scripts/stores/postgres.mjs';
import { eventually } from '../support/eventually.js';
import { query } from '../support/sql.js';
import { FaultPostgres, scratchFolder } from './stores.js';
import { TcpProxy } from './tcp-proxy.js';

const NEEDED = ['postgres', 'initdb', 'pg_basebackup', 'pg_ctl', 'pg_dump'];

/** Of a whole Postgres: what comes with npm is the server alone. */
export const postgresFolder = systemFolders().find((folder) =>
  NEEDED.every((name) => existsSync(join(folder, name))),
);

export const WHOLE_POSTGRES = {
  met: postgresFolder !== undefined,
  reason: 'no Postgres with pg_basebackup is installed (Debian: postgresql-15)',
};

export class Standby {
  private constructor(
    private readonly primary: FaultPostgres,
    readonly postgres: FaultPostgres,
    private readonly wire: TcpProxy,
  ) {}

  static async of(primary: FaultPostgres): Promise<Standby> {
    const dir = scratchFolder('standby');
    const data = join(dir, 'postgres');
    const wire = await TcpProxy.before(primary.url);
    const { username, port } = new URL(wire.urlThrough(primary.url));
    const flags = [
      '-D',
      data,
      '-h',
      '127.0.0.1',
      '-p',
      port,
      '-U',
      username,
      '-R',
      '-X',
      'stream',
      '-c',
      'fast',
      '--no-sync',
      '--no-password',
    ];
    const password = readFileSync(primary.passwordFile, 'utf8').trim();
    await baseBackup(data, flags, password);
    copyFileSync(primary.passwordFile, join(dir, 'postgres.password'));
    return new Standby(primary, await FaultPostgres.standby(dir, postgresFolder!), wire);
  }

  /** Resolves when everything that the primary had committed by now could be read here. */
  async caughtUp(): Promise<void> {
    const [{ lsn }] = await rows<{ lsn: string }>(
      this.primary,
      'SELECT pg_current_wal_flush_lsn()::text AS lsn',
    );
    const has = async () =>
      (
        await rows<{ has: boolean }>(
          this.postgres,
          `SELECT pg_last_wal_replay_lsn() >= '${lsn}'::pg_lsn AS has`,
        )
      )[0].has;
    await eventually(`the standby has replayed ${lsn}`, has);
  }

  /**
   * From now on the primary acknowledges what is here. The copy knows nothing of that: promoted, it
   * waits for nobody.
   */
  async makeSynchronous(): Promise<void> {
    await this.primary.query(`ALTER SYSTEM SET synchronous_standby_names = '*'`);
    await this.primary.query('SELECT pg_reload_conf()');
    const state = async () =>
      (
        await rows<{ state: string }>(
          this.primary,
          `SELECT min(sync_state) AS state FROM pg_stat_replication`,
        )
      )[0].state;
    await eventually('the standby is synchronous', async () => (await state()) === 'sync');
  }

  /** Nothing of the primary arrives any more. */
  cutOff(): void {
    this.wire.blackHole({ lose: true });
  }

  /** The delay of everything that arrives. */
  lag(ms: number): void {
    this.wire.delay(ms);
  }

  /** Received WAL is kept and not applied; a promotion replays it first. */
  async pauseReplay(): Promise<void> {
    await this.postgres.query('SELECT pg_wal_replay_pause()');
  }

  async promote(): Promise<void> {
    const [{ done }] = await rows<{ done: boolean }>(
      this.postgres,
      'SELECT pg_promote(true, 30) AS done',
    );
    if (!done) throw new Error('the standby was not promoted within 30 s');
    await this.wire.stop();
  }

  /** Unless it is the primary by now. */
  async giveUp(primary: FaultPostgres): Promise<void> {
    if (this.postgres !== primary) await this.postgres.stop();
    await this.wire.stop();
  }
}

/**
 * As whom the server runs: it refuses data of another. Not synchronous: the wire is in this
 * process.
 */
async function baseBackup(data: string, flags: string[], password: string): Promise<void> {
  mkdirSync(data, { mode: 0o700 });
  const identity = unprivileged(data, [dirname(data), postgresFolder!]) as Identity;
  if (identity.uid !== undefined) chownSync(data, identity.uid, identity.gid!);
  const child = startChild(...identity.wrap(join(postgresFolder!, 'pg_basebackup'), flags), {
    ...identity.ids,
    cwd: tmpdir(),
    env: { LC_ALL: 'C', PGPASSWORD: password },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`pg_basebackup ended with ${String(code)}: ${said}`);
}

interface Identity {
  uid?: number;
  gid?: number;
  ids: object;
  wrap: (command: string, args: string[]) => [string, string[]];
}

const rows = async <T extends pg.QueryResultRow>(postgres: FaultPostgres, text: string) =>
  (await query<T>(postgres.url, text)) as [T, ...T[]];
