/**
 * How this process gets to Postgres: the way in (address, TLS), the schema, and whether a pooler
 * lends its servers for one transaction at a time. Found once, before anything is migrated or
 * served; what cannot be had is refused in one sentence. Every connection then makes the same
 * settings (postgres-settings.ts).
 */
import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import { pooledClient } from './pooled-client.js';
import { settingsText } from './postgres-settings.js';
import type { Ground, Timeouts } from './postgres-settings.js';
import { readPostgresUrl } from '../config/postgres-url.js';
import type { PostgresUrl } from '../config/postgres-url.js';

const VERSION_MIN = 150_000;
const FIND_MS = 10_000;
/** Makes the settings of a new connection, in the time in which it would have to connect. */
const SETTINGS_MS = 3_000;

/** The start ends with this sentence. */
export class PostgresUnfit extends Error {}

interface Found {
  ground: Ground;
  pooled: boolean;
  tls: ConnectionOptions | false;
}

interface ClientKind {
  way: pg.ClientConfig;
  Client: typeof pg.Client;
  prepare: (client: pg.ClientBase) => Promise<void>;
}

interface FactsRow {
  version: number;
  encoding: string;
  standby: boolean;
  read_only: string;
  synchronous_commit: string;
  search_path: string;
  schema: string | null;
  pid: number;
}

export class PostgresAccess {
  private readonly url: PostgresUrl;
  private readonly address: string;
  private finding: Promise<Found> | null = null;
  private ground: Ground | null = null;

  constructor(databaseUrl: string) {
    this.url = readPostgresUrl(databaseUrl);
    const { host, port, database } = this.url.server;
    this.address = `${host ?? 'the default host'}:${port ?? 5432}/${database ?? ''}`;
  }

  /**
   * Answers when Postgres is fit to be used, else throws PostgresUnfit. Asked again only after a
   * failure.
   */
  async find(): Promise<{ pooled: boolean; schema: string }> {
    const { pooled, ground } = await this.found();
    return { pooled, schema: ground.schema };
  }

  /** After `find`. */
  get schema(): string {
    if (this.ground === null) throw new Error('the schema is asked for before Postgres was found');
    return this.ground.schema;
  }

  /**
   * For clients and pools: how they connect, what they are, and what is done before they are used.
   */
  async client(timeouts: Timeouts): Promise<ClientKind> {
    const { ground, pooled, tls } = await this.found();
    const way = { ...this.url.server, ssl: tls, keepAlive: true };
    if (pooled)
      return {
        way,
        Client: pooledClient(settingsText(ground, timeouts, { local: true })),
        prepare: async () => undefined,
      };
    const settings = settingsText(ground, timeouts, { local: false });
    return { way, Client: pg.Client, prepare: (client) => makeSettings(client, settings) };
  }

  /** One connection of its own, for migrations and commands. */
  async connect(timeouts: Timeouts, name: string): Promise<pg.Client> {
    const { way, Client, prepare } = await this.client(timeouts);
    const client = new Client({ ...way, application_name: name, connectionTimeoutMillis: FIND_MS });
    client.on('error', () => {}); // the query in flight rejects too
    await client.connect();
    await prepare(client);
    return client;
  }

  private found(): Promise<Found> {
    this.finding ??= this.look().then(
      (found) => {
        this.ground = found.ground;
        return found;
      },
      (error: unknown) => {
        this.finding = null;
        throw error;
      },
    );
    return this.finding;
  }

