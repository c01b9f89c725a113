/**
 * The password once more, for a session that goes on. It counts for the dangerous calls of this
 * session, and of no other, for STEP_UP_SECONDS (ADR 0041).
 */
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../audit/audit-trail.js';
import { recordAudit } from '../../audit/record-audit.js';
import { rfc3339 } from '../../platform/clock.js';
import { DomainError } from '../../platform/errors.js';
import type { User } from '../../platform/generated/client.js';
import { Database } from '../../platform/stores/database.js';
import { lockCaller } from '../../sessions/lock-caller.js';
import type { Principal } from '../../sessions/principal.js';
import { SessionProof, markProven } from '../../sessions/session-proof.js';
import { CheckPassword } from './check-password.js';
import type { ProofView, StepUpBody } from './sign-in.schemas.js';

@Injectable()
export class StepUp {
  constructor(
    private readonly database: Database,
    private readonly passwords: CheckPassword,
    private readonly proofs: SessionProof,
    private readonly audit: AuditTrail,
  ) {}

  /** A wrong password counts as a failed login: a stolen token is no place to guess from. */
  async prove(principal: Principal, { password }: StepUpBody, ip: string): Promise<ProofView> {
    try {
      const user = await this.userOf(principal);
      await this.passwords.again(user, password, ip);
      await this.record(principal, user);
    } catch (error) {
      if (error instanceof DomainError && error.status < 500)
        this.audit.note({
          event: 'authn_step_up_fail',
          user: principal.userId,
          detail: { code: error.code },
        });
      throw error;
    }
    return this.proofOf(principal);
  }

  async proofOf(principal: Principal): Promise<ProofView> {
    const { at, leftSeconds } = await this.proofs.of(principal);
    return {
      auth_time: at === null ? null : rfc3339(at),
      expires_in: leftSeconds === null ? null : Math.floor(leftSeconds),
    };
  }

  private async userOf({ userId }: Principal): Promise<User> {
    const user = await this.database.prisma.user.findUnique({ where: { id: userId } });
    if (user === null)
      throw new DomainError('guest_read_only', { detail: 'guests have no password' });
    if (user.passwordHash === null)
      throw new DomainError('invalid_credentials', {
        message: 'This user has no password: sign in again.',
      });
    return user;
  }

  /** A session that has ended meanwhile, or a password that was replaced, proves nothing. */
  private record(principal: Principal, { id, passwordVersion }: User): Promise<void> {
    return this.database.transaction(async (tx) => {
      await lockCaller(tx, principal, 'change');
      if ((await tx.user.count({ where: { id, passwordVersion } })) === 0)
        throw new DomainError('invalid_credentials', {
          detail: 'the password was changed meanwhile',
        });
      await markProven(tx, principal);
      recordAudit(tx, { event: 'authn_step_up', user: id });
    });
  }
}
