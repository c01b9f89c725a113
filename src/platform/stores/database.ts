/**
 * Postgres: one pool, shared by the Prisma client (reads, small transactions) and by the few hot
 * statements that go through `pg` directly (membership facts, room events). The lease round has a
 * connection of its own: nothing waits before it, and its silence is the first sign of a dead link.
 */
import { Injectable, Logger, Optional } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { Config } from '../config/config.js';
import { DomainError } from '../errors.js';
import { FairGate } from '../fair-gate.js';
import { PrismaClient, Prisma } from '../generated/client.js';
import { PostgresAccess } from './postgres-access.js';
import { PostgresPool } from './postgres-pool.js';
import { SERVING } from './postgres-settings.js';
import { currentRequest } from '../request-context.js';

export type Tx = Prisma.TransactionClient;

const POOL_SIZE = 16;
/**
 * Transactions of requests, in all and of one caller: each waits for its locks and its COMMIT, and
 * the pool is there for the others, too.
 */
const TRANSACTIONS = { running: POOL_SIZE - 4, perKey: 3, waiting: 512, patienceMs: 5_000 };
const ROUND_ANSWER_MS_MIN = 1_000;
/** Past every timeout of the server. */
const SILENT_MS = SERVING.statementMs + 1_000;
/**
 * Work that runs on one node only is abandoned after this, so that a node that stands still does
 * not keep the others from it.
 */
const ALONE_MS_MAX = 60_000;

@Injectable()
export class Database implements OnApplicationShutdown {
  readonly pool: PostgresPool;
  private readonly authorityPool: PostgresPool;
  readonly prisma: PrismaClient;
  private readonly transactions = new FairGate(TRANSACTIONS);
  private readonly lastWrites: ((tx: Tx) => Promise<void>)[] = [];
  private readonly commitHooks: ((tx: Tx) => void)[] = [];

  constructor(
    config: Config,
    @Optional() access: PostgresAccess = new PostgresAccess(config.databaseUrl),
  ) {
    const logger = new Logger(Database.name);
    const shared = { application_name: 'wardroom' };
    this.pool = new PostgresPool(
      access,
      { ...shared, max: POOL_SIZE, connectionTimeoutMillis: 3_000 },
      SILENT_MS,
    );
    // Asked again, over a new connection, while there still is a lease.
    const patienceMs = Math.max(ROUND_ANSWER_MS_MIN, config.authorityLeaseMs / 2);
    this.authorityPool = new PostgresPool(
      access,
      { ...shared, max: 1, connectionTimeoutMillis: patienceMs, query_timeout: patienceMs },
      SILENT_MS,
    );
    for (const pool of [this.pool, this.authorityPool]) {
      pool.on('error', (error) =>
        logger.warn({ msg: 'idle Postgres connection failed', error: error.message }),
      );
    }
    // Prisma names the schema in its statements, and asks for it as it connects.
    const connect = async () =>
      new PrismaPg(this.pool, {
        disposeExternalPool: false,
        schema: (await access.find()).schema,
      }).connect();
    this.prisma = new PrismaClient({
      adapter: { provider: 'postgres', adapterName: 'wardroom', connect },
    });
  }

  /** READ COMMITTED: every statement has its own snapshot, which the guards rely on. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const request = currentRequest();
    if (request === undefined) return this.runTransaction(work);
    return this.transactions.run(request.actor?.userId ?? request.ip, () =>
      this.runTransaction(work),
    );
  }

  private async runTransaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const { result, tx } = await this.prisma.$transaction(
      async (tx) => {
        const result = await work(tx);
        await this.writeLast(tx);
        return { result, tx };
      },
      {
        maxWait: 5_000,
        timeout: SERVING.statementMs,
        isolationLevel: Prisma.TransactionIsolationLevel.ReadCommitted,
      },
    );
    for (const hear of this.commitHooks) hear(tx);
    return result;
  }

  /**
   * The first query of Prisma compiles its WebAssembly, which takes longer than many calls: paid
   * before the node is ready.
   */
  async warmUp(): Promise<void> {
    await this.transaction((tx) => tx.tenant.findFirst({ select: { id: true } }));
  }

