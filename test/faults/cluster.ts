/**
 * Real nodes on stores of their own, each behind its own proxies: whatever can break, breaks for
 * one node or for all. `node(i)` keeps its ports and proxies over a crash, so clients come back to
 * the same address.
 */
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from '../../scripts/stores/machine.mjs';
import { createDatabase } from '../../scripts/stores/postgres.mjs';
import { startNodeProcess } from '../support/nodes.mjs';
import { FaultPostgres, FaultRedis, faketimeLibrary, scratchFolder, signal } from './stores.js';
import { TcpProxy } from './tcp-proxy.js';

type NodeProcess = Awaited<ReturnType<typeof startNodeProcess>>;

export interface ClusterOptions {
  nodes: number;
  leaseMs: number;
  env?: Record<string, string>;
  /** Of the binaries of Postgres, where those of npm will not do. */
  postgresFolder?: string;
}

export class FaultNode {
  process!: NodeProcess;

  constructor(
    readonly name: string,
    private readonly env: Record<string, string>,
    readonly postgres: TcpProxy,
    readonly redis: TcpProxy,
    /** Where the node reads how far its wall clock is off; undefined without libfaketime. */
    private readonly clockFile: string | undefined,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.env['PORT']}`;
  }

  get wsUrl(): string {
    return `ws://127.0.0.1:${this.env['PORT']}/v1/ws`;
  }

  get internalUrl(): string {
    return `http://127.0.0.1:${this.env['INTERNAL_PORT']}`;
  }

  async start(): Promise<void> {
    this.process = await startNodeProcess(this.env, {
      logDir: process.env['TEST_LOG_DIR']!,
      name: this.name,
    });
  }

  freeze(): void {
    signal(this.process.pid, 'SIGSTOP');
  }

  thaw(): void {
    signal(this.process.pid, 'SIGCONT');
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.process.ended;
  }

  /** The wall clock of this node from now on; the monotonic one goes on. */
  stepClock(seconds: number): void {
    if (this.clockFile !== undefined)
      writeFileSync(this.clockFile, `${seconds >= 0 ? '+' : ''}${seconds}`);
  }

  async isReady(): Promise<boolean> {
    const answer = await fetch(`${this.internalUrl}/readyz`, {
      signal: AbortSignal.timeout(1_000),
    }).catch(() => undefined);
    await answer?.arrayBuffer().catch(() => undefined);
    return answer?.ok === true;
  }
}

export class FaultCluster {
  readonly databaseUrl = (): string =>
    Object.assign(new URL(this.primary.url), { pathname: this.database }).href;

  private constructor(
    private primary: FaultPostgres,
    readonly redis: FaultRedis,
    private readonly database: string,
    readonly nodes: readonly FaultNode[],
    readonly leaseMs: number,
    private readonly clockFolder: string,
  ) {}

  static async start({
    nodes: count,
    leaseMs,
    env = {},
    postgresFolder,
  }: ClusterOptions): Promise<FaultCluster> {
    const [postgres, redis] = await Promise.all([
      FaultPostgres.start(postgresFolder),
      FaultRedis.start(),
    ]);
    const database = new URL(await createDatabase(postgres.url, 'faults')).pathname;
    const databaseUrl = Object.assign(new URL(postgres.url), { pathname: database }).href;
    const clockFolder = scratchFolder('clocks');
    const shared = {
      SECRET_KEY: randomBytes(32).toString('base64url'),
      PUBLIC_URL: 'http://wardroom.test',
      BOOTSTRAP_OPERATOR_EMAIL: process.env['TEST_OPERATOR_EMAIL']!,
      BOOTSTRAP_OPERATOR_PASSWORD: process.env['TEST_OPERATOR_PASSWORD']!,
      AUTHORITY_LEASE_MS: String(leaseMs),
      MAX_CONNECTIONS_PER_IP: '0',
      MAX_UNAUTHENTICATED_PER_IP: '0',
      PUBLISH_RATE: '0',
      SIGNAL_RATE: '0',
      SUBSCRIBE_RATE: '0',
      CALL_RATE: '0',
      LOGINS_PER_MINUTE: '0',
      FRAME_RATE: '0',
      LOGIN_FAILURES_PER_MINUTE: '0',
      ...env,
    };
    const nodes: FaultNode[] = [];
    for (let i = 0; i < count; i += 1) {
      const toPostgres = await TcpProxy.before(databaseUrl);
      const toRedis = await TcpProxy.before(redis.url);
      const name = `faults-${process.pid}-${randomBytes(3).toString('hex')}-${'abc'[i]}`;
      const clock = clockOf(clockFolder, name);
      const own = {
        ...shared,
        ...clock?.env,
        PORT: String(await freePort()),
        INTERNAL_PORT: String(await freePort()),
        DATABASE_URL: toPostgres.urlThrough(databaseUrl),
        REDIS_URL: toRedis.urlThrough(redis.url),
      };
      nodes.push(new FaultNode(name, own, toPostgres, toRedis, clock?.file));
    }
    const cluster = new FaultCluster(postgres, redis, database, nodes, leaseMs, clockFolder);
    // Together, as a deployment does: one of them migrates.
    await Promise.all(nodes.map((node) => node.start()));
    return cluster;
  }

  get postgres(): FaultPostgres {
    return this.primary;
  }

  get hasClocks(): boolean {
    return faketimeLibrary() !== undefined;
  }

  /** Resolves with how long it took until every node was ready. */
  async ready(withinMs = 20_000): Promise<number> {
    const startedMs = performance.now();
    for (;;) {
      const ready = await Promise.all(this.nodes.map((node) => node.isReady()));
      const tookMs = performance.now() - startedMs;
      if (ready.every(Boolean)) return tookMs;
      if (tookMs > withinMs)
        throw new Error(
          `not ready after ${withinMs} ms: ${this.nodes
            .filter((_, i) => !ready[i])
            .map((node) => node.name)
            .join(', ')}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async restartPostgres(): Promise<void> {
    await this.postgres.restart();
    this.retarget();
  }

  async crashPostgres(): Promise<void> {
    await this.postgres.crash();
    this.retarget();
  }

  /**
   * From now on every node that connects reaches this server; what is connected stays where it is.
   */
  switchTo(postgres: FaultPostgres): void {
    this.primary = postgres;
    this.retarget();
  }

  /** Past the nodes, on the database itself. */
  async sql(text: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.databaseUrl() });
    await client.connect();
    await client.query(text);
    await client.end();
  }

  private retarget(): void {
    for (const node of this.nodes) node.postgres.retarget(this.databaseUrl());
  }

  async stop(): Promise<void> {
    for (const node of this.nodes) {
      node.postgres.heal();
      node.redis.heal();
      node.thaw();
    }
    await Promise.all(this.nodes.map((node) => node.process.stop()));
    await Promise.all(this.nodes.flatMap((node) => [node.postgres.stop(), node.redis.stop()]));
    await Promise.all([this.postgres.stop(), this.redis.stop()]);
    rmSync(this.clockFolder, { recursive: true, force: true });
  }
}

function clockOf(
  folder: string,
  name: string,
): { file: string; env: Record<string, string> } | undefined {
  const library = faketimeLibrary();
  if (library === undefined) return undefined;
  const file = join(folder, name);
  writeFileSync(file, '+0');
  const env = {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
  return { file, env };
}
