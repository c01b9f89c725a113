/**
 * The first lock of a change of a whole tenant, before `lockCaller` takes the caller's own. Order
 * everywhere: tenants, users, sessions.
 */
import type { Tx } from '../../platform/stores/database.js';

export async function lockTenant(tx: Tx, tenantId: string): Promise<void> {
  await tx.$queryRaw`SELECT 1 FROM tenants WHERE id = ${tenantId}::uuid FOR NO KEY UPDATE`;
}
