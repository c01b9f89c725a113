/** Revocation on demand: a session, everything of a user or tenant, or everything a signing key signed. */
import { Injectable, Logger } from '@nestjs/common';
import { noteAudit } from '../audit/note-audit.js';
import { KeyChanges } from '../auth/key-changes.js';
import { AuthorityLog } from '../authority/authority-log.js';
import type { Committed } from '../authority/authority-log.js';
import { Receipts } from '../authority/receipts.js';
import type { Receipt } from '../authority/receipt.schema.js';
import { Database } from '../platform/database.js';
import type { Tx } from '../platform/database.js';
import type { SessionSelector } from '../sessions/end-sessions.js';
import type { Principal } from '../sessions/principal.js';
import { requireCaller } from '../sessions/require-caller.js';
import { Sessions } from '../sessions/sessions.js';
import { Administration, found } from './administration.js';
import { lockTenant } from './lock-order.js';
import type { Revocation } from './revocation.schema.js';

@Injectable()
export class Revoke {
  private readonly logger = new Logger(Revoke.name);

  constructor(
    private readonly admin: Administration,
    private readonly database: Database,
    private readonly log: AuthorityLog,
    private readonly receipts: Receipts,
    private readonly sessions: Sessions,
    private readonly keys: KeyChanges,
  ) {}

  async revoke(principal: Principal, revocation: Revocation, wait: boolean): Promise<Receipt> {
    const { session, user, tenant, key, issued_before, reason } = revocation;
    const committed = key === undefined ? await this.endSessions(principal, revocation) : await this.withdraw(principal, key);
    this.logger.log({ msg: 'revoked', by: principal.userId, session, user, tenant, key, issued_before, reason, sessions: committed.pending?.sessions });
    return (await this.receipts.settle(committed.pending, wait))!;
  }

  private async endSessions(principal: Principal, revocation: Revocation): Promise<Committed<unknown>> {
    const [owner, asked] = await Promise.all([this.ownerOf(revocation), this.admin.roleOf(principal)]);
    this.admin.judge(principal, asked, 'revoke_sessions', { tenantId: owner?.tenantId ?? null });
    const { tenantId, userId } = found(owner, 'session, user or tenant');
    const before = revocation.issued_before === undefined ? undefined : new Date(revocation.issued_before);
    return this.log.commit(async (tx) => {
      if (userId === null) await lockTenant(tx, tenantId);
      const { role } = await requireCaller(tx, principal, 'change', userId ?? undefined);
      this.admin.judge(principal, role, 'revoke_sessions', { tenantId });
      const change = await this.sessions.end(tx, selectorOf(revocation, tenantId), 'session_revoked', tenantId, { issuedBefore: before });
      const { reason, issued_before, session = null } = revocation;
      const target = session !== null ? 'session' : userId === null ? 'tenant' : 'user';
      const detail = { target, reason, issued_before, sessions: change.result.length };
      noteAudit(tx, { event: 'authn_token_revoked', tenant: tenantId, user: userId, session, detail });
      return change;
    });
  }

  private async withdraw(principal: Principal, key: string): Promise<Committed<unknown>> {
    await this.admin.require(principal, 'withdraw_key', { tenantId: null });
    const guard = async (tx: Tx) => {
      const { role } = await requireCaller(tx, principal);
      this.admin.judge(principal, role, 'withdraw_key', { tenantId: null });
    };
    return this.keys.withdraw(key, guard, principal.tenantId);
  }

  /** Whose it is; `userId` null: the whole tenant's. */
  private async ownerOf({ session, user, tenant }: Revocation): Promise<{ tenantId: string; userId: string | null } | null> {
    const { prisma } = this.database;
    const select = { tenantId: true, userId: true } as const;
    if (session !== undefined) return prisma.session.findUnique({ where: { id: session }, select });
    if (user !== undefined) {
      const row = await prisma.user.findUnique({ where: { id: user }, select: { tenantId: true } });
      // A guest has sessions only.
      return row === null ? prisma.session.findFirst({ where: { userId: user }, select }) : { ...row, userId: user };
    }
    const tenantId = await this.admin.tenantId(tenant ?? '');
    return tenantId === null ? null : { tenantId, userId: null };
  }
}

function selectorOf({ session, user }: Revocation, tenant: string): SessionSelector {
  if (session !== undefined) return { session, tenant };
  if (user !== undefined) return { user, tenant };
  return { tenant };
}
