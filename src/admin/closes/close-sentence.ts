/** One sentence that says to a person why a connection closed. */
import type { EndReason } from '../../authority/events.js';
import { CLOSE_CODES } from '@wardroom/protocol/codes';
import type { CloseCode } from '@wardroom/protocol/codes';
import type { AuditedReason } from '../../sessions/end-sessions.js';

export interface CloseFacts {
  readonly side: 'server' | 'client' | 'transport';
  readonly code: string;
  /** Why the session ended, if it did. */
  readonly reason: string | null;
  /** An operator, an admin or the user; null: nobody known. */
  readonly endedBy: 'self' | 'another' | null;
}

const BY_TRANSPORT: Readonly<Record<string, string>> = {
  reset: 'The network ended it: the TCP connection broke, or was closed without a close frame.',
  timeout: 'The network ended it: the peer could not be reached any more.',
  half_open: 'The client fell silent: it answered no ping, so the server cut the connection.',
};

const BY_STATUS: Readonly<Record<string, string>> = {
  1000: 'the client was done',
  1001: 'the page was left, or the client went away',
  1005: 'it gave no status',
};

/** By the reason in the audit record of the session's end, or the code that it ended with. */
export const BY_REASON: Readonly<Record<AuditedReason | EndReason, string>> = {
  logout: 'somebody signed out of its session',
  revoked: 'its session was revoked',
  quota: 'its session made room for a newer one of the user',
  password_change: 'the password was changed',
  password_reset: 'the password was set anew by a link',
  guests_disallowed: 'the tenant takes no guests any more',
  taken_over: 'the account was taken over by the owner of its address',
  timeout: 'its session reached its end',
  session_revoked: 'its session was ended',
  session_expired: 'its session reached its end',
  token_reuse: 'a refresh token of its session was used twice',
  user_suspended: 'the user was suspended',
  tenant_disabled: 'the tenant was disabled',
};

/** These closes mean that the session ended. */
const OF_SESSION: ReadonlySet<string> = new Set<EndReason>([
  'session_revoked',
  'session_expired',
  'token_reuse',
  'user_suspended',
  'tenant_disabled',
]);

const BY_CODE: Readonly<Partial<Record<CloseCode, string>>> = {
  token_expired: 'its access token expired and no newer one came within the grace',
  token_revoked: 'the signing key of its access token was withdrawn',
  auth_timeout: 'no credential came in time',
  auth_missing: 'the first frame was no credential',
  auth_invalid: 'its credential was refused',
  slow_consumer: 'it did not read fast enough, and too much waited for it',
  rate_limited: 'it sent too many frames',
  policy_violation: 'it sent too many invalid frames',
  auth_unavailable: 'the node could not prove its authority',
  restarting: 'the node was stopped in order',
  draining: 'an operator closed it, and the client may come back',
  forbidden: 'an operator closed it for good',
  overloaded: 'the node had no room for it',
  internal: 'something failed in the node; its log has the error',
};

export function closeSentence({ side, code, reason, endedBy }: CloseFacts): string {
  if (side === 'transport') return BY_TRANSPORT[code] ?? 'The network ended it.';
  if (side === 'client')
    return `The client closed it with status ${code}${code in BY_STATUS ? `: ${BY_STATUS[code]!}` : ''}.`;
  const ofSession = OF_SESSION.has(code);
  const why = ofSession
    ? BY_REASON[(reason ?? code) as EndReason]
    : (BY_CODE[code as CloseCode] ?? plain(code as CloseCode));
  const by = ofSession && endedBy !== null ? BY_WHOM[endedBy] : '';
  return `The server closed it with \`${code}\`: ${why}${by}.`;
}

const BY_WHOM = { self: ', by the user', another: ', by somebody else (`ended_by`)' } as const;

/** The message of the code, as the middle of a sentence. */
function plain(code: CloseCode): string {
  const { message } = CLOSE_CODES[code];
  return `${message.charAt(0).toLowerCase()}${message.slice(1, -1)}`;
}
