/**
 * Sign up, or look in as a guest, where the tenant allows it; else there is `not_found`, as for an
 * unknown tenant.
 */
import { Injectable } from '@nestjs/common';
import { recordAudit } from '../../audit/record-audit.js';
import { Database, uniqueOr } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import { newId } from '../../platform/ids.js';
import { isSystemTenant } from '../../platform/stores/system-tenant.js';
import type { GuestBody, RegisterBody } from './sign-in.schemas.js';
import { RegistrationLimits } from '../limits/registration-limits.js';
import { findTenant } from '../../platform/stores/find-tenant.js';
import { OpenSession } from './open-session.js';
import type { IssuedTokens } from '../tokens/issued-tokens.js';
import { Passwords } from './passwords.js';
import type { SignInSubject } from '../limits/sign-in-subject.js';

@Injectable()
export class Register {
  constructor(
    private readonly database: Database,
    private readonly passwords: Passwords,
    private readonly limits: RegistrationLimits,
    private readonly openSession: OpenSession,
  ) {}

  /** User and session in one transaction: tokens are only given to a user that exists. */
  async register(body: RegisterBody, ip: string, asked: SignInSubject): Promise<IssuedTokens> {
    await this.limits.countAddress(ip);
    const tenant = await findTenant(this.database, body.tenant);
    asked.tenant = tenant?.id ?? null;
    if (tenant === null || !tenant.allowRegistration || isSystemTenant(tenant))
      throw new DomainError('not_found', {
        detail: 'no such tenant, or it allows no registration',
      });
    await this.limits.countTenant('registration', tenant.id);
    const passwordHash = await this.passwords.hash(body.password);
    const opened = await uniqueOr('email_taken', () =>
      this.openSession.commit(tenant.id, async (tx) => {
        const rows = await tx.$queryRaw<
          { allow_registration: boolean }[]
        >`SELECT allow_registration FROM tenants WHERE id = ${tenant.id}::uuid FOR SHARE`;
        if (rows[0]?.allow_registration !== true)
          throw new DomainError('not_found', { detail: 'registration was closed meanwhile' });
        const user = await tx.user.create({
          data: {
            id: newId(),
            tenantId: tenant.id,
            email: body.email,
            name: body.name ?? body.email.split('@')[0]!.slice(0, 100),
            passwordHash,
          },
        });
        recordAudit(tx, {
          event: 'user_created',
          tenant: tenant.id,
          actor: user.id,
          user: user.id,
          detail: { role: user.role, by: 'registration' },
        });
        return this.openSession.open(tx, {
          method: 'registration',
          tenantId: tenant.id,
          userId: user.id,
          passwordVersion: user.passwordVersion,
          device: body.device,
          transport: body.transport,
        });
      }),
    );
    return this.openSession.issue(opened);
  }

  /** A guest is a session with an id of its own and no user row. */
  async enterAsGuest(body: GuestBody, ip: string, asked: SignInSubject): Promise<IssuedTokens> {
    await this.limits.countAddress(ip);
    const tenant = await findTenant(this.database, body.tenant);
    asked.tenant = tenant?.id ?? null;
    if (tenant === null || !tenant.allowGuests || isSystemTenant(tenant))
      throw new DomainError('not_found', { detail: 'no such tenant, or it allows no guests' });
    await this.limits.countTenant('guest', tenant.id);
    const opened = await this.openSession.commit(tenant.id, (tx) =>
      this.openSession.open(tx, {
        method: 'guest',
        tenantId: tenant.id,
        userId: newId(),
        passwordVersion: null,
        device: body.device,
        transport: body.transport,
      }),
    );
    return this.openSession.issue(opened);
  }
}
