/**
 * Ends sessions that nobody used for their idle time, or that reached their absolute end
 * (`session_expired`), and forgets those that ended long ago. Every node tries, one at a time
 * sweeps. A session with a live mark in Redis is spared: its node has not yet been able to write.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { AuthorityLog } from '../authority/authority-log.js';
import { Config } from '../platform/config/config.js';
import { LOCKS } from '../platform/stores/advisory-locks.js';
import { Database } from '../platform/stores/database.js';
import { Metrics } from '../platform/metrics.js';
import { endSessions, sessionsEnded } from './end-sessions.js';
import { flushIntervalMs, sweepIntervalMs } from './idle.js';
import { SessionActivity } from './session-activity.js';

const BATCH = 500;
const PRUNE_BATCH = 5_000;
/** So long an ended session is listed (contract section 10). */
const PRUNE_AFTER = '90 days';

interface Overdue {
  id: string;
  tenant_id: string;
  /** Past its absolute end, whatever its activity. */
  over: boolean;
}

const OVERDUE = `
  SELECT id, tenant_id, expires_at <= clock_timestamp() AS over FROM sessions
  WHERE ended_at IS NULL AND id > $1 AND (
    expires_at <= clock_timestamp()
    OR (idle_seconds > 0 AND last_active_at < clock_timestamp() - make_interval(secs => idle_seconds + $2::float8)))
  ORDER BY id LIMIT $3`;

@Injectable()
export class SessionSweeper implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(SessionSweeper.name);
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<unknown> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly log: AuthorityLog,
    private readonly activity: SessionActivity,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    this.plan();
  }

  /** One round, unless another node is at it; answers how many sessions it ended. */
  async sweep(): Promise<number> {
    const ended = await this.database.alone(LOCKS.sessionSweep, async () => {
      const count = await this.endOverdue();
      await this.database.pool.query(
        `DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE ended_at < clock_timestamp() - $1::interval LIMIT $2 FOR UPDATE SKIP LOCKED)`,
        [PRUNE_AFTER, PRUNE_BATCH],
      );
      return count;
    });
    return ended ?? 0;
  }

  private async endOverdue(): Promise<number> {
    const slackSeconds = flushIntervalMs(this.config) / 1000;
    let ended = 0;
    let after = '00000000-0000-0000-0000-000000000000';
    for (;;) {
      const { rows } = await this.database.pool.query<Overdue>(OVERDUE, [
        after,
        slackSeconds,
        BATCH,
      ]);
      if (rows.length === 0 || this.stopped) return ended;
      after = rows.at(-1)!.id;
      const live = await this.activity.liveMarks(
        rows.filter((row) => !row.over).map((row) => row.id),
      );
      ended += await this.end(
        rows.filter((row) => row.over || !live.has(row.id)),
        slackSeconds,
      );
    }
  }

  private async end(overdue: Overdue[], slackSeconds: number): Promise<number> {
    if (overdue.length === 0) return 0;
    const { result } = await this.log.commit(async (tx) => {
      // Somebody may have come back since; whoever holds a row at this moment uses it.
      const still = await tx.$queryRaw<{ id: string }[]>`
        SELECT id FROM sessions WHERE id = ANY(${overdue.map((row) => row.id)}::uuid[]) AND ended_at IS NULL AND (
          expires_at <= clock_timestamp()
          OR (idle_seconds > 0 AND last_active_at < clock_timestamp() - make_interval(secs => idle_seconds + ${slackSeconds}::float8)))
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED`;
      const ids = await endSessions(
        tx,
        { sessions: still.map((row) => row.id) },
        'session_expired',
      );
      return {
        result: ids.length,
        events: sessionsEnded(ids, 'session_expired'),
        tenant: overdue[0]!.tenant_id,
      };
    });
    this.metrics.sessionsEnded.inc({ reason: 'session_expired' }, result);
    return result;
  }

  private plan(): void {
    if (this.stopped) return;
    this.timer = setTimeout(
      () => {
        this.running = this.sweep()
          .catch((error: Error) => this.logger.warn({ msg: 'sweep failed', error: error.message }))
          .finally(() => this.plan());
      },
      sweepIntervalMs(this.config) * (0.75 + Math.random() / 2),
    );
    this.timer.unref();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    await this.running;
  }
}
