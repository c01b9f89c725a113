/**
 * The caller judged in Postgres, inside the transaction of what he does. Authority calls work on a node that cannot prove
 * its memory is current, so they ask here; the locks hold his revocation off until his change has committed or failed.
 */
import type { Tx } from '../platform/database.js';
import { DomainError } from '../platform/errors.js';
import type { EndReason } from '../authority/events.js';
import type { Principal } from './principal.js';

export interface Caller {
  role: 'member' | 'admin' | 'operator' | 'guest';
  /** The tenant's slug is for messages; ids are for comparing. */
  tenantId: string;
  userId: string;
}

/**
 * Throws the code the caller's credential died with. Locks his tenant, user and session FOR SHARE, in that order; `change`
 * takes the user row for an update instead, which calls that end sessions of the same user need so as not to deadlock.
 * Call it before locking anything else.
 */
export async function requireCaller(tx: Tx, principal: Principal, user: 'share' | 'change' = 'share'): Promise<Caller> {
  const { tenantId, userId, sessionId } = principal;
  const tenants = await tx.$queryRaw<{ state: string }[]>`SELECT state FROM tenants WHERE id = ${tenantId}::uuid FOR SHARE`;
  if (tenants[0]?.state !== 'active') throw new DomainError('tenant_disabled');
  const users =
    user === 'share'
      ? await tx.$queryRaw<UserRow[]>`SELECT state, role FROM users WHERE id = ${userId}::uuid AND tenant_id = ${tenantId}::uuid FOR SHARE`
      : await tx.$queryRaw<UserRow[]>`SELECT state, role FROM users WHERE id = ${userId}::uuid AND tenant_id = ${tenantId}::uuid FOR NO KEY UPDATE`;
  if (users[0]?.state === 'suspended') throw new DomainError('user_suspended');
  const sessions = await tx.$queryRaw<SessionRow[]>`
    SELECT guest, end_reason, expires_at <= clock_timestamp() AS expired FROM sessions
    WHERE id = ${sessionId}::uuid AND user_id = ${userId}::uuid AND tenant_id = ${tenantId}::uuid FOR SHARE`;
  const session = sessions[0];
  if (session === undefined) throw new DomainError('auth_invalid', { detail: 'no such session' });
  if (session.end_reason !== null) throw new DomainError(session.end_reason);
  if (session.expired) throw new DomainError('session_expired');
  if (session.guest) return { role: 'guest', tenantId, userId };
  if (users[0] === undefined) throw new DomainError('auth_invalid', { detail: 'no such user' });
  return { role: users[0].role, tenantId, userId };
}

interface UserRow {
  state: string;
  role: 'member' | 'admin' | 'operator';
}

interface SessionRow {
  guest: boolean;
  end_reason: EndReason | null;
  expired: boolean;
}
