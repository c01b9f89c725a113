/**
 * Sign up, or look in as a guest, where the tenant allows it; an invitation of an admin is enough
 * to sign up. Else there is `not_found`, as for an unknown tenant.
 */
import { Injectable } from '@nestjs/common';
import { recordAudit } from '../../audit/record-audit.js';
import { Database, uniqueOr } from '../../platform/stores/database.js';
import type { Tx } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import { newId } from '../../platform/ids.js';
import { isSystemTenant } from '../../platform/stores/system-tenant.js';
import type { GuestBody, RegisterBody } from './sign-in.schemas.js';
import { findRegistration, requireInvite, takeInvite } from '../links/invites.js';
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
    if (tenant === null || isSystemTenant(tenant))
      throw new DomainError('not_found', { detail: 'no such tenant' });
    await this.requireWayIn(this.database.prisma, tenant.id, body, tenant.allowRegistration);
    await this.limits.countTenant('registration', tenant.id);
    const passwordHash = await this.passwords.hash(body.password);
    const opened = await uniqueOr('email_taken', () =>
      this.openSession.commit(tenant.id, async (tx) => {
        const rows = await tx.$queryRaw<
          { allow_registration: boolean }[]
        >`SELECT allow_registration FROM tenants WHERE id = ${tenant.id}::uuid FOR SHARE`;
        const isOpen = rows[0]?.allow_registration === true;
        const invite = await this.requireWayIn(tx, tenant.id, body, isOpen, { locked: true });
        if (invite !== null) requireInvite((await takeInvite(tx, invite)) ? invite : null);
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
          detail: {
            role: user.role,
            ...(invite === null ? { by: 'registration' } : { by: 'invitation', invite }),
          },
        });
        return this.openSession.open(tx, {
          method: 'registration',
          authenticatedAt: 'now',
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

  /** The invitation that was shown, or null where anybody may register; else refused. */
  private async requireWayIn(
    tx: Tx,
    tenantId: string,
    { invite, email }: RegisterBody,
    isOpen: boolean,
    { locked } = { locked: false },
  ): Promise<string | null> {
    if (invite !== undefined)
      return requireInvite(await findRegistration(tx, tenantId, invite, email, { locked }));
    if (!isOpen) throw new DomainError('not_found', { detail: 'the tenant is not open' });
    return null;
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
        authenticatedAt: null,
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
