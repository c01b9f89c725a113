/** Sign in with e-mail and password. Who does not exist is refused as late, and with the same words, as a wrong password. */
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { Database } from '../platform/database.js';
import { DomainError } from '../platform/errors.js';
import { Metrics } from '../platform/metrics.js';
import type { LoginBody } from './auth.schemas.js';
import { findTenant } from './find-tenant.js';
import { LoginLimits } from './login-limits.js';
import { OpenSession } from './open-session.js';
import type { IssuedTokens } from './open-session.js';
import { Passwords } from './passwords.js';

/** Whom a login is about, as far as it got. */
interface Asked {
  tenant: string | null;
  user: string | null;
}

@Injectable()
export class Login {
  constructor(
    private readonly database: Database,
    private readonly passwords: Passwords,
    private readonly limits: LoginLimits,
    private readonly openSession: OpenSession,
    private readonly metrics: Metrics,
    private readonly audit: AuditTrail,
  ) {}

  async login(body: LoginBody, ip: string): Promise<IssuedTokens> {
    const asked: Asked = { tenant: null, user: null };
    try {
      const issued = await this.signIn(body, ip, asked);
      this.metrics.logins.inc({ outcome: 'ok' });
      return issued;
    } catch (error) {
      this.metrics.logins.inc({ outcome: error instanceof DomainError ? error.code : 'internal' });
      if (error instanceof DomainError && error.status < 500) {
        // Who did it is what could not be shown; whom it is about may be known.
        const event = error.code === 'rate_limited' ? 'authn_login_fail_max' : 'authn_login_fail';
        this.audit.note({ event, ...asked, actor: null, session: null, detail: { code: error.code } });
      }
      throw error;
    }
  }

  private async signIn(body: LoginBody, ip: string, asked: Asked): Promise<IssuedTokens> {
    const tenant = await findTenant(this.database, body.tenant);
    asked.tenant = tenant?.id ?? null;
    const who = `${tenant?.id ?? body.tenant}\n${body.email}`;
    const user = tenant === null ? null : await this.database.prisma.user.findUnique({ where: { tenantId_email: { tenantId: tenant.id, email: body.email } } });
    asked.user = user?.id ?? null;
    await this.limits.requireRoom(who, ip);
    const right = await this.passwords.verify(user?.passwordHash ?? null, body.password);
    if (!right || user === null) {
      await this.limits.countFailure(who, ip);
      throw new DomainError('invalid_credentials');
    }
    await this.limits.requireRoom(who, ip);
    // State of user and tenant is read again under locks: only now is it known who asks.
    const opened = await this.database.transaction((tx) =>
      this.openSession.open(tx, {
        method: 'password',
        tenantId: user.tenantId,
        userId: user.id,
        passwordVersion: user.passwordVersion,
        device: body.device,
        transport: body.transport,
      }),
    );
    return this.openSession.issue(opened);
  }
}
