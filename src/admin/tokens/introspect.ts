/**
 * RFC 7662: is this token good now, and whose is it? For operators, and for admins about the tokens
 * of their tenant.
 */
import { Injectable } from '@nestjs/common';
import { ServiceKeys, isServiceKey } from '../../auth/service/service-keys.js';
import { AccessTokens } from '../../auth/tokens/access-token.js';
import type { Introspection } from '../../auth/oidc/oauth.schemas.js';
import { PublicUrl } from '../../auth/tokens/public-url.js';
import { isOurRefreshToken, parseRefreshToken, sameHash } from '../../auth/tokens/refresh-token.js';
import { AuthorityState } from '../../authority/authority-state.js';
import { Database } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import { seesAllTenants } from '../../policy/decide-admin.js';
import type { AcceptedToken, Principal } from '../../sessions/principal.js';
import { AdminAuthorization } from '../admin-authorization.js';

type Known = Omit<Introspection, 'active' | 'tid'> & { tid: string };

@Injectable()
export class Introspect {
  constructor(
    private readonly admin: AdminAuthorization,
    private readonly database: Database,
    private readonly authority: AuthorityState,
    private readonly accessTokens: AccessTokens,
    private readonly serviceKeys: ServiceKeys,
    private readonly publicUrl: PublicUrl,
  ) {}

  /** A caller learns nothing about a token of another tenant, not even that it is one. */
  async introspect(caller: Principal, token: string): Promise<Introspection> {
    const role = await this.admin.require(caller, 'introspect', { tenantId: caller.tenantId });
    const known = isServiceKey(token)
      ? await this.serviceKey(token)
      : ((await this.refreshToken(token)) ?? (await this.accessToken(token)));
    if (known === null || (!seesAllTenants(role) && known.tid !== caller.tenantId))
      return { active: false };
    return { active: true, ...known };
  }

  private async accessToken(text: string): Promise<Known | null> {
    const token = await unlessRefused(this.accessTokens.verifyWithKeyReload(text));
    return token === null ? null : { aud: this.publicUrl.value, ...this.bearer(token) };
  }

  private async serviceKey(text: string): Promise<Known | null> {
    const token = await unlessRefused(this.serviceKeys.accept(text));
    return token === null ? null : { ...this.bearer(token), scope: token.scopes!.join(' ') };
  }

  private bearer({ principal, jti, issuedAtMs, expiresAtMs }: AcceptedToken): Known {
    return {
      token_type: 'Bearer',
      iss: this.publicUrl.value,
      ...subjectOf(principal),
      jti,
      iat: Math.floor(issuedAtMs / 1000),
      exp: Math.floor(expiresAtMs / 1000),
    };
  }

  /**
   * Good is the present one, and the one before while its successor was not used: both still
   * refresh.
   */
  private async refreshToken(text: string): Promise<Known | null> {
    const token = parseRefreshToken(text);
    if (token === null || this.authority.hasEnded(token.session)) return null;
    const row = await this.database.prisma.session.findUnique({
      where: { id: token.session },
      include: { tenant: { select: { state: true } } },
    });
    if (row === null || !isOurRefreshToken(token, row.refreshFamily)) return null;
    const before = row.refreshPreviousHash;
    const refreshes =
      sameHash(row.refreshHash, token.hash) ||
      (before !== null && !row.refreshUsed && sameHash(before, token.hash));
    if (
      !refreshes ||
      row.endedAt !== null ||
      row.expiresAt.getTime() <= Date.now() ||
      row.tenant.state !== 'active'
    )
      return null;
    const principal = { userId: row.userId, tenantId: row.tenantId, sessionId: row.id };
    return {
      iss: this.publicUrl.value,
      ...subjectOf(principal),
      exp: Math.floor(row.expiresAt.getTime() / 1000),
    };
  }
}

async function unlessRefused<T>(accepted: Promise<T>): Promise<T | null> {
  try {
    return await accepted;
  } catch (error) {
    if (error instanceof DomainError && error.status === 401) return null;
    throw error;
  }
}

const subjectOf = ({ userId, tenantId, sessionId }: Principal) => ({
  sub: userId,
  tid: tenantId,
  sid: sessionId,
});
