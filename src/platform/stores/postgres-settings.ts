/**
 * The settings that every connection to Postgres makes for itself. A database or a role may carry
 * others (ALTER DATABASE ... SET, ALTER ROLE ... SET), and a pooler hands on what its last client
 * left behind: nothing is taken as found.
 */
import pg from 'pg';

export interface Timeouts {
  statementMs: number;
  lockMs: number;
  idleInTransactionMs: number;
}

/** Timeouts of the queries of a serving node. */
export const SERVING: Timeouts = {
  statementMs: 10_000,
  lockMs: 5_000,
  /**
   * Below the lock timeout: the locks of a node that was stopped in a transaction go before those
   * who wait for them give up.
   */
  idleInTransactionMs: 3_000,
};
/** Migrations and commands take their time. */
export const PATIENT: Timeouts = { statementMs: 0, lockMs: 0, idleInTransactionMs: 0 };

export interface Ground {
  schema: string;
  /** As `server_version_num` says it. */
  version: number;
  /** By the defaults of database and role. */
  synchronousCommit: string;
}

/** `local`: to the end of the transaction. One text of statements, for one message. */
export function settingsText(
  { schema, version, synchronousCommit }: Ground,
  timeouts: Timeouts,
  { local }: { local: boolean },
): string {
  const settings: Record<string, string> = {
    // Prisma's adapter drops the offset of a time, both ways.
    TimeZone: 'UTC',
    DateStyle: 'ISO, MDY',
    IntervalStyle: 'postgres',
    client_encoding: 'UTF8',
    bytea_output: 'hex',
    extra_float_digits: '1',
    standard_conforming_strings: 'on',
    transform_null_equals: 'off',
    // Guards rely on a snapshot for each statement.
    default_transaction_isolation: 'read committed',
    statement_timeout: String(timeouts.statementMs),
    lock_timeout: String(timeouts.lockMs),
    idle_in_transaction_session_timeout: String(timeouts.idleInTransactionMs),
    ...(version >= 170_000 ? { transaction_timeout: '0' } : {}),
    // Between transactions: of a pooler's connection it is the pooler's affair.
    ...(local ? {} : { idle_session_timeout: '0' }),
    // An acknowledged change must not be lost with a crash. Stronger settings, such as waiting for
    // a standby, stay as they are.
    ...(synchronousCommit === 'off' ? { synchronous_commit: 'on' } : {}),
  };
  const set = local ? 'SET LOCAL' : 'SET';
  const plain = Object.entries(settings).map(
    ([name, value]) => `${set} ${name} TO ${pg.escapeLiteral(value)}`,
  );
  // One schema and no other: what stands elsewhere under the same name is not ours.
  return [...plain, `${set} search_path TO ${pg.escapeIdentifier(schema)}`].join('; ');
}
