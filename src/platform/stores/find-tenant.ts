import { Database } from './database.js';
import type { Tenant } from '../generated/client.js';
import { isId } from '../ids.js';
import { SYSTEM_TENANT } from './system-tenant.js';

const NOBODY = '00000000-0000-0000-0000-000000000000';

/** By id or slug; slugs never look like ids. A deleted tenant is none. */
export function findTenant(database: Database, ref: string): Promise<Tenant | null> {
  const where = isId(ref) ? { id: ref } : { slug: ref };
  return database.prisma.tenant.findUnique({ where: { ...where, erasedAt: null } });
}

/** The owner of receipts of changes that no REST call asked for. */
export async function systemTenantId(database: Database): Promise<string> {
  return (await findTenant(database, SYSTEM_TENANT.slug))?.id ?? NOBODY;
}
