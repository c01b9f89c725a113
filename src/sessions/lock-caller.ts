/**
 * Authorizes the caller in Postgres, inside the transaction of the change. Authority calls work on
 * a node that cannot prove its memory is current, so they ask here. The locks delay a revocation of
 * the caller until the change has committed or failed.
 */
import type { Tx } from '../platform/stores/database.js';
import { DomainError } from '../platform/errors.js';
import { Prisma } from '../platform/generated/client.js';
import { rankOf } from '../platform/stores/system-tenant.js';
import type { UserRole } from '../platform/stores/system-tenant.js';
import type { EndReason } from '../authority/events.js';
import type { Principal } from './principal.js';

export interface Caller {
  /** As far as it counts (platform/stores/system-tenant.ts). */
  role: UserRole | 'guest';
  /** The tenant's slug is for messages; ids are for comparing. */
  tenantId: string;
  userId: string;
}

/**
 * Throws the code the caller's credential died with. Locks their tenant, user and session FOR
 * SHARE, in that order; `change` takes the user row for an update instead, which calls that end
 * sessions of the same user need so as not to deadlock, and with it the row of `other`, the user
 * that the change is about: in id order, or two administrators who act on each other would lock
 * each other out. Call it before locking anything else but a tenant.
 *
 * One statement, because every round trip is time until a revocation holds. The counts are its
 * order of locking: a reader of a count must have all of it first. A locked row is read as it is
 * then, whatever the snapshot says.
 */
export async function lockCaller(
  tx: Tx,
  principal: Principal,
  user: 'share' | 'change' = 'share',
  other?: string,
): Promise<Caller> {
  const { tenantId, userId, sessionId } = principal;
  const owner = principal.actor ?? userId;
  const strength = user === 'share' ? Prisma.sql`FOR SHARE` : Prisma.sql`FOR NO KEY UPDATE`;
  const [caller] = await tx.$queryRaw<CallerRow[]>`
    WITH tenant AS MATERIALIZED (
      SELECT state, slug FROM tenants WHERE id = ${tenantId}::uuid FOR SHARE
    ), people AS MATERIALIZED (
      SELECT id, tenant_id, state, role FROM users
      WHERE id IN (${userId}::uuid, ${other ?? userId}::uuid) AND (SELECT count(*) FROM tenant) >= 0 ORDER BY id ${strength}
    ), own AS MATERIALIZED (
      SELECT guest, end_reason, expires_at <= clock_timestamp() AS expired FROM sessions
      WHERE id = ${sessionId}::uuid AND user_id = ${owner}::uuid AND tenant_id = ${tenantId}::uuid AND (SELECT count(*) FROM people) >= 0 FOR SHARE
    )
    SELECT (SELECT state FROM tenant) AS tenant_state, (SELECT slug FROM tenant) AS tenant_slug, p.state AS user_state, p.role, s.guest, s.end_reason, s.expired
    FROM (SELECT count(*) FROM own) locked LEFT JOIN own s ON true LEFT JOIN people p ON p.id = ${userId}::uuid AND p.tenant_id = ${tenantId}::uuid`;
  if (caller?.tenant_state !== 'active') throw new DomainError('tenant_disabled');
  if (caller.user_state === 'suspended') throw new DomainError('user_suspended');
  if (caller.guest === null) throw new DomainError('auth_invalid', { detail: 'no such session' });
  if (caller.end_reason !== null) throw new DomainError(caller.end_reason);
  if (caller.expired === true) throw new DomainError('session_expired');
  if (caller.guest) return { role: 'guest', tenantId, userId };
  if (caller.role === null) throw new DomainError('auth_invalid', { detail: 'no such user' });
  return { role: rankOf(caller.role, { slug: caller.tenant_slug! }), tenantId, userId };
}

/** Null where there is no such tenant, user or session. */
interface CallerRow {
  tenant_state: string | null;
  tenant_slug: string | null;
  user_state: string | null;
  role: UserRole | null;
  guest: boolean | null;
  end_reason: EndReason | null;
  expired: boolean | null;
}