  private async look(): Promise<Found> {
    const { client, tls } = await this.reach();
    try {
      const facts = await this.facts(client);
      const schema = this.url.schema ?? facts.schema;
      if (facts.version < VERSION_MIN)
        throw this.unfit(
          `is Postgres ${Math.floor(facts.version / 10_000)}; 15 or newer is needed`,
        );
      if (facts.encoding !== 'UTF8')
        throw this.unfit(
          `has the encoding ${facts.encoding}; create the database with ENCODING 'UTF8'`,
        );
      if (facts.standby)
        throw this.unfit('is a standby, which is read-only; name the primary in DATABASE_URL');
      if (facts.read_only === 'on')
        throw this.unfit('is set read-only (default_transaction_read_only); a node has to write');
      if (schema === null)
        throw this.unfit(
          `has none of the schemas of its search_path (${facts.search_path}); name one with ?schema= in DATABASE_URL`,
        );
      // A pooler invents the key by which a query is cancelled; Postgres puts its process there.
      const pooled =
        this.url.pooled ??
        facts.pid !== (client as unknown as { processID: number | null }).processID;
      return {
        ground: { schema, version: facts.version, synchronousCommit: facts.synchronous_commit },
        pooled,
        tls,
      };
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /**
   * The first way of `sslmode` that the server takes. It stays: a later connection does not do with
   * less.
   */
  private async reach(): Promise<{ client: pg.Client; tls: ConnectionOptions | false }> {
    for (const [i, tls] of this.url.tls.entries()) {
      const client = new pg.Client({
        ...this.url.server,
        ssl: tls,
        application_name: 'wardroom',
        connectionTimeoutMillis: FIND_MS,
        query_timeout: FIND_MS,
      });
      client.on('error', () => {});
      try {
        await client.connect();
        return { client, tls };
      } catch (error) {
        await client.end().catch(() => undefined);
        if (i + 1 < this.url.tls.length && refusesForTls(error as Error, tls)) continue;
        throw this.unfit(`cannot be used: ${(error as Error).message}`, error);
      }
    }
    throw new Error('no way to Postgres');
  }

  /** By the defaults of database and role, and not by what a pooler's last client left behind. */
  private async facts(client: pg.Client): Promise<FactsRow> {
    await client.query('BEGIN').catch((error: Error) => {
      // Only a pooler refuses this.
      throw this.unfit(
        `does not begin a transaction (${error.message}); set pool_mode of the pooler to transaction or session`,
        error,
      );
    });
    await client.query(
      'SET LOCAL statement_timeout TO 0; SET LOCAL idle_in_transaction_session_timeout TO 0',
    );
    const defaults = ['default_transaction_read_only', 'synchronous_commit', 'search_path'].map(
      (name) => `SET LOCAL ${name} TO DEFAULT`,
    );
    await client.query(defaults.join('; '));
    const { searchPath } = this.url;
    if (searchPath !== null)
      await client.query(`SELECT set_config('search_path', $1, true)`, [searchPath]);
    const { rows } = await client.query<FactsRow>(
      `SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS standby,
         current_setting('default_transaction_read_only') AS read_only, current_setting('synchronous_commit') AS synchronous_commit,
         current_setting('search_path') AS search_path, current_schema() AS schema, pg_backend_pid() AS pid`,
    );
    await client.query('COMMIT');
    return rows[0]!;
  }

  private unfit(sentence: string, cause?: unknown): PostgresUnfit {
    return new PostgresUnfit(`Postgres at ${this.address} ${sentence}.`, { cause });
  }
}

/** Also that it is no standby: it would answer with what is no longer so. */
async function makeSettings(client: pg.ClientBase, settings: string): Promise<void> {
  const query = {
    text: `${settings}; SELECT pg_is_in_recovery() AS standby`,
    query_timeout: SETTINGS_MS,
  };
  const results = (await client.query(query)) as unknown as pg.QueryResult<{ standby: boolean }>[];
  if (results.at(-1)?.rows[0]?.standby !== false)
    throw new PostgresUnfit('Postgres answers as a standby, which is read-only.');
}

/** The server has no TLS, or wants it. */
const refusesForTls = (error: Error, tls: ConnectionOptions | false): boolean =>
  tls === false
    ? (error as { code?: string }).code === '28000'
    : error.message === 'The server does not support SSL connections';
