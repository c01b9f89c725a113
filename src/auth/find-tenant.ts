import { Database } from '../platform/database.js';
import type { Tenant } from '../platform/generated/client.js';
import { isId } from '../platform/ids.js';

/** By id or slug; slugs never look like ids. */
export function findTenant(database: Database, ref: string): Promise<Tenant | null> {
  return database.prisma.tenant.findUnique({ where: isId(ref) ? { id: ref } : { slug: ref } });
}
