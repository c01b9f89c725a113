/**
 * May this principal administer that? Asked once from a plain read, so that strangers take no lock,
 * and again inside the transaction of a change, with the caller's rows locked
 * (sessions/lock-caller.ts). A look at data of users is recorded, whoever takes it.
 */
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { Database } from '../platform/stores/database.js';
import { DomainError } from '../platform/errors.js';
import { isId } from '../platform/ids.js';
import { decideAdmin } from '../policy/decide-admin.js';
import type { AdminAction, AdminTarget } from '../policy/decide-admin.js';
import { Decisions } from '../policy/decisions.js';
import { factsWithoutRoom } from '../policy/facts.js';
import type { UserFacts } from '../policy/facts.js';
import type { Principal } from '../sessions/principal.js';
import { roleOfCaller } from '../sessions/role-of-caller.js';

@Injectable()
export class AdminAuthorization {
  constructor(
    private readonly database: Database,
    private readonly decisions: Decisions,
    private readonly audit: AuditTrail,
  ) {}

  /** Answers the caller's role; refuses with the ladder's code and a `decision_id`. */
  async require(
    principal: Principal,
    action: AdminAction,
    target: AdminTarget,
  ): Promise<UserFacts['role']> {
    const role = await this.roleOf(principal);
    this.authorize(principal, role, action, target);
    return role;
  }

  /**
   * The same with the role that was read under the transaction's locks; the caller is known to be
   * active.
   */
  authorize(
    { userId, tenantId, sessionId }: Principal,
    role: UserFacts['role'],
    action: AdminAction,
    target: AdminTarget,
  ): void {
    const decision = decideAdmin({ userId, tenantId, role, active: true }, action, target);
    if (decision.allow) return;
    this.decisions.refuse(
      { userId, tenantId, sessionId },
      '',
      action,
      decision,
      factsWithoutRoom(role),
    );
  }

  /** After the authorization. `id`: of what; null: of everything that there is. */
  recordLook(
    what:
      | 'audit'
      | 'audit_export'
      | 'close'
      | 'connection'
      | 'connections'
      | 'decision'
      | 'explanation'
      | 'invites'
      | 'service_accounts'
      | 'sessions'
      | 'users',
    {
      id,
      tenant = null,
      user = null,
    }: { id: string | null; tenant?: string | null; user?: string | null },
  ): void {
    this.audit.note({ event: 'data_read', tenant, user, detail: { what, id } });
  }

  roleOf(principal: Principal): Promise<UserFacts['role']> {
    return roleOfCaller(this.database, principal);
  }

  /**
   * By id or slug; null when there is none, which `require` turns into 404 for whoever may know.
   */
  async tenantId(ref: string): Promise<string | null> {
    const where = { ...(isId(ref) ? { id: ref } : { slug: ref }), erasedAt: null };
    return (
      (await this.database.prisma.tenant.findUnique({ where, select: { id: true } }))?.id ?? null
    );
  }
}

export function found<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined)
    throw new DomainError('not_found', { detail: `no such ${what}` });
  return value;
}
