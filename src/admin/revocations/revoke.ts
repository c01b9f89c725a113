/**
 * Revocation on demand: a session, everything of a user or tenant, or everything a signing key
 * signed.
 */
import { Injectable, Logger } from '@nestjs/common';
import { recordAudit } from '../../audit/record-audit.js';
import { KeyChanges } from '../../auth/keys/key-changes.js';
import { AuthorityLog } from '../../authority/authority-log.js';
import type { Committed } from '../../authority/authority-log.js';
import { Receipts } from '../../authority/receipts.js';
import type { Receipt } from '../../authority/receipt.schema.js';
import { Database } from '../../platform/stores/database.js';
import type { Tx } from '../../platform/stores/database.js';
import type { UserFacts } from '../../policy/facts.js';
import type { SessionSelector } from '../../sessions/end-sessions.js';
import type { Principal } from '../../sessions/principal.js';
import { lockCaller } from '../../sessions/lock-caller.js';
import { Sessions } from '../../sessions/sessions.js';
import { AdminAuthorization, found } from '../admin-authorization.js';
import { lockTenant } from '../tenants/lock-order.js';
import type { Revocation } from './revocation.schema.js';

interface Owner {
  tenantId: string;
  userId: string | null;
  userRole?: UserFacts['role'];
}

@Injectable()
export class Revoke {
  private readonly logger = new Logger(Revoke.name);

  constructor(
    private readonly admin: AdminAuthorization,
    private readonly database: Database,
    private readonly log: AuthorityLog,
    private readonly receipts: Receipts,
    private readonly sessions: Sessions,
    private readonly keys: KeyChanges,
  ) {}

  async revoke(principal: Principal, revocation: Revocation, wait: boolean): Promise<Receipt> {
    const { session, user, tenant, key, issued_before, reason } = revocation;
    const committed =
      key === undefined
        ? await this.endSessions(principal, revocation)
        : await this.withdraw(principal, key, reason);
    this.logger.log({
      msg: 'revoked',
      by: principal.userId,
      session,
      user,
      tenant,
      key,
      issued_before,
      reason,
      sessions: committed.pending?.sessions,
    });
    return (await this.receipts.waitForReceipt(committed.pending, wait))!;
  }

  private async endSessions(
    principal: Principal,
    revocation: Revocation,
  ): Promise<Committed<unknown>> {
    const [owner, asked] = await Promise.all([
      this.ownerOf(revocation),
      this.admin.roleOf(principal),
    ]);
    const target = {
      tenantId: owner?.tenantId ?? null,
      ...(owner?.userRole === undefined ? {} : { userRole: owner.userRole }),
    };
    this.admin.authorize(principal, asked, 'revoke_sessions', target);
    const { tenantId, userId } = found(owner, 'session, user or tenant');
    const before =
      revocation.issued_before === undefined ? undefined : new Date(revocation.issued_before);
    return this.log.commit(async (tx) => {
      if (userId === null) await lockTenant(tx, tenantId);
      const { role } = await lockCaller(tx, principal, 'change', userId ?? undefined);
      this.admin.authorize(principal, role, 'revoke_sessions', target);
      const change = await this.sessions.end(
        tx,
        selectorOf(revocation, tenantId),
        'session_revoked',
        tenantId,
        { issuedBefore: before },
      );
      const { reason, issued_before, session = null } = revocation;
      const what = session !== null ? 'session' : userId === null ? 'tenant' : 'user';
      const detail = { target: what, reason, issued_before, sessions: change.result.length };
      recordAudit(tx, {
        event: 'authn_token_revoked',
        tenant: tenantId,
        user: userId,
        session,
        detail,
      });
      return change;
    });
  }

  private async withdraw(
    principal: Principal,
    key: string,
    reason: string,
  ): Promise<Committed<unknown>> {
    await this.admin.require(principal, 'withdraw_key', { tenantId: null });
    const guard = async (tx: Tx) => {
      const { role } = await lockCaller(tx, principal);
      this.admin.authorize(principal, role, 'withdraw_key', { tenantId: null });
    };
    return this.keys.withdraw(key, guard, principal.tenantId, { by: 'request', reason });
  }

  /** Its owner and their role; `userId` null: the whole tenant's. */
  private async ownerOf({ session, user, tenant }: Revocation): Promise<Owner | null> {
    const { prisma } = this.database;
    const select = { tenantId: true, userId: true } as const;
    if (session !== undefined) {
      const owner = await prisma.session.findUnique({ where: { id: session }, select });
      return owner === null ? null : ((await this.person(owner.userId)) ?? owner);
    }
    // A guest has sessions only.
    if (user !== undefined)
      return (
        (await this.person(user)) ?? prisma.session.findFirst({ where: { userId: user }, select })
      );
    const tenantId = await this.admin.tenantId(tenant ?? '');
    return tenantId === null ? null : { tenantId, userId: null };
  }

  private async person(id: string): Promise<Owner | null> {
    const row = await this.database.prisma.user.findUnique({
      where: { id },
      select: { tenantId: true, role: true },
    });
    return row === null
      ? null
      : { tenantId: row.tenantId, userId: id, userRole: row.role as UserFacts['role'] };
  }
}

function selectorOf({ session, user }: Revocation, tenant: string): SessionSelector {
  if (session !== undefined) return { session, tenant };
  if (user !== undefined) return { user, tenant };
  return { tenant };
}
