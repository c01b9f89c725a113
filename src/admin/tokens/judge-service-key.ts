/** The key of a service account, judged as a call with it would be. */
import { Injectable } from '@nestjs/common';
import { ServiceKeys, isShapeOfKey } from '../../auth/service/service-keys.js';
import { DomainError } from '../../platform/errors.js';
import { MALFORMED, ofSession } from './judge-access-token.js';
import type { JudgedToken } from './judged-token.js';
import { TokenFactsReader } from './token-facts.js';
import { OF_CODE } from './token-verdicts.js';

@Injectable()
export class JudgeServiceKey {
  constructor(
    private readonly keys: ServiceKeys,
    private readonly facts: TokenFactsReader,
  ) {}

  async judge(text: string): Promise<JudgedToken> {
    const kind = 'service_key';
    if (!isShapeOfKey(text)) return { ...MALFORMED, kind };
    try {
      const { principal, issuedAtMs, expiresAtMs } = await this.keys.accept(text);
      const facts = await this.facts.of(principal.sessionId);
      return { kind, ...ofSession(facts), verified: true, facts, issuedAtMs, expiresAtMs };
    } catch (error) {
      if (!(error instanceof DomainError) || error.status !== 401) throw error;
      const { code, who } = error;
      if (who === undefined) return { ...MALFORMED, kind, verdict: 'service_key_unknown' };
      const facts = await this.facts.of(who.sessionId);
      const expiresAtMs = facts?.session.expiresAt.getTime();
      const verdict = OF_CODE[code] ?? 'session_ended';
      return {
        ...{ kind, verdict, code, verified: true, facts },
        ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
      };
    }
  }
}
