import { Database } from '../platform/stores/database.js';
import { DomainError } from '../platform/errors.js';
import { rankOf } from '../platform/stores/system-tenant.js';
import type { Caller } from './lock-caller.js';
import type { Principal } from './principal.js';

/** From a plain read; in the transaction of a change `lockCaller` answers it. */
export async function roleOfCaller(
  database: Database,
  { userId, tenantId }: Principal,
): Promise<Caller['role']> {
  const user = await database.prisma.user.findUnique({
    where: { id: userId, tenantId },
    select: { role: true, state: true, tenant: { select: { slug: true } } },
  });
  if (user === null) return 'guest';
  if (user.state !== 'active') throw new DomainError('user_suspended');
  return rankOf(user.role as Caller['role'], user.tenant);
}
