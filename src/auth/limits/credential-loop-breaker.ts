/**
 * The breaker for clients that present the same refused credential again and again, whatever they
 * were told. Failures are counted in Redis across nodes (in memory while Redis is away) per
 * (address or session, hash of the credential, code); the tenth within a minute blocks it for a
 * minute: `auth_loop`, before any work is done. Good credentials cost no round trip, and nothing
 * else of the user is touched: another credential, or another address, is another key.
 */
import { Injectable, Logger } from '@nestjs/common';
import { RateLimiterRes } from 'rate-limiter-flexible';
import type { RateLimiterRedis } from 'rate-limiter-flexible';
import type { ErrorCode } from '@wardroom/protocol/codes';
import { AuditTrail } from '../../audit/audit-trail.js';
import { networkOf } from '../../platform/http/client-address.js';
import { monotonicMs } from '../../platform/clock.js';
import { DomainError } from '../../platform/errors.js';
import { Metrics } from '../../platform/metrics.js';
import { RedisNames, digest } from '../../platform/stores/redis/redis-names.js';
import { RedisConnections } from '../../platform/stores/redis/redis.js';
import { TroubledClients } from '../../stats/troubled-clients.js';
import { currentRequest } from '../../platform/request-context.js';
import { sharedLimiter } from './shared-limiter.js';

const TRIES = 10;
const BLOCKED_SECONDS = 60;
const REMEMBERED_MAX = 10_000;

/** Where the credential came from: the session it is to renew, else the address. */
export type LoopSubject = { session: string } | { ip: string };

/** A refusal that a second try with the same credential does not change. */
const COUNTED: ReadonlySet<ErrorCode> = new Set([
  'auth_invalid',
  'token_expired',
  'token_revoked',
  'token_reuse',
  'session_revoked',
  'session_expired',
  'user_suspended',
  'tenant_disabled',
]);

@Injectable()
export class CredentialLoopBreaker {
  private readonly logger = new Logger(CredentialLoopBreaker.name);
  private readonly limiter: RateLimiterRedis;
  /**
   * Monotonic ms until which a key is refused unseen. Of this node; the others learn of it at their
   * first try.
   */
  private readonly blocked = new Map<string, number>();

  constructor(
    redis: RedisConnections,
    names: RedisNames,
    private readonly metrics: Metrics,
    private readonly audit: AuditTrail,
    private readonly clients: TroubledClients,
  ) {
    this.limiter = sharedLimiter(redis, names.counter('loop'), TRIES, BLOCKED_SECONDS);
  }

  /** Runs `verify` unless this credential is blocked, and counts its failure. */
  async guard<T>(from: LoopSubject, credential: string, verify: () => Promise<T>): Promise<T> {
    if (this.blocked.size > 0) this.requireUnblocked(keyOf(from, credential));
    try {
      return await verify();
    } catch (error) {
      if (error instanceof DomainError && COUNTED.has(error.code))
        await this.count(from, keyOf(from, credential), error);
      throw error;
    }
  }

  /** For a credential that came with the HTTP request that is being handled. */
  guardRequest<T>(credential: string, verify: () => Promise<T>): Promise<T> {
    return this.guard({ ip: currentRequest()?.ip ?? '' }, credential, verify);
  }

  private requireUnblocked(key: string): void {
    const leftMs = (this.blocked.get(key) ?? 0) - monotonicMs();
    if (leftMs > 0) throw looping(leftMs);
    this.blocked.delete(key);
  }

  private async count(from: LoopSubject, key: string, { code, who }: DomainError): Promise<void> {
    const counted = `${key}:${code}`;
    let state: RateLimiterRes;
    try {
      state = await this.limiter.consume(counted);
    } catch (rejected) {
      // Neither counted here nor there: the refusal itself stands.
      if (!(rejected instanceof RateLimiterRes)) return;
      this.block(key, rejected.msBeforeNext);
      throw looping(rejected.msBeforeNext);
    }
    if (state.consumedPoints < TRIES) return;
    this.block(key, BLOCKED_SECONDS * 1000);
    // Counted in one place, so one node sees the tenth: one line and one count for each period.
    this.metrics.authLoops.inc({ kind: 'credential', code });
    // Of a renewal whose credential names nobody, the log line has the session.
    if (who !== undefined) this.clients.note('loops', { user: who.userId });
    else if ('ip' in from) this.clients.note('loops', { ip: from.ip });
    this.logger.warn({
      msg: 'a refused credential is presented again and again',
      code,
      credential: key,
      session: who?.sessionId,
      user: who?.userId,
    });
    this.audit.note({
      event: 'excess_rate_limit_exceeded',
      tenant: who?.tenantId ?? null,
      user: who?.userId ?? null,
      ...(who === undefined ? {} : { session: who.sessionId }),
      ...('ip' in from ? { ip: from.ip } : {}),
      detail: { limit: 'auth_loop', code },
    });
    await this.limiter.block(counted, BLOCKED_SECONDS).catch(() => undefined);
  }

  private block(key: string, ms: number): void {
    if (this.blocked.size >= REMEMBERED_MAX) this.forget();
    this.blocked.set(key, monotonicMs() + ms);
  }

  private forget(): void {
    const now = monotonicMs();
    for (const [key, untilMs] of this.blocked) if (untilMs <= now) this.blocked.delete(key);
    if (this.blocked.size >= REMEMBERED_MAX) this.blocked.delete(this.blocked.keys().next().value!);
  }
}

const looping = (leftMs: number): DomainError =>
  new DomainError('auth_loop', { retryAfterMs: Math.max(1, Math.ceil(leftMs)) });

/** The credential itself is nowhere kept. */
function keyOf(from: LoopSubject, credential: string): string {
  const presenter = 'session' in from ? `session ${from.session}` : `address ${networkOf(from.ip)}`;
  return digest(`${presenter}\n${credential}`);
}
