/**
 * Postgres: one pool, shared by the Prisma client (reads, small transactions) and by the few hot statements that go
 * through `pg` directly (lease round, membership facts, room events).
 */
import { Injectable, Logger } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { Config } from './config.js';
import { DomainError } from './errors.js';
import { PrismaClient, Prisma } from './generated/client.js';

export type Tx = Prisma.TransactionClient;

const POOL_SIZE = 16;
const STATEMENT_TIMEOUT_MS = 10_000;
const LOCK_TIMEOUT_MS = 5_000;

@Injectable()
export class Database implements OnApplicationShutdown {
  readonly pool: pg.Pool;
  readonly prisma: PrismaClient;

  constructor(config: Config) {
    const logger = new Logger(Database.name);
    this.pool = new pg.Pool({
      connectionString: config.databaseUrl,
      max: POOL_SIZE,
      connectionTimeoutMillis: 3_000,
      keepAlive: true,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
      idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
      application_name: 'wardroom',
    });
    this.pool.on('error', (error) => logger.warn({ msg: 'idle Postgres connection failed', error: error.message }));
    this.prisma = new PrismaClient({ adapter: new PrismaPg(this.pool, { disposeExternalPool: false }) });
  }

  /** READ COMMITTED: every statement has its own snapshot, which the guards rely on. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.prisma.$transaction(work, {
      maxWait: 5_000,
      timeout: STATEMENT_TIMEOUT_MS,
      isolationLevel: Prisma.TransactionIsolationLevel.ReadCommitted,
    });
  }

  /** A hot statement with positional parameters, prepared once per pool connection under `name`. */
  async hot<Row extends pg.QueryResultRow>(name: string, text: string, values: unknown[]): Promise<Row[]> {
    const result = await this.pool.query<Row>({ name, text, values });
    return result.rows;
  }

  /** For readiness: an answer within a second. */
  async answers(): Promise<boolean> {
    const patience = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 1_000).unref());
    return Promise.race([this.pool.query('SELECT 1').then(() => true, () => false), patience]);
  }

  /** The last phase of a stop: others still write in theirs. */
  async onApplicationShutdown(): Promise<void> {
    await this.prisma.$disconnect();
    await this.pool.end();
  }
}

/** SQLSTATE of an error of `pg` or Prisma, or undefined. */
export function sqlState(error: unknown): string | undefined {
  if (error instanceof pg.DatabaseError) return error.code;
  if (error instanceof Prisma.PrismaClientKnownRequestError) {
    const cause = (error.meta as { driverAdapterError?: { cause?: { originalCode?: string } } } | undefined)?.driverAdapterError;
    return cause?.cause?.originalCode ?? (error.code === 'P2002' ? '23505' : undefined);
  }
  return undefined;
}

/** Runs `work`; a broken unique constraint becomes `code`. */
export async function uniqueOr<T>(code: 'slug_taken' | 'email_taken', work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (sqlState(error) === '23505') throw new DomainError(code, { cause: error });
    throw error;
  }
}
