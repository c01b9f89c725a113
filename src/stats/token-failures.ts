/** Codes that refuse a token, a ticket or a refresh token which was presented. */
import type { CloseCode, ErrorCode } from '@wardroom/protocol/codes';

export const TOKEN_FAILURES = {
  invalid: ['auth_invalid', 'auth_loop', 'token_reuse', 'identity_mismatch'],
  expired: ['token_expired', 'session_expired'],
  ended: ['session_revoked', 'token_revoked', 'user_suspended', 'tenant_disabled'],
} as const satisfies Record<string, readonly (ErrorCode | CloseCode)[]>;

const ALL: ReadonlySet<string> = new Set(Object.values(TOKEN_FAILURES).flat());

export const isTokenFailure = (code: string): boolean => ALL.has(code);
