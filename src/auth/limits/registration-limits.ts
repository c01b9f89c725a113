/**
 * Limits of entry without a credential: registrations and guests, and the looks of sign-in pages.
 * Every attempt is counted, per address and, once the tenant is known to allow it, per tenant and
 * kind; signing in is another count, so a flood keeps no user out. An address may stand for a
 * school, a tenant for a conference: the limits are generous, and follow LOGIN_FAILURES_PER_MINUTE
 * (0 = none).
 */
import { Injectable } from '@nestjs/common';
import { networkOf } from '../../platform/http/client-address.js';
import { Config } from '../../platform/config/config.js';
import { RedisNames, digest } from '../../platform/stores/redis/redis-names.js';
import { RedisConnections } from '../../platform/stores/redis/redis.js';
import { consume, minuteLimiter } from './login-limits.js';

const PER_ADDRESS = 10;
const PER_TENANT = 100;
const LOOKS_PER_ADDRESS = 60;

@Injectable()
export class RegistrationLimits {
  private readonly limiters: { address: Limiter; tenant: Limiter; looks: Limiter } | null;

  constructor(config: Config, redis: RedisConnections, names: RedisNames) {
    const unit = config.loginFailuresPerMinute;
    this.limiters = Number.isFinite(unit)
      ? {
          address: minuteLimiter(redis, names.counter('entry:address'), unit * PER_ADDRESS),
          tenant: minuteLimiter(redis, names.counter('entry:tenant'), unit * PER_TENANT),
          looks: minuteLimiter(redis, names.counter('issuers:address'), unit * LOOKS_PER_ADDRESS),
        }
      : null;
  }

  /** Before anything is looked up: also of tenants that are not there. */
  async countAddress(ip: string): Promise<void> {
    if (this.limiters !== null) await consume(this.limiters.address, digest(networkOf(ip)));
  }

  /** Of a sign-in page, at the issuers of a tenant. */
  async countLook(ip: string): Promise<void> {
    if (this.limiters !== null) await consume(this.limiters.looks, digest(networkOf(ip)));
  }

  async countTenant(kind: 'registration' | 'guest', tenant: string): Promise<void> {
    if (this.limiters !== null) await consume(this.limiters.tenant, digest(`${kind}\n${tenant}`));
  }
}

type Limiter = ReturnType<typeof minuteLimiter>;
