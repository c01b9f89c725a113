/**
 * The strict shape of an access token (RFC 9068), checked around the signature: jsonwebtoken alone
 * lets missing and mistyped claims, unknown `crit`, foreign `typ`, duplicate members and tokens of
 * a megabyte pass. Our own tokens are canonical - base64url without spare bits, JSON as
 * JSON.stringify writes it - so anything that is not is refused.
 */
import { isUtf8 } from 'node:buffer';
import { LIMITS } from '@wardroom/protocol/limits';
import { isId } from '../../platform/ids.js';
import { detached } from '../../platform/text.js';
import { SIGNING_ALGORITHMS } from '../keys/wrapped-key.js';
import type { SigningAlgorithm } from '../keys/wrapped-key.js';

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
/** Every token of a key has the same first part, word for word. */
const HEADERS_MAX = 64;
const headers = new Map<string, TokenHeader>();

interface TokenHeader {
  kid: string;
  alg: SigningAlgorithm;
}

/**
 * The kid, the algorithm and the unchecked claims of a token in our shape, or null. Nothing of it
 * may be believed before its signature.
 */
export function readTokenShape(
  token: string,
): { kid: string; alg: SigningAlgorithm; claims: Record<string, unknown> } | null {
  if (typeof token !== 'string' || token.length > LIMITS.tokenBytes || !COMPACT.test(token))
    return null;
  const [first, second, third] = token.split('.') as [string, string, string];
  const header = headers.get(first) ?? readHeader(first);
  if (header === null || !isCanonical(third)) return null;
  const claims = readObject(second);
  return claims === null ? null : { kid: header.kid, alg: header.alg, claims };
}

function readHeader(part: string): TokenHeader | null {
  const header = readObject(part);
  if (header === null || !hasExactly(header, HEADER)) return null;
  const { alg, typ, kid } = header;
  if (!isOurs(alg) || typ !== TOKEN_TYPE || typeof kid !== 'string' || !THUMBPRINT.test(kid))
    return null;
  if (headers.size >= HEADERS_MAX) headers.clear();
  headers.set(detached(part), { kid, alg });
  return { kid, alg };
}

/** Every claim present, well-typed and within its bounds; which moment it is, is not asked here. */
export function readClaims(claims: Record<string, unknown>): AccessClaims | null {
  if (!hasExactly(claims, CLAIMS)) return null;
  const { iss, aud, sub, tid, sid, jti, iat, exp } = claims;
  if (typeof iss !== 'string' || typeof aud !== 'string') return null;
  if (!isUuid(sub) || !isUuid(tid) || !isUuid(sid) || !isUuid(jti)) return null;
  if (!isSeconds(iat) || !isSeconds(exp)) return null;
  const life = exp - iat;
  return life >= 1 && life <= LONGEST_LIFE_SECONDS
    ? { iss, aud, sub, tid, sid, jti, iat, exp }
    : null;
}

/**
 * Parsed and written again it must be the same text: so no member occurs twice and no number hides
 * its value.
 */
function readObject(part: string): Record<string, unknown> | null {
  if (!isCanonical(part)) return null;
  const bytes = Buffer.from(part, 'base64url');
  if (!isUtf8(bytes)) return null;
  const text = bytes.toString();
  try {
    const value: unknown = JSON.parse(text);
    const plain = typeof value === 'object' && value !== null && !Array.isArray(value);
    return plain && JSON.stringify(value) === text ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/**
 * The last character of 2 or 3 stands for bits that no byte has room for: they are zero. Of the
 * alphabet is the text already.
 */
function isCanonical(part: string): boolean {
  const spare = part.length % 4;
  if (spare === 0) return true;
  return spare > 1 && (spare === 2 ? ENDS_OF_TWO : ENDS_OF_THREE).includes(part.at(-1)!);
}

const ENDS_OF_TWO = 'AQgw';
const ENDS_OF_THREE = 'AEIMQUYcgkosw048';

const hasExactly = (object: object, names: string[]): boolean =>
  Object.keys(object).length === names.length && names.every((name) => Object.hasOwn(object, name));
const isOurs = (alg: unknown): alg is SigningAlgorithm =>
  SIGNING_ALGORITHMS.some((ours) => ours === alg);
const isUuid = (value: unknown): value is string => typeof value === 'string' && isId(value);
const isSeconds = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) > 0 && (value as number) < 1e11;
