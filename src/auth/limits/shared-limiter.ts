import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import type { RedisConnections } from '../../platform/stores/redis/redis.js';

/** Counts in Redis across nodes, and in the memory of each while Redis is away. */
export function sharedLimiter(
  redis: RedisConnections,
  keyPrefix: string,
  points: number,
  seconds: number,
): RateLimiterRedis {
  const options = { keyPrefix, points, duration: seconds };
  return new RateLimiterRedis({
    ...options,
    storeClient: redis.commands,
    rejectIfRedisNotReady: true,
    insuranceLimiter: new RateLimiterMemory(options),
  });
}
