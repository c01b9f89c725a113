import { Database } from './database.js';
import type { Tenant } from '../generated/client.js';
import { isId } from '../ids.js';
import { SYSTEM_TENANT } from './system-tenant.js';

const NOBODY = '00000000-0000-0000-0000-000000000000';

/** By id or slug; slugs never look like ids. */
export function findTenant(database: Database, ref: string): Promise<Tenant | null> {
  return database.prisma.tenant.findUnique({ where: isId(ref) ? { id: ref } : { slug: ref } });
}

/** The owner of receipts of changes that no REST call asked for. */
export async function systemTenantId(database: Database): Promise<string> {
  return (await findTenant(database, SYSTEM_TENANT.slug))?.id ?? NOBODY;
}
