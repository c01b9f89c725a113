/**
 * Activity that keeps a session alive: frames, REST calls, refreshes. Kept in memory, written in
 * batches: `last_active_at` in Postgres, a live mark in Redis. A second, faster batch tells
 * Postgres that an access token minted with a refresh successor was accepted (known at most 5 s
 * late), and erases the successor's box. Nothing here decides anything.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { ENDED_MARK } from '../authority/authority-stream.js';
import { AuthorityDispatcher } from '../authority/authority-dispatcher.js';
import { monotonicMs, wallMs } from '../platform/clock.js';
import { Config } from '../platform/config/config.js';
import { Database } from '../platform/stores/database.js';
import { RedisMessages } from '../platform/stores/redis/redis-messages.js';
import { RedisNames } from '../platform/stores/redis/redis-names.js';
import { RedisConnections } from '../platform/stores/redis/redis.js';
import { flushIntervalMs, markSeconds } from './idle.js';

const ACCEPTED_EVERY_MS = 1_000;
const REMEMBERED_MAX = 100_000;
const REDIS_BATCH = 500;
/** More than any mark of ours. */
const MARK_BYTES_MAX = 256;

/**
 * A session that ended stays marked so, whoever is late with a sign of life. ARGV: seconds, then
 * marks.
 */
const MARK_LIVE = `
for i, key in ipairs(KEYS) do
  if redis.call('GETRANGE', key, 0, 15) ~= '${ENDED_MARK}' then redis.call('SET', key, ARGV[#KEYS + i], 'EX', ARGV[i]) end
end
return 1`;

const ENDED = Buffer.from(ENDED_MARK);
/**
 * A mark carries its own end, by the wall clock in ms: written into Redis once more, it spares the
 * session no longer.
 */
const readMark = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) ? (value as number) : undefined;

/**
 * Skips rows that a publish or refresh holds at this moment: waiting would queue both behind each
 * other.
 */
const TOUCH = `
  UPDATE sessions s SET last_active_at = clock_timestamp()
  FROM (SELECT id FROM sessions WHERE id = ANY($1::uuid[]) AND ended_at IS NULL ORDER BY id FOR NO KEY UPDATE SKIP LOCKED) d
  WHERE s.id = d.id
  RETURNING s.id, s.idle_seconds`;

const ACCEPTED = `
  UPDATE sessions s SET refresh_used = true
  FROM (SELECT a.id FROM sessions a JOIN unnest($1::uuid[], $2::integer[]) AS x (id, generation) ON a.id = x.id AND a.refresh_generation = x.generation
        WHERE a.ended_at IS NULL AND NOT a.refresh_used ORDER BY a.id FOR NO KEY UPDATE OF a) d
  WHERE s.id = d.id`;

/**
 * A used successor is given out once more within the overlap, and never after it: then nothing is
 * to be found in the row that the token before it opens. Of the whole cluster, so what a node that
 * died had still to erase is erased, too.
 */
const ERASE_USED = `
  UPDATE sessions s SET refresh_sealed = NULL
  FROM (SELECT id FROM sessions WHERE refresh_used AND refresh_sealed IS NOT NULL
          AND refresh_rotated_at <= clock_timestamp() - make_interval(secs => $1::integer)
        ORDER BY id LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED) d
  WHERE s.id = d.id`;

