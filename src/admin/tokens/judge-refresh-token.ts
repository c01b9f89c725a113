/**
 * A refresh token, judged as refresh-session.ts judges it. Nothing is rotated, and nothing ends.
 */
import { Injectable } from '@nestjs/common';
import type { ErrorCode } from '@wardroom/protocol/codes';
import { isOurRefreshToken, parseRefreshToken, sameHash } from '../../auth/tokens/refresh-token.js';
import type { RefreshToken } from '../../auth/tokens/refresh-token.js';
import { AuthorityState } from '../../authority/authority-state.js';
import { wallMs } from '../../platform/clock.js';
import { Config } from '../../platform/config/config.js';
import { flushIntervalMs } from '../../sessions/idle.js';
import { SessionActivity } from '../../sessions/session-activity.js';
import { MALFORMED } from './judge-access-token.js';
import type { JudgedToken } from './judged-token.js';
import { TokenFactsReader, idleEndsAt } from './token-facts.js';
import type { TokenFacts } from './token-facts.js';
import type { TokenInspection } from './token-inspection.schema.js';
import { OF_CODE } from './token-verdicts.js';
import type { Verdict } from './token-verdicts.js';

type Refusal = [verdict: Verdict, code: ErrorCode];

@Injectable()
export class JudgeRefreshToken {
  constructor(
    private readonly config: Config,
    private readonly authority: AuthorityState,
    private readonly activity: SessionActivity,
    private readonly facts: TokenFactsReader,
  ) {}

  async judge(text: string): Promise<JudgedToken> {
    const token = parseRefreshToken(text);
    if (token === null) return { ...MALFORMED, kind: 'refresh_token' };
    const facts = await this.facts.of(token.session);
    const kind = 'refresh_token';
    const unverified = { kind, code: 'auth_invalid', verified: false, facts: null } as const;
    if (facts === null) return { ...unverified, verdict: 'session_unknown' };
    if (!isOurRefreshToken(token, facts.session.refreshFamily))
      return { ...unverified, verdict: 'bad_signature' };
    const place = placeOf(token, facts);
    const refusal = (await this.refusalOf(facts)) ?? this.refusalAt(place, facts);
    return {
      kind,
      verdict: refusal?.[0] ?? 'accepted',
      code: refusal?.[1] ?? null,
      verified: true,
      facts,
      expiresAtMs: facts.session.expiresAt.getTime(),
      refresh: {
        generation: token.generation,
        current_generation: facts.session.refreshGeneration,
        place,
      },
    };
  }

  /** For everything but its place in the family, in the order of a refresh. */
  private async refusalOf({ session, tenant, user }: TokenFacts): Promise<Refusal | null> {
    const ended = (session.endReason as ErrorCode | null) ?? this.authority.endOf(session.id);
    if (ended !== null) return [OF_CODE[ended] ?? 'session_ended', ended];
    if (tenant.state !== 'active') return ['tenant_disabled', 'tenant_disabled'];
    if (session.guest && !tenant.allowGuests) return ['guests_disallowed', 'session_revoked'];
    if (!session.guest && user?.state !== 'active') return ['user_suspended', 'user_suspended'];
    if (session.expiresAt.getTime() <= wallMs()) return ['session_expired', 'session_expired'];
    const idle = idleEndsAt(session);
    if (idle === null || idle.getTime() + flushIntervalMs(this.config) > wallMs()) return null;
    const used = (await this.activity.liveMarks([session.id])).has(session.id);
    return used ? null : ['idle', 'session_expired'];
  }

  private refusalAt(
    place: NonNullable<TokenInspection['refresh']>['place'],
    { session }: TokenFacts,
  ): Refusal | null {
    if (place === 'current') return null;
    const overlapMs = this.config.refreshOverlapSeconds * 1000;
    const within = session.refreshRotatedAt.getTime() > wallMs() - overlapMs;
    const answers = place === 'previous' && (!session.refreshUsed || within);
    return answers && session.refreshSealed !== null ? null : ['token_reuse', 'token_reuse'];
  }
}

function placeOf(
  token: RefreshToken,
  { session }: TokenFacts,
): NonNullable<TokenInspection['refresh']>['place'] {
  if (sameHash(session.refreshHash, token.hash)) return 'current';
  const previous = session.refreshPreviousHash;
  return previous !== null && sameHash(previous, token.hash) ? 'previous' : 'older';
}
