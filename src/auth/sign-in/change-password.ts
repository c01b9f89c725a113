/** A new password ends the user's other sessions, also those of a thief of the old one. */
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../audit/audit-trail.js';
import { recordAudit } from '../../audit/record-audit.js';
import { AuthorityLog } from '../../authority/authority-log.js';
import type { Committed } from '../../authority/authority-log.js';
import { Database } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import type { Principal } from '../../sessions/principal.js';
import { lockCaller } from '../../sessions/lock-caller.js';
import { markProven } from '../../sessions/session-proof.js';
import { Sessions } from '../../sessions/sessions.js';
import type { PasswordBody } from './sign-in.schemas.js';
import { CheckPassword } from './check-password.js';
import { Passwords } from './passwords.js';

@Injectable()
export class ChangePassword {
  constructor(
    private readonly database: Database,
    private readonly log: AuthorityLog,
    private readonly check: CheckPassword,
    private readonly passwords: Passwords,
    private readonly sessions: Sessions,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * A wrong `current` counts as a failed login, one attempt at a time: a stolen access token is no
   * place to guess from.
   */
  async change(principal: Principal, body: PasswordBody, ip: string): Promise<Committed<string[]>> {
    try {
      return await this.replace(principal, body, ip);
    } catch (error) {
      if (error instanceof DomainError && error.status < 500) {
        this.audit.note({
          event: 'authn_password_change_fail',
          user: principal.userId,
          detail: { code: error.code },
        });
      }
      throw error;
    }
  }

  private async replace(
    principal: Principal,
    body: PasswordBody,
    ip: string,
  ): Promise<Committed<string[]>> {
    const user = await this.database.prisma.user.findUnique({ where: { id: principal.userId } });
    if (user === null)
      throw new DomainError('guest_read_only', { detail: 'guests have no password' });
    await this.check.again(user, body.current, ip);
    const passwordHash = await this.passwords.hash(body.new);
    return this.log.commit(async (tx) => {
      await lockCaller(tx, principal, 'change');
      const { count } = await tx.user.updateMany({
        where: { id: user.id, passwordVersion: user.passwordVersion },
        data: { passwordHash, passwordVersion: { increment: 1 } },
      });
      if (count === 0)
        throw new DomainError('invalid_credentials', {
          detail: 'the password was changed meanwhile',
        });
      await markProven(tx, principal);
      recordAudit(tx, { event: 'authn_password_change', user: user.id });
      return this.sessions.end(
        tx,
        { user: user.id, except: principal.sessionId },
        'session_revoked',
        user.tenantId,
        { why: 'password_change' },
      );
    });
  }
}
