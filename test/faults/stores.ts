/**
 * A Postgres and a Redis of a suite's own, as processes that can be stopped, killed, frozen and
 * started again.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { removeAtEnd, startChild, stopChild } from '../../scripts/lib/children.mjs';
import { freePort } from '../../scripts/stores/machine.mjs';
import { startPostgres } from '../../scripts/stores/postgres.mjs';

export function scratchFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `wardroom-faults-${name}-`));
  // Postgres may run as another user: it has to be able to enter.
  chmodSync(folder, 0o711);
  removeAtEnd(folder);
  return folder;
}

/** With commit timestamps: the checker wants to know what came first. */
export class FaultPostgres {
  private killed = false;

  private constructor(
    private readonly dir: string,
    private readonly folder: string | undefined,
    private server: { url: string; stop: () => Promise<void> },
  ) {}

  /** `folder`: of the binaries, where those of npm will not do. */
  static async start(folder?: string): Promise<FaultPostgres> {
    const dir = scratchFolder('postgres');
    const postgres = new FaultPostgres(
      dir,
      folder,
      await startPostgres({ dir, throwaway: true, folder }),
    );
    await postgres.query('ALTER SYSTEM SET track_commit_timestamp = on');
    await postgres.restart();
    return postgres;
  }

  /** On a base backup of another server, in `dir`: it follows that one until it is promoted. */
  static async standby(dir: string, folder: string): Promise<FaultPostgres> {
    return new FaultPostgres(
      dir,
      folder,
      await startPostgres({ dir, throwaway: true, folder, standby: true }),
    );
  }

  get url(): string {
    return this.server.url;
  }

  get passwordFile(): string {
    return join(this.dir, 'postgres.password');
  }

  async query(text: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.url });
    await client.connect();
    try {
      await client.query(text);
    } finally {
      await client.end();
    }
  }

  /** Fast shutdown and start; the port may be another. */
  async restart(): Promise<void> {
    await this.server.stop();
    this.server = await startPostgres({ dir: this.dir, throwaway: true, folder: this.folder });
    this.killed = false;
  }

  /** Every process of the server at once gone, and nothing starts it again. */
  async kill(): Promise<void> {
    for (const pid of this.processes()) signal(pid, 'SIGKILL');
    this.killed = true;
    await this.server.stop();
  }

  async crash(): Promise<void> {
    await this.kill();
    await this.restart();
  }

  freeze(): void {
    for (const pid of this.processes()) signal(pid, 'SIGSTOP');
  }

  /** Children first, so that the postmaster sees them alive. */
  thaw(): void {
    for (const pid of this.processes().reverse()) signal(pid, 'SIGCONT');
  }

  async stop(): Promise<void> {
    this.thaw();
    await this.server.stop();
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }

  private processes(): number[] {
    // Its pid file is still there, and the numbers may be those of others by now.
    if (this.killed) return [];
    const postmaster = Number(
      readFileSync(join(this.dir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0],
    );
    return [postmaster, ...childrenOf(postmaster)];
  }
}

const REDIS_SERVERS = ['valkey-server', 'redis-server'];

/**
 * A real server of 7 or newer: the stand-in cannot be frozen, filled or restarted with its data.
 */
const redisServer = REDIS_SERVERS.find(
  (command) =>
    Number(
      /v=(\d+)/.exec(spawnSync(command, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1] ??
        0,
    ) >= 7,
);

export const REDIS = {
  met: redisServer !== undefined,
  reason: 'no redis-server or valkey-server 7 or newer is on PATH',
};

export class FaultRedis {
  private child: ReturnType<typeof spawn> | null = null;

  private constructor(
    private readonly command: string,
    private readonly dir: string,
    private readonly port: number,
  ) {}

  static async start(): Promise<FaultRedis> {
    const redis = new FaultRedis(redisServer!, scratchFolder('redis'), await freePort());
    await redis.up();
    return redis;
  }

  get url(): string {
    return `redis://:${PASSWORD}@127.0.0.1:${this.port}`;
  }

  /** One command over a connection of its own. */
  async run(command: string, ...args: string[]): Promise<unknown> {
    const client = new Redis(this.url, { lazyConnect: true, retryStrategy: () => null });
    try {
      await client.connect();
      return await client.call(command, ...args);
    } finally {
      client.disconnect();
    }
  }

  freeze(): void {
    signal(this.child!.pid!, 'SIGSTOP');
  }

  thaw(): void {
    signal(this.child!.pid!, 'SIGCONT');
  }

  kill(): void {
    signal(this.child!.pid!, 'SIGKILL');
  }

  /** After `kill`: with what it had written down (everything: appendfsync always), or empty. */
  async up({ empty = false }: { empty?: boolean } = {}): Promise<void> {
    if (this.child !== null) await stopChild(this.child);
    const data = join(this.dir, 'data');
    if (empty) rmSync(data, { recursive: true, force: true });
    mkdirSync(data, { recursive: true });
    const config = [
      `port ${this.port}`,
      'bind 127.0.0.1',
      `requirepass ${PASSWORD}`,
      `dir ${data}`,
      'save ""',
      'maxmemory-policy noeviction',
      'daemonize no',
    ];
    const file = join(this.dir, 'redis.conf');
    writeFileSync(
      file,
      [...config, 'appendonly yes', 'appendfsync always', 'enable-debug-command yes'].join('\n'),
    );
    this.child = startChild(this.command, [file], { stdio: ['ignore', 'ignore', 'ignore'] });
    await this.answers();
  }

  async stop(): Promise<void> {
    if (this.child === null) return;
    this.thaw();
    await stopChild(this.child);
    rmSync(this.dir, { recursive: true, force: true });
  }

  private async answers(): Promise<void> {
    const deadline = performance.now() + 10_000;
    for (;;) {
      const answer = await this.run('PING').catch((error: Error) => error);
      if (answer === 'PONG') return;
      if (performance.now() > deadline) throw new Error(`Redis did not start: ${String(answer)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

const PASSWORD = 'only-on-loopback-for-faults';

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // ended meanwhile
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number);
  } catch {
    const all = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
    return all
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number))
      .filter(([, parent]) => parent === pid)
      .map(([child]) => child!);
  }
}

/** Where libfaketime is on this machine, or undefined. */
export function faketimeLibrary(): string | undefined {
  const wanted = process.env['LIBFAKETIME'];
  if (wanted !== undefined) return wanted;
  for (const folder of ['/usr/lib', '/usr/local/lib', '/usr/lib64', ...multiarch()]) {
    try {
      const found = readdirSync(join(folder, 'faketime')).find(
        (file) => file === 'libfaketimeMT.so.1',
      );
      if (found !== undefined) return join(folder, 'faketime', found);
    } catch {
      // not here
    }
  }
  return undefined;
}

function multiarch(): string[] {
  return readdirSync('/usr/lib')
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => join('/usr/lib', name));
}