  /**
   * The last writes of every transaction, after its work, so that the locks of that writing are
   * held for the shortest time.
   */
  beforeCommit(write: (tx: Tx) => Promise<void>): void {
    this.lastWrites.push(write);
  }

  /**
   * Called with a transaction that Postgres has said to be committed. Not called when its outcome
   * is unknown.
   */
  afterCommit(hear: (tx: Tx) => void): void {
    this.commitHooks.push(hear);
  }

  /**
   * Writes it now: for who has one statement more that must come after. Nothing is then left for
   * the end.
   */
  async writeLast(tx: Tx): Promise<void> {
    for (const write of this.lastWrites) await write(tx);
  }

  /** A hot statement with positional parameters, prepared once per pool connection under `name`. */
  async hot<Row extends pg.QueryResultRow>(
    name: string,
    text: string,
    values: unknown[],
  ): Promise<Row[]> {
    const result = await this.pool.query<Row>({ name, text, values });
    return result.rows;
  }

  /** A statement of the lease round: answered soon or failed. */
  async authority<Row extends pg.QueryResultRow>(
    name: string,
    text: string,
    values: unknown[],
  ): Promise<Row[]> {
    try {
      return (await this.authorityPool.query<Row>({ name, text, values })).rows;
    } catch (error) {
      // Without an answer of Postgres itself, the other connections may be as dead as this one.
      if (!(error instanceof pg.DatabaseError)) this.pool.suspect();
      throw error;
    }
  }

  /**
   * Runs `work` on this node while no other node runs it; null: another does. The lock is one of a
   * transaction, which a pooler keeps together, and that transaction does nothing else.
   */
  async alone<T>(lock: number, work: () => Promise<T>): Promise<T | null> {
    const client = await this.pool.connect();
    let broken: Error | undefined;
    try {
      await client.query('BEGIN');
      await client.query(`SET LOCAL idle_in_transaction_session_timeout TO ${ALONE_MS_MAX}`);
      const { rows } = await client.query<{ mine: boolean }>(
        'SELECT pg_try_advisory_xact_lock($1) AS mine',
        [lock],
      );
      return rows[0]?.mine === true ? await work() : null;
    } finally {
      await client.query('ROLLBACK').catch((error: Error) => (broken = error));
      client.release(broken);
    }
  }

  /** For readiness: an answer within a second. */
  async answers(): Promise<boolean> {
    const patience = new Promise<boolean>((resolve) =>
      setTimeout(() => resolve(false), 1_000).unref(),
    );
    return Promise.race([
      this.pool.query('SELECT 1').then(
        () => true,
        () => false,
      ),
      patience,
    ]);
  }

  /** The last phase of a stop: others still write in theirs. */
  async onApplicationShutdown(): Promise<void> {
    await this.prisma.$disconnect();
    await Promise.all([this.pool.end(), this.authorityPool.end()]);
  }
}

/** SQLSTATE of an error of `pg` or Prisma, or undefined. */
export function sqlState(error: unknown): string | undefined {
  if (error instanceof pg.DatabaseError) return error.code;
  if (error instanceof Prisma.PrismaClientKnownRequestError) {
    const cause = (
      error.meta as { driverAdapterError?: { cause?: { originalCode?: string } } } | undefined
    )?.driverAdapterError;
    return cause?.cause?.originalCode ?? (error.code === 'P2002' ? '23505' : undefined);
  }
  return undefined;
}

/** Runs `work`; a broken unique constraint becomes `code`. */
export async function uniqueOr<T>(
  code: 'slug_taken' | 'email_taken',
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (sqlState(error) === '23505') throw new DomainError(code, { cause: error });
    throw error;
  }
}
