/**
 * A new password by a link. It ends every session of the user. A link that came by mail proves the
 * address; one of an admin is worth what that admin may do when it is used.
 */
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../audit/audit-trail.js';
import { recordAudit } from '../../audit/record-audit.js';
import { AuthorityLog } from '../../authority/authority-log.js';
import type { Change, Committed } from '../../authority/authority-log.js';
import { DomainError } from '../../platform/errors.js';
import type { PasswordReset } from '../../platform/generated/client.js';
import { Database } from '../../platform/stores/database.js';
import type { Tx } from '../../platform/stores/database.js';
import type { UserRole } from '../../platform/stores/system-tenant.js';
import { Sessions } from '../../sessions/sessions.js';
import { RecoveryLimits } from '../limits/recovery-limits.js';
import { linkCodeHash } from '../links/link-code.js';
import { findReset, takeReset } from '../links/password-resets.js';
import { Passwords } from './passwords.js';
import type { ResetBody } from './sign-in.schemas.js';

interface Person {
  id: string;
  tenant_id: string;
  state: string;
  role: UserRole;
  email: string;
  password_version: number;
}

@Injectable()
export class ResetPassword {
  constructor(
    private readonly database: Database,
    private readonly log: AuthorityLog,
    private readonly passwords: Passwords,
    private readonly limits: RecoveryLimits,
    private readonly sessions: Sessions,
    private readonly audit: AuditTrail,
  ) {}

  async reset(body: ResetBody, ip: string): Promise<Committed<string[]>> {
    await this.limits.countAddress(ip);
    let seen: PasswordReset | null = null;
    try {
      seen = await findReset(this.database.prisma, linkCodeHash('password', body.token));
      const link = requireLink(seen);
      const passwordHash = await this.passwords.hash(body.new);
      return await this.log.commit((tx) => this.replace(tx, link, passwordHash));
    } catch (error) {
      if (error instanceof DomainError && error.status < 500)
        this.audit.note({
          event: 'authn_password_reset_fail',
          tenant: seen?.tenantId ?? null,
          user: seen?.userId ?? null,
          actor: null,
          session: null,
          detail: { code: error.code },
        });
      throw error;
    }
  }

  /** Lock order: tenants, users, sessions. */
  private async replace(
    tx: Tx,
    link: PasswordReset,
    passwordHash: string,
  ): Promise<Change<string[]>> {
    const { userId, tenantId, createdBy, mailedTo } = link;
    const [tenant] = await tx.$queryRaw<{ state: string }[]>`
      SELECT state FROM tenants WHERE id = ${tenantId}::uuid FOR SHARE`;
    if (tenant?.state !== 'active') throw new DomainError('tenant_disabled');
    const people = await tx.$queryRaw<Person[]>`
      SELECT id, tenant_id, state, role, email, password_version FROM users
      WHERE id IN (${userId}::uuid, ${createdBy ?? userId}::uuid) ORDER BY id FOR NO KEY UPDATE`;
    const user = requireLink(people.find(({ id }) => id === userId));
    if (user.state !== 'active') throw new DomainError('user_suspended');
    const isGood =
      user.password_version === link.passwordVersion &&
      (createdBy === null ||
        mayReset(
          people.find(({ id }) => id === createdBy),
          tenantId,
        ));
    requireLink(isGood && (await takeReset(tx, link)) ? link : null);
    await tx.user.update({
      where: { id: userId },
      data: { passwordHash, passwordVersion: { increment: 1 } },
    });
    if (mailedTo !== null && mailedTo === user.email)
      await tx.user.updateMany({
        where: { id: userId, emailProvenAt: null },
        data: { emailProvenAt: new Date() },
      });
    recordAudit(tx, {
      event: 'authn_password_reset',
      tenant: tenantId,
      user: userId,
      actor: userId,
      detail: { by: createdBy === null ? 'mail' : 'admin', reset: link.id },
    });
    return this.sessions.end(tx, { user: userId }, 'session_revoked', tenantId, {
      why: 'password_reset',
    });
  }
}

const mayReset = (author: Person | undefined, tenantId: string): boolean =>
  author?.state === 'active' &&
  (author.role === 'operator' || (author.role === 'admin' && author.tenant_id === tenantId));

/** Used, expired or made up: there is no difference to a stranger. */
function requireLink<T>(value: T | null | undefined): T {
  if (value === null || value === undefined)
    throw new DomainError('not_found', { detail: 'no such link for a password, or it is over' });
  return value;
}
