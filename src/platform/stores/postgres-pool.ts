/**
 * A pool that does not wait for the dead. A connection whose bytes are lost (a firewall that forgot
 * it, a cable that was out) looks healthy for minutes; only its silence shows it. A caller whose
 * small query is not answered calls `suspect`.
 */
import type { Socket } from 'node:net';
import pg from 'pg';
import { monotonicMs } from '../clock.js';
import type { PostgresAccess } from './postgres-access.js';
import { SERVING } from './postgres-settings.js';

/** A question open for longer than this on a link that is under suspicion will not be answered. */
const SUSPECT_MS = 2_000;

export class PostgresPool extends pg.Pool {
  private readonly heardMs = new Map<pg.PoolClient, number>();
  private readonly idle = new Set<pg.PoolClient>();
  private opened = false;

  /** `silentMs`: an unanswered question that old means that the connection is dead. */
  constructor(
    private readonly access: PostgresAccess,
    config: pg.PoolConfig,
    silentMs: number,
  ) {
    super(config);
    this.on('connect', (client) => this.watch(client, silentMs));
    this.on('acquire', (client) => this.idle.delete(client));
    this.on('release', (_error, client) => this.idle.add(client));
    this.on('remove', (client) => {
      this.idle.delete(client);
      this.heardMs.delete(client);
    });
  }

  /**
   * How Postgres is reached is known by the start (postgres-access.ts), or found with the first
   * connection.
   */
  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): Promise<pg.PoolClient> | void {
    if (this.opened) return callback === undefined ? super.connect() : super.connect(callback);
    if (callback === undefined) return this.open().then(() => super.connect());
    void this.open().then(
      () => super.connect(callback),
      (error: Error) => callback(error, undefined, () => undefined),
    );
  }

  private async open(): Promise<void> {
    const { way, Client, prepare } = await this.access.client(SERVING);
    if (this.opened) return;
    // pg-pool waits for `onConnect`, and has taken its own class of clients before.
    Object.assign(this.options, way, { onConnect: prepare });
    (this as unknown as { Client: typeof pg.Client }).Client = Client;
    this.opened = true;
  }

  /**
   * The link may be dead: what is idle is not trusted again, what has been silent for long is given
   * up.
   */
  suspect(): void {
    const now = monotonicMs();
    for (const [client, heardMs] of [...this.heardMs]) {
      if (this.idle.has(client) || now - heardMs > SUSPECT_MS)
        streamOf(client).destroy(new Error('Connection terminated: Postgres is silent'));
    }
  }

  private watch(client: pg.PoolClient, silentMs: number): void {
    // The holder of the client learns of it from the query; without a listener the event would end
    // the process.
    client.on('error', () => undefined);
    this.heardMs.set(client, monotonicMs());
    const stream = streamOf(client);
    stream.on('data', () => this.heardMs.set(client, monotonicMs()));
    stream.setTimeout(silentMs, () => {
      if (isAsked(client))
        stream.destroy(new Error('Connection terminated: Postgres left a question unanswered'));
    });
  }
}

type Connected = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  done: (release?: unknown) => void,
) => void;

/** `pg` has no public word for these two. */
const streamOf = (client: pg.PoolClient): Socket =>
  (client as unknown as { connection: { stream: Socket } }).connection.stream;
const isAsked = (client: pg.PoolClient): boolean =>
  !(client as unknown as { readyForQuery: boolean }).readyForQuery;
