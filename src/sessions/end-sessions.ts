/**
 * Ending sessions: the primitive below every revocation. It runs inside the transaction of an
 * `AuthorityLog.commit`; the caller logs `sessionsEnded(...)` of the ids it gets. Cut-offs compare
 * `sessions.created_at`, never the `iat` of a token.
 */
import { sessionHash } from '../audit/audit-hash.js';
import { recordAudit } from '../audit/record-audit.js';
import { receiptIdOf } from '../authority/authority-log.js';
import type { AuthorityEvent, EndReason } from '../authority/events.js';
import type { Tx } from '../platform/stores/database.js';
import { Prisma } from '../platform/generated/client.js';
import { currentRequest } from '../platform/request-context.js';

/** `tenant` beside a session or user narrows: what another tenant owns is not found. */
export type SessionSelector =
  | { session: string; user?: string | undefined; tenant?: string | undefined }
  | { user: string; except?: string | undefined; tenant?: string | undefined }
  | { tenant: string }
  | { sessions: readonly string[] }
  /** The caller keeps logins out (restore-fence.ts). */
  | { everybody: true };

/**
 * The reason in the vocabulary of the audit; the caller may give a better one than the code does.
 */
export type AuditedReason =
  | (typeof AUDITED)[EndReason]
  | 'logout'
  | 'quota'
  | 'password_change'
  | 'password_reset'
  | 'guests_disallowed'
  | 'taken_over';
const AUDITED = {
  session_revoked: 'revoked',
  session_expired: 'timeout',
  token_reuse: 'token_reuse',
  user_suspended: 'user_suspended',
  tenant_disabled: 'tenant_disabled',
} as const satisfies Record<EndReason, string>;

/** Ids in one event; larger endings are several events of one transaction. */
const EVENT_SESSIONS = 5_000;
/**
 * Endings larger than this have one record for as many sessions, with their hashes: the revocation
 * does not wait for thousands of rows.
 */
const RECORD_SESSIONS = 500;

export interface EndOptions {
  issuedBefore?: Date | undefined;
  why?: AuditedReason | undefined;
}

/**
 * Ends what is alive and was created before `issuedBefore` (absent: everything); answers the ids,
 * ended rows erased of their sealed refresh token. For a user or tenant it first locks that row: a
 * login that holds it FOR SHARE falls wholly before this (and is ended) or wholly after. Lock
 * order: tenants, users, sessions by id.
 */
export async function endSessions(
  tx: Tx,
  where: SessionSelector,
  reason: EndReason,
  { issuedBefore, why = AUDITED[reason] }: EndOptions = {},
): Promise<string[]> {
  if ('user' in where && !('session' in where))
    await tx.$queryRaw`SELECT 1 FROM users WHERE id = ${where.user}::uuid FOR NO KEY UPDATE`;
  if ('tenant' in where && !('session' in where) && !('user' in where)) {
    await tx.$queryRaw`SELECT 1 FROM tenants WHERE id = ${where.tenant}::uuid FOR NO KEY UPDATE`;
  }
  const before =
    issuedBefore === undefined
      ? Prisma.empty
      : Prisma.sql`AND created_at < ${issuedBefore.toISOString()}::timestamptz`;
  const by = currentRequest()?.actor?.userId ?? null;
  const rows = await tx.$queryRaw<EndedRow[]>`
    WITH doomed AS (
      SELECT id FROM sessions WHERE ended_at IS NULL AND ${condition(where)} ${before} ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE sessions s SET ended_at = clock_timestamp(), end_reason = ${reason}, refresh_sealed = NULL,
      end_detail = ${why}, ended_by = ${by}::uuid, end_receipt = ${receiptIdOf(tx)}::uuid
    FROM doomed d WHERE s.id = d.id AND s.ended_at IS NULL
    RETURNING s.id, s.tenant_id, s.user_id`;
  auditEnded(tx, rows, reason, why);
  return rows.map((row) => row.id);
}

/** Events for these ids; none for none. */
export function sessionsEnded(sessions: readonly string[], reason: EndReason): AuthorityEvent[] {
  const events: AuthorityEvent[] = [];
  for (let from = 0; from < sessions.length; from += EVENT_SESSIONS) {
    events.push({
      kind: 'session.ended',
      sessions: sessions.slice(from, from + EVENT_SESSIONS),
      reason,
    });
  }
  return events;
}

interface EndedRow {
  id: string;
  tenant_id: string;
  user_id: string;
}

function auditEnded(tx: Tx, rows: EndedRow[], code: EndReason, reason: AuditedReason): void {
  if (rows.length <= RECORD_SESSIONS) {
    for (const { id, tenant_id, user_id } of rows) {
      recordAudit(tx, {
        event: 'session_expired',
        tenant: tenant_id,
        user: user_id,
        session: id,
        detail: { reason, code },
      });
    }
    return;
  }
  const byTenant = new Map<string, string[]>();
  for (const { id, tenant_id } of rows) {
    const ids = byTenant.get(tenant_id);
    if (ids === undefined) byTenant.set(tenant_id, [id]);
    else ids.push(id);
  }
  for (const [tenant, ids] of byTenant) {
    for (let from = 0; from < ids.length; from += RECORD_SESSIONS) {
      const sessions = ids.slice(from, from + RECORD_SESSIONS).map(sessionHash);
      recordAudit(tx, {
        event: 'session_expired',
        tenant,
        session: null,
        detail: { reason, code, sessions },
      });
    }
  }
}

function condition(where: SessionSelector): Prisma.Sql {
  if ('everybody' in where) return Prisma.sql`true`;
  if ('sessions' in where) return Prisma.sql`id = ANY(${[...where.sessions]}::uuid[])`;
  const parts: Prisma.Sql[] = [];
  if ('session' in where) parts.push(Prisma.sql`id = ${where.session}::uuid`);
  if ('user' in where && where.user !== undefined)
    parts.push(Prisma.sql`user_id = ${where.user}::uuid`);
  if ('except' in where && where.except !== undefined)
    parts.push(Prisma.sql`id <> ${where.except}::uuid`);
  if (where.tenant !== undefined) parts.push(Prisma.sql`tenant_id = ${where.tenant}::uuid`);
  return Prisma.join(parts, ' AND ');
}