@Injectable()
export class SessionActivity implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(SessionActivity.name);
  private touched = new Set<string>();
  /** Skipped once, tried a second time; a row that ended is not found for ever. */
  private skipped = new Set<string>();
  private accepted = new Map<string, number>();
  /**
   * Generations already told, so that a busy session costs one write per refresh. Of sessions that
   * have not ended.
   */
  private readonly told = new Map<string, number>();
  /**
   * Monotonic ms until which there may be boxes to erase; of those of a node that died, at the
   * start.
   */
  private eraseUntilMs = Infinity;
  private readonly timers: NodeJS.Timeout[] = [];

  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly redis: RedisConnections,
    dispatcher: AuthorityDispatcher,
    private readonly names: RedisNames,
    private readonly messages: RedisMessages,
  ) {
    dispatcher.register('caches', {
      event: (event) => {
        if (event.kind === 'session.ended')
          for (const session of event.sessions) this.told.delete(session);
      },
    });
  }

  onModuleInit(): void {
    this.timers.push(setInterval(() => void this.flush(), flushIntervalMs(this.config)).unref());
    this.timers.push(setInterval(() => void this.flushAccepted(), ACCEPTED_EVERY_MS).unref());
  }

  /** Synchronous and cheap: once per frame or call. */
  touch(session: string): void {
    this.touched.add(session);
  }

  /**
   * An access token minted with refresh generation `generation` was accepted. The first generation
   * has no predecessor.
   */
  tokenAccepted(session: string, generation: number): void {
    if (generation <= 1 || this.told.get(session) === generation) return;
    if (this.told.size >= REMEMBERED_MAX) this.told.delete(this.told.keys().next().value!);
    this.told.set(session, generation);
    this.accepted.set(session, generation);
  }

  /** Writes what was noted so far; on trouble it is kept for the next time. */
  async flush(): Promise<void> {
    if (this.touched.size === 0) return;
    const sessions = [...this.touched];
    this.touched = new Set();
    try {
      const rows = await this.database.hot<{ id: string; idle_seconds: number }>(
        'sessions_touch',
        TOUCH,
        [sessions],
      );
      this.tryAgain(sessions, new Set(rows.map((row) => row.id)));
      await this.mark(rows.map((row) => [row.id, markSeconds(row.idle_seconds)]));
    } catch (error) {
      this.logger.warn({
        msg: 'activity not written',
        sessions: sessions.length,
        error: (error as Error).message,
      });
      for (const session of sessions) this.touched.add(session);
      const seconds = markSeconds(
        Number.isFinite(this.config.sessionIdleSeconds) ? this.config.sessionIdleSeconds : 0,
      );
      await this.mark(sessions.map((session) => [session, seconds]));
    }
  }

  /** Of these, the ones somebody saw alive within their idle time; empty when Redis is away. */
  async liveMarks(sessions: readonly string[]): Promise<Set<string>> {
    const live = new Set<string>();
    for (let from = 0; from < sessions.length; from += REDIS_BATCH) {
      const batch = sessions.slice(from, from + REDIS_BATCH);
      const marks = await this.redis.attempt('live marks', (redis) => {
        const pipeline = redis.pipeline();
        for (const session of batch)
          pipeline.getrangeBuffer(this.names.session(session), 0, MARK_BYTES_MAX - 1);
        return pipeline.exec();
      });
      marks?.forEach(([, mark], i) => this.isLive(batch[i]!, mark) && live.add(batch[i]!));
    }
    return live;
  }

  private isLive(session: string, mark: unknown): boolean {
    if (!(mark instanceof Buffer) || mark.length === 0 || mark.equals(ENDED)) return false;
    const message = this.messages.read('mark', session, mark, readMark);
    return message !== null && message.value > wallMs();
  }

  private tryAgain(sessions: string[], written: Set<string>): void {
    const missed = sessions.filter((session) => !written.has(session));
    for (const session of missed) if (!this.skipped.has(session)) this.touched.add(session);
    this.skipped = new Set(missed);
  }

  private async mark(sessions: [id: string, seconds: number][]): Promise<void> {
    for (let from = 0; from < sessions.length; from += REDIS_BATCH) {
      const batch = sessions.slice(from, from + REDIS_BATCH);
      await this.redis.attempt('mark sessions', (redis) => {
        const marks = batch.map(([session, each]) =>
          this.messages.write('mark', session, Math.floor(wallMs()) + each * 1000),
        );
        const keys = batch.map(([session]) => this.names.session(session));
        return redis.eval(
          MARK_LIVE,
          keys.length,
          ...keys,
          ...batch.map(([, each]) => each),
          ...marks,
        );
      });
    }
  }

  private async flushAccepted(): Promise<void> {
    const batch = this.accepted;
    this.accepted = new Map();
    try {
      if (batch.size > 0)
        await this.database.hot('sessions_accepted', ACCEPTED, [
          [...batch.keys()],
          [...batch.values()],
        ]);
      await this.eraseUsed(batch.size > 0);
    } catch (error) {
      this.logger.warn({
        msg: 'accepted tokens not written',
        sessions: batch.size,
        error: (error as Error).message,
      });
      for (const [session, generation] of batch)
        if (!this.accepted.has(session)) this.accepted.set(session, generation);
    }
  }

  /** As long as a box that this node knows to be used may wait for the end of its overlap. */
  private async eraseUsed(more: boolean): Promise<void> {
    const { refreshOverlapSeconds: overlap } = this.config;
    if (more || this.eraseUntilMs === Infinity)
      this.eraseUntilMs = monotonicMs() + overlap * 1000 + 2 * ACCEPTED_EVERY_MS;
    if (monotonicMs() <= this.eraseUntilMs)
      await this.database.hot('sessions_erase_used', ERASE_USED, [overlap]);
  }

  async onModuleDestroy(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    await this.flushAccepted();
    await this.flush();
  }
}
