/** Access tokens for the WebSockets of a backend: of the key's session, and ended with it. */
import { Injectable } from '@nestjs/common';
import { wallMs } from '../../platform/clock.js';
import { Database } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import type { AcceptedToken } from '../../sessions/principal.js';
import { lockCaller } from '../../sessions/lock-caller.js';
import { AccessTokens } from '../tokens/access-token.js';
import type { MintedToken } from '../tokens/access-token.js';
import { SERVICE_GENERATION, isOfService } from '../tokens/token-id.js';
import type { ServiceToken } from './service.schemas.js';

@Injectable()
export class ServiceTokens {
  constructor(
    private readonly database: Database,
    private readonly accessTokens: AccessTokens,
  ) {}

  async issue(key: AcceptedToken): Promise<ServiceToken> {
    const { token, expiresAtMs } = await this.mint(key);
    const seconds = Math.max(0, Math.floor((expiresAtMs - wallMs()) / 1000));
    return { access_token: token, token_type: 'Bearer', expires_in: seconds };
  }

  /** A credential that lives as long as an access token, whatever the key does. */
  async shortened(token: AcceptedToken): Promise<AcceptedToken> {
    if (!isOfService(token.jti)) return token;
    return this.accessTokens.verify((await this.mint(token)).token);
  }

  private async mint(key: AcceptedToken): Promise<MintedToken> {
    if (!isOfService(key.jti))
      throw new DomainError('scope_required', { detail: 'for keys of service accounts' });
    const { principal, expiresAtMs } = key;
    const ttlSeconds = await this.database.transaction(async (tx) => {
      await lockCaller(tx, principal);
      const tenant = await tx.tenant.findUnique({ where: { id: principal.tenantId } });
      return tenant?.accessTtlSeconds ?? null;
    });
    return this.accessTokens.mint(principal, {
      generation: SERVICE_GENERATION,
      sessionExpiresAtMs: expiresAtMs,
      ttlSeconds,
    });
  }
}
