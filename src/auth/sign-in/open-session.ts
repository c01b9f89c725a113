/**
 * The common end of login, registration and guest entry: a session row, its first refresh token, an
 * access token.
 */
import { Injectable } from '@nestjs/common';
import { recordAudit } from '../../audit/record-audit.js';
import { AuthorityLog } from '../../authority/authority-log.js';
import type { Tx } from '../../platform/stores/database.js';
import { newId } from '../../platform/ids.js';
import type { Principal } from '../../sessions/principal.js';
import { SessionActivity } from '../../sessions/session-activity.js';
import { sessionsEnded } from '../../sessions/end-sessions.js';
import { Sessions } from '../../sessions/sessions.js';
import type { Authenticated } from '../../sessions/sessions.js';
import { AccessTokens } from '../tokens/access-token.js';
import type { IssuedTokens } from '../tokens/issued-tokens.js';
import { mintRefreshToken, newRefreshFamily } from '../tokens/refresh-token.js';
import type { SignInMethod } from '../limits/sign-in-subject.js';

export interface OpenedSession {
  principal: Principal;
  refreshToken: string;
  sessionExpiresAtMs: number;
  /** Access token life of the tenant, or null. */
  accessTtlSeconds: number | null;
  /** Sessions that made room for it. */
  ended: string[];
}

export interface SignInRequest {
  tenantId: string;
  userId: string;
  /** Null: a guest. */
  passwordVersion: number | null;
  device: string | undefined;
  transport: 'body' | 'cookie';
  method: SignInMethod;
  authenticatedAt: Authenticated;
}

@Injectable()
export class OpenSession {
  constructor(
    private readonly log: AuthorityLog,
    private readonly sessions: Sessions,
    private readonly activity: SessionActivity,
    private readonly accessTokens: AccessTokens,
  ) {}

  /**
   * The transaction of a login: what it ends goes through the authority log, so that its sockets
   * close.
   */
  async commit(tenant: string, work: (tx: Tx) => Promise<OpenedSession>): Promise<OpenedSession> {
    const { result } = await this.log.commit(async (tx) => {
      const opened = await work(tx);
      return { result: opened, events: sessionsEnded(opened.ended, 'session_revoked'), tenant };
    });
    return result;
  }

  /** Inside that transaction. */
  async open(tx: Tx, who: SignInRequest): Promise<OpenedSession> {
    this.accessTokens.requireClock();
    const principal = { tenantId: who.tenantId, userId: who.userId, sessionId: newId() };
    const refreshFamily = newRefreshFamily();
    const refresh = mintRefreshToken(refreshFamily, principal.sessionId, 1);
    const { expiresAtMs, accessTtlSeconds, ended } = await this.sessions.open(tx, {
      principal,
      passwordVersion: who.passwordVersion,
      device: who.device ?? null,
      transport: who.transport,
      authenticatedAt: who.authenticatedAt,
      refreshFamily,
      refreshHash: refresh.hash,
    });
    const { tenantId: tenant, userId: user, sessionId: session } = principal;
    recordAudit(tx, {
      event: 'authn_login_success',
      tenant,
      actor: user,
      user,
      session,
      detail: { method: who.method },
    });
    recordAudit(tx, {
      event: 'session_created',
      tenant,
      actor: user,
      user,
      session,
      detail: { transport: who.transport, guest: who.passwordVersion === null },
    });
    return {
      principal,
      refreshToken: refresh.text,
      sessionExpiresAtMs: expiresAtMs,
      accessTtlSeconds,
      ended,
    };
  }

  /** After its commit: nobody holds a token of a session that does not exist. */
  issue({
    principal,
    refreshToken,
    sessionExpiresAtMs,
    accessTtlSeconds,
  }: OpenedSession): IssuedTokens {
    this.activity.touch(principal.sessionId);
    const access = this.accessTokens.mint(principal, {
      generation: 1,
      sessionExpiresAtMs,
      ttlSeconds: accessTtlSeconds,
    });
    return { principal, refreshToken, sessionExpiresAtMs, access };
  }
}
