/**
 * Failed logins, counted per user and address, more generously per address, and per user whatever
 * the address: so guesses are bounded for one machine and for a thousand. Successes are counted per
 * user, more generously; the true user is not locked out: their own address is another count, and
 * where they have signed in before, the crowd is not counted against them. In Redis for the
 * cluster, in memory while Redis is away.
 */
import { Injectable } from '@nestjs/common';
import { RateLimiterRes } from 'rate-limiter-flexible';
import type { RateLimiterRedis } from 'rate-limiter-flexible';
import { networkOf } from '../../platform/http/client-address.js';
import { Config } from '../../platform/config/config.js';
import { DomainError } from '../../platform/errors.js';
import { FairGate } from '../../platform/fair-gate.js';
import { RedisNames, digest } from '../../platform/stores/redis/redis-names.js';
import { RedisConnections } from '../../platform/stores/redis/redis.js';
import { RefusedLogins } from './refused-logins.js';
import { sharedLimiter } from './shared-limiter.js';
import type { SignInSubject } from './sign-in-subject.js';

const WINDOW_SECONDS = 60;
/** An address may stand for an office. */
const USERS_PER_ADDRESS = 10;
/** From all addresses together, at one user. */
const ADDRESSES_PER_USER = 10;
/**
 * Attempts at one user, one after the other: a thousand at once leave the hashing to others, and
 * none outruns the counts.
 */
const ATTEMPTS = { running: Infinity, perKey: 1, waiting: 512, patienceMs: 10_000 };
/** As long as a session may last by default. */
const KNOWN_SECONDS = 30 * 86_400;

@Injectable()
export class LoginLimits {
  private readonly limiters: {
    limiter: RateLimiterRedis;
    keyOf: (user: string, ip: string) => string;
  }[];
  private readonly crowd: RateLimiterRedis | null;
  private readonly successes: RateLimiterRedis | null;
  private readonly attempts = new FairGate(ATTEMPTS);
  private readonly refused = new RefusedLogins();

  constructor(
    config: Config,
    private readonly redis: RedisConnections,
    private readonly names: RedisNames,
  ) {
    const failures = config.loginFailuresPerMinute;
    const limited = Number.isFinite(failures);
    this.limiters = limited
      ? [
          {
            limiter: minuteLimiter(redis, names.counter('login:user'), failures),
            keyOf: (user, ip) => digest(`${user}\n${networkOf(ip)}`),
          },
          {
            limiter: minuteLimiter(
              redis,
              names.counter('login:address'),
              failures * USERS_PER_ADDRESS,
            ),
            keyOf: (_user, ip) => digest(networkOf(ip)),
          },
        ]
      : [];
    const logins = config.loginsPerMinute;
    this.successes = Number.isFinite(logins)
      ? minuteLimiter(redis, names.counter('login:success'), logins)
      : null;
    this.crowd = limited
      ? minuteLimiter(redis, names.counter('login:crowd'), failures * ADDRESSES_PER_USER)
      : null;
  }

  /**
   * Looks a user up, checks a password and counts the outcome. An attempt that a count refused is
   * refused here, until the count begins anew.
   */
  async inTurn<T>(
    who: string,
    ip: string,
    asked: SignInSubject,
    attempt: () => Promise<T>,
  ): Promise<T> {
    const key = digest(`${who}\n${networkOf(ip)}`);
    this.refused.require(key, asked);
    return this.attempts.run(digest(who), async () => {
      this.refused.require(key, asked);
      try {
        return await attempt();
      } catch (error) {
        this.refused.remember(key, error, asked);
        throw error;
      }
    });
  }

  /**
   * Before a credential is checked, and again after: guesses that ran beside each other do not
   * outrun the count.
   */
  async requireRoom(who: string, ip: string): Promise<void> {
    await Promise.all(
      this.limiters.map(async ({ limiter, keyOf }) =>
        requirePoints(limiter, await limiter.get(keyOf(who, ip))),
      ),
    );
  }

  async countFailure(who: string, ip: string): Promise<void> {
    for (const { limiter, keyOf } of this.limiters) await consume(limiter, keyOf(who, ip));
  }

  /**
   * For a password: also when everybody together has guessed at this user too often, unless this
   * user is known at this address.
   */
  async requireRoomForLogin(user: string, ip: string): Promise<void> {
    const [crowd] = await Promise.all([
      this.crowd?.get(digest(user)) ?? null,
      this.requireRoomForSuccess(user),
      this.requireRoom(user, ip),
    ]);
    if (this.crowd === null) return;
    if (isFull(this.crowd, crowd) && !(await this.knows(user, ip))) throw tooMany(crowd);
  }

  private async requireRoomForSuccess(user: string): Promise<void> {
    if (this.successes !== null)
      requirePoints(this.successes, await this.successes.get(digest(user)));
  }

  /** The guess that fills the count of the crowd was answered: the next is refused. */
  async countFailedLogin(user: string, ip: string): Promise<void> {
    await this.crowd?.consume(digest(user)).catch(onlyTooMany);
    await this.countFailure(user, ip);
  }

  /** After a right credential, and before anything is opened with it. */
  async countLogin(user: string): Promise<void> {
    if (this.successes !== null) await consume(this.successes, digest(user));
  }

  /** After a right password. */
  async rememberAddress(user: string, ip: string): Promise<void> {
    if (this.crowd !== null)
      await this.redis.attempt('know address', (redis) =>
        redis.set(this.knownKey(user, ip), '1', 'EX', KNOWN_SECONDS),
      );
  }

  private async knows(user: string, ip: string): Promise<boolean> {
    return (
      ((await this.redis.attempt('known address', (redis) =>
        redis.exists(this.knownKey(user, ip)),
      )) ?? 0) > 0
    );
  }

  private knownKey(user: string, ip: string): string {
    return this.names.knownAddress(digest(`${user}\n${networkOf(ip)}`));
  }
}

/** So many points a minute. */
export const minuteLimiter = (
  redis: RedisConnections,
  keyPrefix: string,
  points: number,
): RateLimiterRedis => sharedLimiter(redis, keyPrefix, points, WINDOW_SECONDS);

/** Throws `rate_limited` beyond the limit. */
export async function consume(limiter: RateLimiterRedis, key: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (rejected) {
    if (rejected instanceof RateLimiterRes) throw tooMany(rejected);
    throw rejected;
  }
}

function requirePoints(limiter: RateLimiterRedis, state: RateLimiterRes | null): void {
  if (isFull(limiter, state)) throw tooMany(state);
}

const isFull = (limiter: RateLimiterRedis, state: RateLimiterRes | null): state is RateLimiterRes =>
  state !== null && state.consumedPoints >= limiter.points;

function onlyTooMany(rejected: unknown): void {
  if (!(rejected instanceof RateLimiterRes)) throw rejected;
}

const tooMany = (state: RateLimiterRes) =>
  new DomainError('rate_limited', { retryAfterMs: Math.max(1, Math.ceil(state.msBeforeNext)) });
