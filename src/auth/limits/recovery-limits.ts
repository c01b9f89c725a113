/**
 * Limits of forgotten passwords: calls of an address, and mails to an account, which are dropped in
 * silence, so that the answer is the same for all. Mails of invitations are counted by tenant.
 */
import { Injectable } from '@nestjs/common';
import { RateLimiterRes } from 'rate-limiter-flexible';
import { Config } from '../../platform/config/config.js';
import { networkOf } from '../../platform/http/client-address.js';
import { RedisNames, digest } from '../../platform/stores/redis/redis-names.js';
import { RedisConnections } from '../../platform/stores/redis/redis.js';
import { consume, minuteLimiter } from './login-limits.js';

const MAILS_TO_ACCOUNT = 3;
const INVITATIONS_OF_TENANT = 30;

@Injectable()
export class RecoveryLimits {
  private readonly address: Limiter | null;
  private readonly account: Limiter;
  private readonly invitations: Limiter;

  constructor(config: Config, redis: RedisConnections, names: RedisNames) {
    const unit = config.loginFailuresPerMinute;
    this.address = Number.isFinite(unit)
      ? minuteLimiter(redis, names.counter('recovery:address'), unit)
      : null;
    this.account = minuteLimiter(redis, names.counter('recovery:account'), MAILS_TO_ACCOUNT);
    this.invitations = minuteLimiter(redis, names.counter('invitations'), INVITATIONS_OF_TENANT);
  }

  /** Before anything is looked up. */
  async countAddress(ip: string): Promise<void> {
    if (this.address !== null) await consume(this.address, digest(networkOf(ip)));
  }

  /** False: too many mails to this user. */
  async mayMail(user: string): Promise<boolean> {
    try {
      await this.account.consume(digest(user));
      return true;
    } catch (rejected) {
      if (rejected instanceof RateLimiterRes) return false;
      throw rejected;
    }
  }

  async countInvitation(tenant: string): Promise<void> {
    await consume(this.invitations, digest(tenant));
  }
}

type Limiter = ReturnType<typeof minuteLimiter>;
