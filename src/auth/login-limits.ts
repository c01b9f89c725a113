/**
 * Failed logins, counted per user and address and, more generously, per address; successes cost nothing. The true user at
 * another address is never locked out. Counted in Redis for the cluster, in memory while Redis is away.
 */
import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { Config } from '../platform/config.js';
import { DomainError } from '../platform/errors.js';
import { RedisConnections } from '../platform/redis.js';

const WINDOW_SECONDS = 60;
/** An address may stand for an office. */
const USERS_PER_ADDRESS = 10;

@Injectable()
export class LoginLimits {
  private readonly limiters: { limiter: RateLimiterRedis; keyOf: (user: string, ip: string) => string }[];

  constructor(config: Config, redis: RedisConnections) {
    const failures = config.loginFailuresPerMinute;
    this.limiters = Number.isFinite(failures)
      ? [
          { limiter: limiter(redis, 'wardroom:login:user', failures), keyOf: (user, ip) => digest(`${user}\n${network(ip)}`) },
          { limiter: limiter(redis, 'wardroom:login:address', failures * USERS_PER_ADDRESS), keyOf: (_user, ip) => digest(network(ip)) },
        ]
      : [];
  }

  /** Before a password is checked, and again after: guesses that ran beside each other do not outrun the count. */
  async requireRoom(user: string, ip: string): Promise<void> {
    for (const { limiter, keyOf } of this.limiters) {
      const state = await limiter.get(keyOf(user, ip));
      if (state !== null && state.consumedPoints >= limiter.points) throw tooMany(state);
    }
  }

  async countFailure(user: string, ip: string): Promise<void> {
    for (const { limiter, keyOf } of this.limiters) {
      try {
        await limiter.consume(keyOf(user, ip));
      } catch (rejected) {
        if (rejected instanceof RateLimiterRes) throw tooMany(rejected);
        throw rejected;
      }
    }
  }
}

function limiter(redis: RedisConnections, keyPrefix: string, points: number): RateLimiterRedis {
  const insuranceLimiter = new RateLimiterMemory({ keyPrefix, points, duration: WINDOW_SECONDS });
  return new RateLimiterRedis({ storeClient: redis.commands, rejectIfRedisNotReady: true, keyPrefix, points, duration: WINDOW_SECONDS, insuranceLimiter });
}

const tooMany = (state: RateLimiterRes) => new DomainError('rate_limited', { retryAfterMs: Math.max(1, Math.ceil(state.msBeforeNext)) });

/** E-mails and addresses are not kept as text. */
const digest = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 22);

/** An IPv6 customer owns a /64. */
export function network(ip: string): string {
  if (!isIPv6(ip) || ip.startsWith('::ffff:')) return ip.replace(/^::ffff:/, '');
  const [head, tail] = ip.split('::') as [string, string?];
  const groups = head.split(':').filter((group) => group !== '');
  const after = tail === undefined ? [] : tail.split(':').filter((group) => group !== '');
  while (tail !== undefined && groups.length + after.length < 8) groups.push('0');
  return [...groups, ...after]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':');
}
