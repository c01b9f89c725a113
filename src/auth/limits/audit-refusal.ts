/**
 * The record of a refused credential: whose it was where its signature was ours, and the code it
 * was refused with.
 */
import type { ErrorCode } from '@wardroom/protocol/codes';
import type { AuditNote } from '../../audit/audit-events.js';
import type { AuditTrail } from '../../audit/audit-trail.js';
import { DomainError } from '../../platform/errors.js';

/** Nothing was presented; a loop has a record of its own (credential-loop-breaker.ts). */
const UNRECORDED: ReadonlySet<ErrorCode> = new Set(['auth_missing', 'auth_loop']);
const REFUSED: ReadonlySet<number> = new Set([401, 403]);
const SESSION_IS_OVER: ReadonlySet<ErrorCode> = new Set([
  'session_revoked',
  'session_expired',
  'token_reuse',
]);

/** Trouble of ours is no refusal. `place` says what the request context does not. */
export function auditRefusal(
  audit: AuditTrail,
  error: unknown,
  place: Partial<AuditNote> = {},
): void {
  if (!(error instanceof DomainError) || !REFUSED.has(error.status) || UNRECORDED.has(error.code))
    return;
  const { code, who } = error;
  audit.note({
    event: SESSION_IS_OVER.has(code) ? 'session_use_after_expire' : 'authn_token_fail',
    ...(who === undefined
      ? {}
      : { tenant: who.tenantId, actor: who.userId, user: who.userId, session: who.sessionId }),
    ...place,
    detail: { code, ...place.detail },
  });
}
