/**
 * RFC 7009: whoever holds a token may end the session it belongs to. Holding it is the proof, so
 * nothing else is asked, and what is no living token of ours is answered like one that was: there
 * is nothing to revoke.
 */
import { Injectable } from '@nestjs/common';
import { recordAudit } from '../../audit/record-audit.js';
import { AuthorityLog } from '../../authority/authority-log.js';
import type { PendingReceipt } from '../../authority/authority-log.js';
import { Database } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import { Metrics } from '../../platform/metrics.js';
import { endSessions, sessionsEnded } from '../../sessions/end-sessions.js';
import type { Principal } from '../../sessions/principal.js';
import { AccessTokens } from '../tokens/access-token.js';
import { isOurRefreshToken, parseRefreshToken } from '../tokens/refresh-token.js';

@Injectable()
export class RevokeToken {
  constructor(
    private readonly database: Database,
    private readonly log: AuthorityLog,
    private readonly accessTokens: AccessTokens,
    private readonly metrics: Metrics,
  ) {}

  /** Null: it meant no living session. */
  async revoke(token: string): Promise<PendingReceipt | null> {
    const owner = (await this.ofRefreshToken(token)) ?? (await this.ofAccessToken(token));
    if (owner === null) return null;
    const { sessionId: session, userId: user, tenantId: tenant } = owner;
    const { result, pending } = await this.log.commit(async (tx) => {
      const ids = await endSessions(tx, { session, user, tenant }, 'session_revoked', {
        why: 'logout',
      });
      if (ids.length > 0)
        recordAudit(tx, {
          event: 'authn_token_revoked',
          tenant,
          actor: user,
          user,
          session,
          detail: { target: 'session', by: 'holder' },
        });
      return { result: ids.length, events: sessionsEnded(ids, 'session_revoked'), tenant };
    });
    this.metrics.sessionsEnded.inc({ reason: 'session_revoked' }, result);
    return pending;
  }

  /**
   * Any we minted for it, also one that was rotated since: its holder could end the session by
   * refreshing, too.
   */
  private async ofRefreshToken(text: string): Promise<Principal | null> {
    const token = parseRefreshToken(text);
    if (token === null) return null;
    const select = { tenantId: true, userId: true, refreshFamily: true } as const;
    const row = await this.database.prisma.session.findUnique({
      where: { id: token.session },
      select,
    });
    if (row === null || !isOurRefreshToken(token, row.refreshFamily)) return null;
    return { tenantId: row.tenantId, userId: row.userId, sessionId: token.session };
  }

  private async ofAccessToken(text: string): Promise<Principal | null> {
    try {
      return (await this.accessTokens.verifyWithKeyReload(text)).principal;
    } catch (error) {
      if (error instanceof DomainError && error.status === 401) return null;
      throw error;
    }
  }
}
