/**
 * Keeps the ends of connections in Postgres, so that any node can explain a `close_id` later, also
 * after a restart. Rows are written in batches, beside deliveries and after the end itself.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { CLOSES_WAITING_MAX, TIMELINES_WAITING_MAX } from '../../../budgets/held-bytes.js';
import { monotonicMs, rfc3339, wallMs } from '../../../platform/clock.js';
import { Config } from '../../../platform/config/config.js';
import { Metrics } from '../../../platform/metrics.js';
import { NodeIdentity } from '../../../platform/node-identity.js';
import { LOCKS } from '../../../platform/stores/advisory-locks.js';
import { Database } from '../../../platform/stores/database.js';
import type { ConnectionEnd } from './connection-end.js';
import { closeIdOf } from '../socket/farewell.js';
import type { Connection } from '../connection.js';

const FLUSH_EVERY_MS = 500;
const BATCH = 1_000;
/** Ends of connections without a credential that get a row, in a minute of a node. */
const STRANGERS_PER_MINUTE = 600;
const PRUNE_EVERY_MS = 600_000;
const PRUNE_CHUNK = 5_000;

const INSERT = `
  INSERT INTO connection_ends (connection_id, close_id, node, tenant_id, user_id, session_id, ip, side, code, opened_at, token_expires_at, at, timeline)
  SELECT r.* FROM json_to_recordset($1::json) AS r (connection_id uuid, close_id text, node uuid, tenant_id uuid, user_id uuid, session_id uuid,
    ip text, side text, code text, opened_at timestamptz, token_expires_at timestamptz, at timestamptz, timeline jsonb)
  ON CONFLICT (connection_id) DO NOTHING`;

const PRUNE = `
  DELETE FROM connection_ends WHERE connection_id = ANY (ARRAY(
    SELECT connection_id FROM connection_ends WHERE at < clock_timestamp() - make_interval(hours => $1) LIMIT ${PRUNE_CHUNK}))`;

/** The parts of a connection that are kept beside its row: its last events, and how it came. */
type Parts = Pick<Connection, 'timeline' | 'carrier' | 'userAgent'>;

interface WaitingEnd {
  readonly row: object;
  readonly openedMs: number;
  readonly connection: Parts | null;
}

@Injectable()
export class CloseLog implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger(CloseLog.name);
  private waiting: WaitingEnd[] = [];
  private writing: Promise<void> | null = null;
  private strangers = { minute: 0, count: 0 };
  private readonly timers: NodeJS.Timeout[] = [];

  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly identity: NodeIdentity,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    this.timers.push(
      setInterval(() => void this.flush(), FLUSH_EVERY_MS).unref(),
      setInterval(() => void this.prune(), PRUNE_EVERY_MS).unref(),
    );
  }

  /** Rows that are not written yet. */
  get size(): number {
    return this.waiting.length;
  }

  /** Synchronous; the oldest row goes when too many wait. */
  add(connection: Connection, { side, code }: ConnectionEnd): void {
    const { token } = connection;
    if (token === null && this.isTooMany()) return this.metrics.closesLost.inc();
    const now = wallMs();
    const openedMs = now - (monotonicMs() - connection.times.openedMs);
    if (this.waiting.length >= CLOSES_WAITING_MAX) {
      this.waiting.shift();
      this.metrics.closesLost.inc();
    }
    const row = {
      connection_id: connection.id,
      close_id: closeIdOf(connection.id),
      node: this.identity.id,
      tenant_id: token?.principal.tenantId ?? null,
      user_id: token?.principal.userId ?? null,
      session_id: token?.principal.sessionId ?? null,
      ip: connection.ip,
      side,
      code: String(code),
      opened_at: rfc3339(new Date(openedMs)),
      token_expires_at: token === null ? null : rfc3339(new Date(token.expiresAtMs)),
      at: rfc3339(new Date(now)),
    };
    const hasRoom = this.waiting.length < TIMELINES_WAITING_MAX;
    this.waiting.push({ row, openedMs, connection: hasRoom ? partsOf(connection) : null });
  }

  private isTooMany(): boolean {
    const minute = Math.floor(monotonicMs() / 60_000);
    if (minute !== this.strangers.minute) this.strangers = { minute, count: 0 };
    this.strangers.count += 1;
    return this.strangers.count > STRANGERS_PER_MINUTE;
  }

  /** Calls while one runs share it. */
  flush(): Promise<void> {
    this.writing ??= this.write().finally(() => (this.writing = null));
    return this.writing;
  }

  private async write(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.slice(0, BATCH);
      try {
        await this.database.hot('connection_ends', INSERT, [
          JSON.stringify(batch.map(withTimeline)),
        ]);
      } catch (error) {
        // They stay, and are tried again with the next flush.
        this.logger.warn({
          msg: 'ends of connections could not be written yet',
          waiting: this.waiting.length,
          error: (error as Error).message,
        });
        return;
      }
      // The oldest ones may have gone meanwhile.
      const written = new Set(batch);
      this.waiting = this.waiting.filter((row) => !written.has(row));
    }
  }

  /** On one node at a time. */
  private async prune(): Promise<void> {
    try {
      await this.database.alone(LOCKS.closesPrune, async () => {
        let gone = PRUNE_CHUNK;
        while (gone === PRUNE_CHUNK)
          gone = (await this.database.pool.query(PRUNE, [this.config.closesKeptHours])).rowCount!;
      });
    } catch (error) {
      this.logger.warn({
        msg: 'ends of connections were not pruned',
        error: (error as Error).message,
      });
    }
  }

  /** After the drain: the last ends are written, too. */
  async beforeApplicationShutdown(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    await this.flush();
  }
}

const partsOf = ({ timeline, carrier, userAgent }: Connection): Parts => ({
  timeline,
  carrier,
  userAgent,
});

function withTimeline({ row, openedMs, connection }: WaitingEnd): object {
  if (connection === null) return row;
  const { timeline, carrier, userAgent } = connection;
  const { renewals, omitted } = timeline;
  const events = timeline.view(openedMs);
  return { ...row, timeline: { carrier, user_agent: userAgent, renewals, omitted, events } };
}
