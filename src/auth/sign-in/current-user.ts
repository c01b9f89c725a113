import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import type { Principal } from '../../sessions/principal.js';
import type { Me } from './sign-in.schemas.js';

/** Principal, tenant and role as they are now, not as some token says. */
@Injectable()
export class CurrentUser {
  constructor(private readonly database: Database) {}

  async tell({ userId, tenantId, sessionId }: Principal): Promise<Me> {
    const [tenant, user] = await Promise.all([
      this.database.prisma.tenant.findUnique({ where: { id: tenantId } }),
      this.database.prisma.user.findUnique({ where: { id: userId } }),
    ]);
    if (tenant === null) throw new DomainError('not_found');
    return {
      user_id: userId,
      tenant_id: tenantId,
      session_id: sessionId,
      tenant: { id: tenant.id, slug: tenant.slug, name: tenant.name },
      role: user === null ? 'guest' : (user.role as Me['role']),
      email: user?.email ?? null,
      name: user?.name ?? null,
      avatar: user?.avatar ?? null,
      status: user?.status ?? null,
    };
  }
}
