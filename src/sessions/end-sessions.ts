/**
 * Ending sessions: the primitive below every revocation. It runs inside the transaction of an `AuthorityLog.commit`; the
 * caller logs `sessionsEnded(...)` of the ids it gets. Cut-offs compare `sessions.created_at`, never the `iat` of a token.
 */
import type { AuthorityEvent, EndReason } from '../authority/events.js';
import type { Tx } from '../platform/database.js';
import { Prisma } from '../platform/generated/client.js';

/** `tenant` beside a session or user narrows: what another tenant owns is not found. */
export type SessionSelector =
  | { session: string; user?: string | undefined; tenant?: string | undefined }
  | { user: string; except?: string | undefined; tenant?: string | undefined }
  | { tenant: string }
  | { sessions: readonly string[] };

/** Ids in one event; larger endings are several events of one transaction. */
const EVENT_SESSIONS = 5_000;

/**
 * Ends what is alive and was created before `issuedBefore` (absent: everything); answers the ids, ended rows erased of
 * their sealed refresh token. For a user or tenant it first locks that row: a login that holds it FOR SHARE falls wholly
 * before this (and is ended) or wholly after. Lock order: tenants, users, sessions by id.
 */
export async function endSessions(tx: Tx, where: SessionSelector, reason: EndReason, issuedBefore?: Date): Promise<string[]> {
  if ('user' in where && !('session' in where)) await tx.$queryRaw`SELECT 1 FROM users WHERE id = ${where.user}::uuid FOR NO KEY UPDATE`;
  if ('tenant' in where && !('session' in where) && !('user' in where)) {
    await tx.$queryRaw`SELECT 1 FROM tenants WHERE id = ${where.tenant}::uuid FOR NO KEY UPDATE`;
  }
  const before = issuedBefore === undefined ? Prisma.empty : Prisma.sql`AND created_at < ${issuedBefore.toISOString()}::timestamptz`;
  const rows = await tx.$queryRaw<{ id: string }[]>`
    WITH doomed AS (
      SELECT id FROM sessions WHERE ended_at IS NULL AND ${condition(where)} ${before} ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE sessions s SET ended_at = clock_timestamp(), end_reason = ${reason}, refresh_sealed = NULL
    FROM doomed d WHERE s.id = d.id AND s.ended_at IS NULL
    RETURNING s.id`;
  return rows.map((row) => row.id);
}

/** Events for these ids; none for none. */
export function sessionsEnded(sessions: readonly string[], reason: EndReason): AuthorityEvent[] {
  const events: AuthorityEvent[] = [];
  for (let from = 0; from < sessions.length; from += EVENT_SESSIONS) {
    events.push({ kind: 'session.ended', sessions: sessions.slice(from, from + EVENT_SESSIONS), reason });
  }
  return events;
}

function condition(where: SessionSelector): Prisma.Sql {
  if ('sessions' in where) return Prisma.sql`id = ANY(${[...where.sessions]}::uuid[])`;
  const parts: Prisma.Sql[] = [];
  if ('session' in where) parts.push(Prisma.sql`id = ${where.session}::uuid`);
  if ('user' in where && where.user !== undefined) parts.push(Prisma.sql`user_id = ${where.user}::uuid`);
  if ('except' in where && where.except !== undefined) parts.push(Prisma.sql`id <> ${where.except}::uuid`);
  if (where.tenant !== undefined) parts.push(Prisma.sql`tenant_id = ${where.tenant}::uuid`);
  return Prisma.join(parts, ' AND ');
}
