/** Every verdict about a token, with the sentence that says it to a person. */
import { BY_REASON } from '../closes/close-sentence.js';
import type { TokenFault } from '../../auth/tokens/access-token.js';

export const VERDICTS = {
  accepted: 'It is accepted.',
  malformed: 'It has not the shape of any token of this server.',
  wrong_kind: 'It is a JWT, but no access token of this server (`typ` is not `at+jwt`).',
  wrong_algorithm: 'Its header names an algorithm that is not the one of its key.',
  unknown_key: 'No signing key of this server has its `kid`.',
  key_retired: 'Its signing key was retired longer ago than any token lives.',
  key_withdrawn: 'Its signing key was withdrawn.',
  bad_signature: 'Its signature is wrong: it was changed, or made with another key.',
  bad_claims: 'It is signed by this server, but its claims are not complete and well-typed.',
  wrong_issuer: 'Its issuer (`iss`) is not this server.',
  wrong_audience: 'Its audience (`aud`) is not this server.',
  not_yet_valid: 'It was issued in the future (`iat`), by the clock of this node.',
  expired: 'Its time is over (`exp`).',
  clock_in_doubt: 'This node does not trust its own clock now, and refuses nobody by time.',
  session_unknown: 'There is no session that it belongs to.',
  session_ended: 'Its session has ended.',
  session_expired: 'Its session reached its absolute end.',
  idle: 'Its session was without activity for too long.',
  user_suspended: 'Its user is suspended.',
  tenant_disabled: 'Its tenant is disabled.',
  guests_disallowed: 'Its tenant takes no guests any more.',
  token_reuse:
    'It was used up: a later one of its session was used. Presenting it ends the session.',
  service_key_unknown: 'No service account has this key.',
  spent: 'The ticket was presented before; it opens nothing a second time.',
  ticket_unknown: 'No such ticket is known: it is older than 30 s, or was never given.',
} as const;
export type Verdict = keyof typeof VERDICTS;

/** `issuer` is told apart by its claims, `shape` by what can be read of it. */
export const OF_FAULT: Readonly<Record<Exclude<TokenFault, 'shape' | 'issuer'>, Verdict>> = {
  unknown_key: 'unknown_key',
  algorithm: 'wrong_algorithm',
  retired_key: 'key_retired',
  signature: 'bad_signature',
  claims: 'bad_claims',
  future: 'not_yet_valid',
};

/** By the code that the door answers with. */
export const OF_CODE: Readonly<Record<string, Verdict>> = {
  token_expired: 'expired',
  token_revoked: 'key_withdrawn',
  session_revoked: 'session_ended',
  session_expired: 'session_expired',
  token_reuse: 'session_ended',
  user_suspended: 'user_suspended',
  tenant_disabled: 'tenant_disabled',
  auth_unavailable: 'clock_in_doubt',
};

/** The end of a session in words, where the verdict is about its session. */
export function sentenceOf(
  verdict: Verdict,
  { reason, endedAt }: { reason: string | null; endedAt: Date | null },
): string {
  const sentence = VERDICTS[verdict];
  if (endedAt === null || verdict === 'accepted') return sentence;
  const why = reason === null ? '' : `: ${BY_REASON[reason as keyof typeof BY_REASON] ?? reason}`;
  const end = `Its session ended at ${endedAt.toISOString()}${why}.`;
  return verdict === 'session_ended' ? end : `${sentence} ${end}`;
}
