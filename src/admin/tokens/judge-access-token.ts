/** An access token, or what looks like one, judged as the door judges it and without an effect. */
import { Injectable } from '@nestjs/common';
import type { ErrorCode } from '@wardroom/protocol/codes';
import { AccessTokens, faultOf } from '../../auth/tokens/access-token.js';
import { PublicUrl } from '../../auth/tokens/public-url.js';
import { TOKEN_TYPE, readClaims, readTokenShape } from '../../auth/tokens/token-shape.js';
import { SIGNING_ALGORITHMS } from '../../auth/keys/wrapped-key.js';
import type { DomainError } from '../../platform/errors.js';
import type { JudgedToken } from './judged-token.js';
import { readJwt } from './readable-jwt.js';
import type { ReadableJwt } from './readable-jwt.js';
import { TokenFactsReader } from './token-facts.js';
import type { TokenFacts } from './token-facts.js';
import { OF_CODE, OF_FAULT } from './token-verdicts.js';
import type { Verdict } from './token-verdicts.js';

/** Faults that are found after the signature was right. */
const SIGNED: ReadonlySet<string | null> = new Set([null, 'claims', 'issuer', 'future']);

@Injectable()
export class JudgeAccessToken {
  constructor(
    private readonly accessTokens: AccessTokens,
    private readonly publicUrl: PublicUrl,
    private readonly facts: TokenFactsReader,
  ) {}

  async judge(text: string): Promise<JudgedToken> {
    const readable = readJwt(text);
    if (readable === null) return MALFORMED;
    const refusal = await this.accessTokens.refusalOf(text);
    const shape = readTokenShape(text);
    const { header } = readable;
    if (shape === null)
      return {
        ...readable,
        kind: header['typ'] === TOKEN_TYPE ? 'access_token' : 'jwt',
        verdict: ofShape(readable),
        code: 'auth_invalid',
        verified: false,
        facts: null,
      };
    const verified = refusal === null || SIGNED.has(faultOf(refusal));
    const claims = readClaims(shape.claims);
    const facts = verified && claims !== null ? await this.facts.of(claims.sid) : null;
    const verdict = this.verdict(refusal, shape.claims);
    return {
      ...readable,
      kind: 'access_token',
      ...(verdict === 'accepted' ? ofSession(facts) : { verdict, code: refusal!.code }),
      verified,
      facts,
      kid: shape.kid,
      ...(claims === null ? {} : { issuedAtMs: claims.iat * 1000, expiresAtMs: claims.exp * 1000 }),
    };
  }

  private verdict(refusal: DomainError | null, claims: Record<string, unknown>): Verdict {
    if (refusal === null) return 'accepted';
    const fault = faultOf(refusal);
    if (fault === null) return OF_CODE[refusal.code] ?? 'malformed';
    if (fault === 'issuer')
      return claims['iss'] === this.publicUrl.value ? 'wrong_audience' : 'wrong_issuer';
    return fault === 'shape' ? 'malformed' : OF_FAULT[fault];
  }
}

export const MALFORMED: JudgedToken = {
  kind: 'unknown',
  verdict: 'malformed',
  code: 'auth_invalid',
  verified: false,
  facts: null,
};

function ofShape({ header }: ReadableJwt): Verdict {
  if (header['typ'] !== TOKEN_TYPE) return 'wrong_kind';
  return SIGNING_ALGORITHMS.some((ours) => ours === header['alg'])
    ? 'malformed'
    : 'wrong_algorithm';
}

/** This node accepts it; Postgres may know an end that comes here with the next lease round. */
export function ofSession(facts: TokenFacts | null): { verdict: Verdict; code: ErrorCode | null } {
  if (facts === null) return { verdict: 'session_unknown', code: 'session_revoked' };
  const { endReason } = facts.session;
  if (endReason === null) return { verdict: 'accepted', code: null };
  return { verdict: OF_CODE[endReason] ?? 'session_ended', code: endReason as ErrorCode };
}
