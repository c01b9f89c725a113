/**
 * A password that somebody claims to know, at a login, when it is asked for again or changed: all
 * spend of one budget, so none is a second place to guess from.
 */
import { Injectable } from '@nestjs/common';
import { DomainError } from '../../platform/errors.js';
import type { User } from '../../platform/generated/client.js';
import { LoginLimits } from '../limits/login-limits.js';
import { Passwords } from './passwords.js';

@Injectable()
export class CheckPassword {
  constructor(
    private readonly passwords: Passwords,
    private readonly limits: LoginLimits,
  ) {}

  /** Of somebody who is signed in: in turn with their logins. */
  again(user: User, password: string, ip: string): Promise<User> {
    const who = `${user.tenantId}\n${user.email}`;
    return this.limits.inTurn(who, ip, { tenant: user.tenantId, user: user.id }, () =>
      this.check(user, password, who, ip),
    );
  }

  /**
   * In the turn of `who` (LoginLimits.inTurn). Null, or a user without a password, is refused as
   * late and in the same words as a wrong one.
   */
  async check(user: User | null, password: string, who: string, ip: string): Promise<User> {
    await this.limits.requireRoomForLogin(who, ip);
    const right = await this.passwords.verify(user?.passwordHash ?? null, password);
    if (!right || user === null) {
      await this.limits.countFailedLogin(who, ip);
      throw new DomainError('invalid_credentials');
    }
    // Other nodes count, too.
    await this.limits.requireRoomForLogin(who, ip);
    await this.limits.countLogin(who);
    return user;
  }
}
