/**
 * The audit, newest first: an admin reads that of the own tenant, an operator without `tenant` that
 * of everything.
 */
import { Injectable } from '@nestjs/common';
import { rfc3339 } from '../../platform/clock.js';
import { Database } from '../../platform/stores/database.js';
import type { AuditEvent, Prisma } from '../../platform/generated/client.js';
import { isId } from '../../platform/ids.js';
import { page } from '../../platform/zod.js';
import { seesAllTenants } from '../../policy/decide-admin.js';
import type { UserFacts } from '../../policy/facts.js';
import type { Principal } from '../../sessions/principal.js';
import { AdminAuthorization, found } from '../admin-authorization.js';
import type { AuditPage, AuditQuery, AuditRecordView } from './audit.schema.js';

@Injectable()
export class ReadAudit {
  constructor(
    private readonly admin: AdminAuthorization,
    private readonly database: Database,
  ) {}

  async list(
    principal: Principal,
    { tenant, user, event, limit, cursor, ...about }: AuditQuery,
  ): Promise<AuditPage> {
    const role = await this.admin.roleOf(principal);
    const named = tenant === undefined ? undefined : await this.named(tenant, role);
    const tenantId = named === undefined && !seesAllTenants(role) ? principal.tenantId : named;
    this.admin.authorize(principal, role, 'read_audit', { tenantId: tenantId ?? null });
    if (tenantId === null) found(tenantId, 'tenant');
    this.admin.recordLook('audit', {
      id: user ?? tenantId ?? null,
      tenant: tenantId ?? null,
      user: user ?? null,
    });
    const rows = await this.database.prisma.auditEvent.findMany({
      where: {
        ...(tenantId === undefined ? {} : { tenantId }),
        ...(user === undefined ? {} : { OR: [{ userId: user }, { actorId: user }] }),
        ...(event === undefined ? {} : { event }),
        ...(await this.requestsOf(about)),
        ...(cursor === undefined ? {} : { id: { lt: cursor } }),
      },
      orderBy: { id: 'desc' },
      take: limit + 1,
    });
    return page(rows.map(viewOf), limit);
  }

  /** The records of a deleted tenant stay, and an operator finds them by its id. */
  private async named(tenant: string, role: UserFacts['role']): Promise<string | null> {
    const tenantId = await this.admin.tenantId(tenant);
    return tenantId ?? (seesAllTenants(role) && isId(tenant) ? tenant : null);
  }

  /** A connection is the request of its records; several of these must name the same one. */
  private async requestsOf({
    request,
    connection,
    close_id: closeId,
  }: Pick<
    AuditQuery,
    'request' | 'connection' | 'close_id'
  >): Promise<Prisma.AuditEventWhereInput> {
    const named = [request, connection].filter((id) => id !== undefined);
    const AND: Prisma.AuditEventWhereInput[] = named.map((requestId) => ({ requestId }));
    if (closeId !== undefined) {
      const ends = await this.database.prisma.connectionEnd.findMany({
        where: { closeId },
        select: { connectionId: true },
      });
      AND.push({ requestId: { in: ends.map(({ connectionId }) => connectionId) } });
    }
    return { AND };
  }
}

function viewOf(row: AuditEvent): AuditRecordView {
  return {
    id: row.id,
    at: rfc3339(row.at),
    event: row.event,
    tenant_id: row.tenantId,
    actor_id: row.actorId,
    user_id: row.userId,
    session_hash: row.sessionHash,
    ip: row.ip,
    request_id: row.requestId,
    detail: row.detail as AuditRecordView['detail'],
    chain: row.node,
    n: Number(row.n),
  };
}
