/**
 * Why would this token be refused now? Of every kind of token, and of any text. Looking changes
 * nothing: a ticket is not spent, a refresh token not rotated, and no session counts as used. The
 * look is recorded in the audit; the token is written nowhere.
 */
import { Injectable } from '@nestjs/common';
import { ERROR_CODES } from '@wardroom/protocol/codes';
import { AuditTrail } from '../../audit/audit-trail.js';
import { keyState } from '../../auth/keys/signing-keys.js';
import { Tickets } from '../../auth/tokens/tickets.js';
import { rfc3339, wallMs } from '../../platform/clock.js';
import { Database } from '../../platform/stores/database.js';
import type { Principal } from '../../sessions/principal.js';
import { AdminAuthorization } from '../admin-authorization.js';
import { JudgeAccessToken, MALFORMED, ofSession } from './judge-access-token.js';
import { isServiceKey } from '../../auth/service/service-keys.js';
import { JudgeServiceKey } from './judge-service-key.js';
import { JudgeRefreshToken } from './judge-refresh-token.js';
import type { JudgedToken } from './judged-token.js';
import { TokenFactsReader, reasonOf, viewOfFacts } from './token-facts.js';
import type { TokenInspection } from './token-inspection.schema.js';
import { OF_CODE, sentenceOf } from './token-verdicts.js';

@Injectable()
export class InspectToken {
  constructor(
    private readonly admin: AdminAuthorization,
    private readonly audit: AuditTrail,
    private readonly database: Database,
    private readonly accessTokens: JudgeAccessToken,
    private readonly refreshTokens: JudgeRefreshToken,
    private readonly serviceKeys: JudgeServiceKey,
    private readonly tickets: Tickets,
    private readonly facts: TokenFactsReader,
  ) {}

  async inspect(principal: Principal, given: string): Promise<TokenInspection> {
    await this.admin.require(principal, 'inspect_token', { tenantId: null });
    const text = given.trim();
    const judged = await this.judge(text);
    const { kind, verdict, facts } = judged;
    this.audit.note({
      event: 'data_read',
      tenant: facts?.tenant.id ?? null,
      user: facts?.session.userId ?? null,
      detail: { what: 'token', id: facts?.session.userId ?? null, kind, verdict },
    });
    return this.answer(judged);
  }

  private judge(text: string): Promise<JudgedToken> {
    if (text.startsWith('wr_rt_')) return this.refreshTokens.judge(text);
    if (text.startsWith('wr_tk_')) return this.ticket(text);
    if (isServiceKey(text)) return this.serviceKeys.judge(text);
    return this.accessTokens.judge(text);
  }

  private async ticket(text: string): Promise<JudgedToken> {
    const seen = await this.tickets.look(text);
    if (seen.state === 'malformed') return { ...MALFORMED, kind: 'ticket' };
    if (seen.state !== 'known') {
      const verdict = seen.state === 'spent' ? 'spent' : 'ticket_unknown';
      return { ...MALFORMED, kind: 'ticket', verdict };
    }
    const { principal, token, origin, refusal, untilMs } = seen;
    const facts = await this.facts.of(principal.sessionId);
    return {
      kind: 'ticket',
      ...(refusal === null
        ? ofSession(facts)
        : { verdict: OF_CODE[refusal.code] ?? 'malformed', code: refusal.code }),
      verified: true,
      facts,
      kid: token.kid,
      issuedAtMs: token.issuedAtMs,
      expiresAtMs: Math.min(untilMs, token.expiresAtMs),
      ticket: { origin },
    };
  }

  private async answer(judged: JudgedToken): Promise<TokenInspection> {
    const { kind, verdict, code, verified, facts, header, claims, kid } = judged;
    const { issuedAtMs, expiresAtMs, refresh = null, ticket = null } = judged;
    const nowMs = Math.floor(wallMs());
    const session = facts?.session;
    return {
      kind,
      verdict,
      sentence: sentenceOf(verdict, {
        reason: session === undefined ? null : reasonOf(session),
        endedAt: session?.endedAt ?? null,
      }),
      code,
      action: code === null ? null : ERROR_CODES[code].action,
      verified,
      server_time: timeOf(nowMs)!,
      header: header ?? null,
      claims: claims ?? null,
      issued_at: timeOf(issuedAtMs),
      expires_at: timeOf(expiresAtMs),
      expires_in_ms: expiresAtMs === undefined ? null : Math.floor(expiresAtMs - nowMs),
      key: kid === undefined ? null : { kid, state: await this.stateOfKey(kid) },
      ...viewOfFacts(facts),
      refresh,
      ticket,
    };
  }

  private async stateOfKey(kid: string): Promise<string> {
    const row = await this.database.prisma.signingKey.findUnique({ where: { kid } });
    return row === null ? 'unknown' : keyState(row);
  }
}

const timeOf = (ms: number | undefined): string | null =>
  ms === undefined ? null : rfc3339(new Date(ms));
