/**
 * Finds sessions in a loop although every credential of theirs is good: refreshed again and again,
 * or connected again and again for a moment. Nothing is refused here. Counted in Redis across nodes
 * (in memory while Redis is away), after the fact: nobody waits for it.
 */
import { Injectable, Logger } from '@nestjs/common';
import { RateLimiterRes } from 'rate-limiter-flexible';
import type { RateLimiterRedis } from 'rate-limiter-flexible';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Metrics } from '../../platform/metrics.js';
import { RedisNames } from '../../platform/stores/redis/redis-names.js';
import { RedisConnections } from '../../platform/stores/redis/redis.js';
import type { Principal } from '../../sessions/principal.js';
import { TroubledClients } from '../../stats/troubled-clients.js';
import { sharedLimiter } from './shared-limiter.js';

/**
 * A token lives 5 s at least and is renewed after two thirds: 18 refreshes a minute. A page that is
 * loaded again and again makes short connections, too, but hardly ten in five minutes.
 */
const LOOPS = {
  refresh: { times: 30, seconds: 60 },
  reconnect: { times: 10, seconds: 300 },
} as const;

/** A connection that is over sooner is a short one. */
export const SHORT_CONNECTION_MS = 30_000;

export type SessionLoop = keyof typeof LOOPS;

@Injectable()
export class SessionLoops {
  private readonly logger = new Logger(SessionLoops.name);
  private readonly limiters: Record<SessionLoop, RateLimiterRedis>;

  constructor(
    redis: RedisConnections,
    names: RedisNames,
    private readonly metrics: Metrics,
    private readonly audit: AuditTrail,
    private readonly clients: TroubledClients,
  ) {
    const limiter = (kind: SessionLoop): RateLimiterRedis => {
      const { times, seconds } = LOOPS[kind];
      return sharedLimiter(redis, names.counter(`loop:${kind}`), times, seconds);
    };
    this.limiters = { refresh: limiter('refresh'), reconnect: limiter('reconnect') };
  }

  /** One more refresh, or short connection, of a session; `code`: how it went. */
  note(kind: SessionLoop, who: Principal, code: string): void {
    this.limiters[kind].consume(who.sessionId).then(
      ({ consumedPoints }) => {
        // Counted in one place, so one node sees the last one: one count for each period.
        if (consumedPoints === LOOPS[kind].times) this.found(kind, who, code);
      },
      (rejected: unknown) => {
        // Beyond it the loop was counted already.
        if (!(rejected instanceof RateLimiterRes))
          this.logger.warn({ msg: 'loops are not counted', error: (rejected as Error).message });
      },
    );
  }

  private found(kind: SessionLoop, { sessionId, userId, tenantId }: Principal, code: string): void {
    this.metrics.authLoops.inc({ kind, code });
    this.clients.note('loops', { user: userId });
    this.logger.warn({ msg: `${kind} loop`, code, session: sessionId, user: userId });
    this.audit.note({
      event: 'excess_rate_limit_exceeded',
      tenant: tenantId,
      user: userId,
      session: sessionId,
      detail: { limit: `${kind}_loop`, code },
    });
  }
}
