/**
 * Sign in with e-mail and password. An unknown user is refused as late, and with the same words, as
 * a wrong password.
 */
import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/stores/database.js';
import type { User } from '../../platform/generated/client.js';
import { CheckPassword } from './check-password.js';
import type { LoginBody } from './sign-in.schemas.js';
import { findTenant } from '../../platform/stores/find-tenant.js';
import { LoginLimits } from '../limits/login-limits.js';
import { OpenSession } from './open-session.js';
import type { IssuedTokens } from '../tokens/issued-tokens.js';
import type { SignInSubject } from '../limits/sign-in-subject.js';

@Injectable()
export class Login {
  constructor(
    private readonly database: Database,
    private readonly passwords: CheckPassword,
    private readonly limits: LoginLimits,
    private readonly openSession: OpenSession,
  ) {}

  async login(body: LoginBody, ip: string, asked: SignInSubject): Promise<IssuedTokens> {
    // Also what is looked up comes in its turn: a crowd at one user does not fill the pool before
    // anybody is refused.
    const { known, who } = await this.limits.inTurn(
      `${body.tenant}\n${body.email}`,
      ip,
      asked,
      () => this.attempt(body, ip, asked),
    );
    // State of user and tenant is read again under locks: only now is it known who asks.
    const opened = await this.openSession.commit(known.tenantId, (tx) =>
      this.openSession.open(tx, {
        method: 'password',
        authenticatedAt: 'now',
        tenantId: known.tenantId,
        userId: known.id,
        passwordVersion: known.passwordVersion,
        device: body.device,
        transport: body.transport,
      }),
    );
    await this.limits.rememberAddress(who, ip);
    return this.openSession.issue(opened);
  }

  private async attempt(
    body: LoginBody,
    ip: string,
    asked: SignInSubject,
  ): Promise<{ known: User; who: string }> {
    const tenant = await findTenant(this.database, body.tenant);
    asked.tenant = tenant?.id ?? null;
    const who = `${tenant?.id ?? body.tenant}\n${body.email}`;
    const user =
      tenant === null
        ? null
        : await this.database.prisma.user.findUnique({
            where: { tenantId_email: { tenantId: tenant.id, email: body.email } },
          });
    asked.user = user?.id ?? null;
    return { known: await this.passwords.check(user, body.password, who, ip), who };
  }
}
