/**
 * A client of a pooler that lends a server for one transaction (pgbouncer's
 * `pool_mode=transaction`, Supavisor, Neon, Azure). Settings of a session are not there for the
 * next transaction, or are there for that of another client. So every transaction makes its
 * settings for itself, a statement alone is a transaction of its own, and nothing is prepared by
 * name.
 */
import pg from 'pg';

type Callback = (error: Error | null, result?: pg.QueryResult) => void;
type Ask = (query: pg.QueryConfig) => Promise<pg.QueryResult>;

const BEGIN = /^\s*BEGIN\b/i;
/** Begun or failed. A client that has just connected does not know of any. */
const IN_TRANSACTION: ReadonlySet<string | null> = new Set(['T', 'E']);
const ISOLATION = /\bISOLATION\s+LEVEL\b/i;

/** `settings`: statements that hold for the transaction in which they are made. */
export function pooledClient(settings: string): typeof pg.Client {
  return class PooledClient extends pg.Client {
    constructor(config?: string | pg.ClientConfig) {
      // Beginning, statement and end are on their way together: one round trip, like a statement
      // alone.
      super({ ...(config as pg.ClientConfig), pipeline: true });
    }

    // The overloads of `pg` in one: text or config, values or none, callback or promise. It answers
    // a promise, or nothing.
    override query(...args: unknown[]): never {
      const callback = typeof args.at(-1) === 'function' ? (args.pop() as Callback) : undefined;
      const [config, values] = args as [string | pg.QueryConfig, unknown[] | undefined];
      const { name: _unnamed, ...query } = typeof config === 'string' ? { text: config } : config;
      const result = this.run({ ...query, ...(values === undefined ? {} : { values }) });
      if (callback === undefined) return result as never;
      // Outside of the promise: what the callback throws is not its failure.
      const answer = (error: Error | null, rows?: pg.QueryResult) =>
        process.nextTick(callback, error, rows);
      void result.then(
        (rows) => answer(null, rows),
        (error: Error) => answer(error),
      );
      return undefined as never;
    }

    private run(query: pg.QueryConfig): Promise<pg.QueryResult> {
      const ask: Ask = (one) => super.query(one);
      if (BEGIN.test(query.text)) return ask({ text: beginning(query.text, settings) });
      return IN_TRANSACTION.has(this.getTransactionStatus())
        ? ask(query)
        : alone(ask, query, settings);
    }
  };
}

/** Isolation is said in `BEGIN` itself: what a session prefers may be another client's wish. */
const beginning = (text: string, settings: string): string =>
  `${ISOLATION.test(text) ? text : text.replace(BEGIN, 'BEGIN ISOLATION LEVEL READ COMMITTED')}; ${settings}`;

async function alone(ask: Ask, query: pg.QueryConfig, settings: string): Promise<pg.QueryResult> {
  const [begun, answered, ended] = await Promise.allSettled([
    ask({ text: beginning('BEGIN', settings) }),
    ask(query),
    ask({ text: 'COMMIT' }),
  ]);
  // A failed beginning makes the statement fail too, with a lesser error; a statement whose COMMIT
  // failed has not happened.
  for (const part of [begun, answered, ended]) if (part.status === 'rejected') throw part.reason;
  return (answered as PromiseFulfilledResult<pg.QueryResult>).value;
}
