/**
 * The first locks of an administrative change, before `requireCaller` takes the caller's own. Order everywhere: tenants,
 * users, sessions. What the change is about is taken together with the caller, or two administrators who act on each
 * other would lock each other out.
 */
import type { Tx } from '../platform/database.js';
import type { Principal } from '../sessions/principal.js';

export async function lockTenant(tx: Tx, tenantId: string): Promise<void> {
  await tx.$queryRaw`SELECT 1 FROM tenants WHERE id = ${tenantId}::uuid FOR NO KEY UPDATE`;
}

export async function lockCallerAndUser(tx: Tx, principal: Principal, userId: string): Promise<void> {
  await tx.$queryRaw`SELECT 1 FROM tenants WHERE id = ${principal.tenantId}::uuid FOR SHARE`;
  await tx.$queryRaw`SELECT 1 FROM users WHERE id IN (${principal.userId}::uuid, ${userId}::uuid) ORDER BY id FOR NO KEY UPDATE`;
}
