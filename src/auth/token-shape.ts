/**
 * The strict shape of an access token (RFC 9068), checked around the signature: jsonwebtoken alone lets missing and
 * mistyped claims, unknown `crit`, foreign `typ`, duplicate members and tokens of a megabyte pass. Our own tokens are
 * canonical - base64url without spare bits, JSON as JSON.stringify writes it - so anything that is not is refused.
 */
import { LIMITS } from '../protocol/limits.js';
import { isId } from '../platform/ids.js';
import { SIGNING_ALGORITHMS } from './wrapped-key.js';
import type { SigningAlgorithm } from './wrapped-key.js';

export const TOKEN_TYPE = 'at+jwt';
export const LONGEST_LIFE_SECONDS = 900;

export interface AccessClaims {
  iss: string;
  aud: string;
  sub: string;
  tid: string;
  sid: string;
  jti: string;
  iat: number;
  exp: number;
}

const CLAIMS = ['aud', 'exp', 'iat', 'iss', 'jti', 'sid', 'sub', 'tid'];
const HEADER = ['alg', 'kid', 'typ'];
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The kid, the algorithm and the unchecked claims of a token in our shape, or null. Nothing of it may be believed before its signature. */
export function readTokenShape(token: string): { kid: string; alg: SigningAlgorithm; claims: Record<string, unknown> } | null {
  if (typeof token !== 'string' || token.length > LIMITS.tokenBytes || !COMPACT.test(token)) return null;
  const [first, second, third] = token.split('.') as [string, string, string];
  const header = readObject(first);
  if (header === null || !hasExactly(header, HEADER)) return null;
  const { alg, typ, kid } = header;
  if (!isOurs(alg) || typ !== TOKEN_TYPE || typeof kid !== 'string' || !THUMBPRINT.test(kid)) return null;
  const claims = readObject(second);
  return claims === null || decode(third) === null ? null : { kid, alg, claims };
}

/** Every claim present, well-typed and within its bounds; which moment it is, is not asked here. */
export function readClaims(claims: Record<string, unknown>): AccessClaims | null {
  if (!hasExactly(claims, CLAIMS)) return null;
  const { iss, aud, sub, tid, sid, jti, iat, exp } = claims;
  if (typeof iss !== 'string' || typeof aud !== 'string') return null;
  if (!isUuid(sub) || !isUuid(tid) || !isUuid(sid) || !isUuid(jti)) return null;
  if (!isSeconds(iat) || !isSeconds(exp)) return null;
  const life = exp - iat;
  return life >= 1 && life <= LONGEST_LIFE_SECONDS ? { iss, aud, sub, tid, sid, jti, iat, exp } : null;
}

/** Parsed and written again it must be the same text: so no member occurs twice and no number hides its value. */
function readObject(part: string): Record<string, unknown> | null {
  const bytes = decode(part);
  if (bytes === null) return null;
  try {
    const text = utf8.decode(bytes);
    const value: unknown = JSON.parse(text);
    const plain = typeof value === 'object' && value !== null && !Array.isArray(value);
    return plain && JSON.stringify(value) === text ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function decode(part: string): Buffer | null {
  const bytes = Buffer.from(part, 'base64url');
  return bytes.toString('base64url') === part ? bytes : null;
}

const hasExactly = (object: object, names: string[]): boolean => Object.keys(object).sort().join() === names.join();
const isOurs = (alg: unknown): alg is SigningAlgorithm => SIGNING_ALGORITHMS.some((ours) => ours === alg);
const isUuid = (value: unknown): value is string => typeof value === 'string' && isId(value);
const isSeconds = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0 && (value as number) < 1e11;
