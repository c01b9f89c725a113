/**
 * Sign in with the ID token of an external issuer (ISSUERS_FILE): it is verified, and exchanged for
 * a session and tokens of ours.
 */
import { Injectable } from '@nestjs/common';
import { AuthorityLog } from '../../authority/authority-log.js';
import type { Committed } from '../../authority/authority-log.js';
import { Receipts } from '../../authority/receipts.js';
import { Database, sqlState } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import type { Tenant } from '../../platform/generated/client.js';
import { Metrics } from '../../platform/metrics.js';
import { isSystemTenant } from '../../platform/stores/system-tenant.js';
import type { ExchangeBody } from './oauth.schemas.js';
import { sessionsEnded } from '../../sessions/end-sessions.js';
import { findTenant } from '../../platform/stores/find-tenant.js';
import type { Identification } from './issuer-client.js';
import { Issuers, isMeantForUs, namesUsersOf } from './issuers.js';
import type { VerifiedToken } from './issuers.js';
import { linkedUser } from './linked-user.js';
import { LoginLimits } from '../limits/login-limits.js';
import { TokenRefused } from './oauth-errors.js';
import { OpenSession } from '../sign-in/open-session.js';
import type { OpenedSession } from '../sign-in/open-session.js';
import type { IssuedTokens } from '../tokens/issued-tokens.js';
import type { SignInSubject } from '../limits/sign-in-subject.js';

/**
 * When the person proved themselves to the issuer, which may be long before the token. Not said:
 * not known, and then the session has no proof.
 */
const authTimeOf = ({ auth_time: at }: VerifiedToken['claims']): Date | null =>
  typeof at === 'number' && Number.isInteger(at) && at > 0 && at <= SECONDS_MAX
    ? new Date(at * 1000)
    : null;
/** The year 9999. */
const SECONDS_MAX = 253_402_300_799;

/** How somebody comes in, without the proof. */
type Entry = Omit<ExchangeBody, 'id_token'>;

/** For any `exp`. */
const OLDEST = '24h';

/** Failures are counted for all entries of a tenant by an issuer together. */
export const exchangeSubject = (tenant: string): string => `exchange\n${tenant}`;

@Injectable()
export class Exchange {
  constructor(
    private readonly database: Database,
    private readonly issuers: Issuers,
    private readonly limits: LoginLimits,
    private readonly openSession: OpenSession,
    private readonly log: AuthorityLog,
    private readonly receipts: Receipts,
    private readonly metrics: Metrics,
  ) {}

  exchange(body: ExchangeBody, ip: string, asked: SignInSubject): Promise<IssuedTokens> {
    return this.enter(body, () => Promise.resolve({ idToken: body.id_token }), ip, asked);
  }

  /** `identify` gets the ID token, once the address has tries left. */
  async enter(
    body: Entry,
    identify: (tenant: Tenant) => Promise<Identification>,
    ip: string,
    asked: SignInSubject,
  ): Promise<IssuedTokens> {
    const tenant = await findTenant(this.database, body.tenant);
    asked.tenant = tenant?.id ?? null;
    const who = exchangeSubject(tenant?.id ?? body.tenant);
    await this.limits.requireRoom(who, ip);
    try {
      if (tenant === null) throw new DomainError('auth_invalid', { detail: 'no such tenant' });
      const { idToken, profile } = await identify(tenant);
      const verified = await this.verify(idToken, tenant);
      const token = { ...verified, claims: { ...profile, ...verified.claims } };
      // Else `operator` would have two ways in, and one of them the issuer's.
      if (isSystemTenant(tenant))
        throw new DomainError('not_found', { detail: 'operators are not linked' });
      await this.limits.countLogin(`${who}\n${token.entry.issuer}\n${String(token.claims.sub)}`);
      const { result, pending } = await this.open(body, tenant.id, token);
      // The former holder of the account is out before its owner is in.
      await this.receipts.waitForReceipt(pending);
      this.metrics.sessionsEnded.inc({ reason: 'session_revoked' }, pending?.sessions ?? 0);
      return this.openSession.issue(result);
    } catch (error) {
      if (error instanceof DomainError && error.code === 'auth_invalid')
        await this.limits.countFailure(who, ip);
      throw error;
    }
  }

  /**
   * An ID token and nothing else: a logout token or security event of the same issuer has `events`.
   */
  private async verify(idToken: string, tenant: Tenant): Promise<VerifiedToken> {
    try {
      const rules = {
        types: [undefined, 'jwt'],
        requiredClaims: ['sub', 'exp', 'iat'],
        maxTokenAge: OLDEST,
      };
      const verified = await this.issuers.verify(
        idToken,
        (entry) => namesUsersOf(entry, tenant),
        rules,
      );
      if (!isMeantForUs(verified.entry, verified.claims) || verified.claims['events'] !== undefined)
        throw new DomainError('auth_invalid', { detail: 'azp or events' });
      return verified;
    } catch (error) {
      if (error instanceof TokenRefused)
        throw new DomainError('auth_invalid', { detail: error.detail ?? error.description });
      throw error;
    }
  }

  /** Of two first logins at once one makes the link, and the other is done again and finds it. */
  private async open(
    body: Entry,
    tenantId: string,
    token: VerifiedToken,
  ): Promise<Committed<OpenedSession>> {
    try {
      return await this.openOnce(body, tenantId, token);
    } catch (error) {
      if (sqlState(error) !== '23505') throw error;
      return this.openOnce(body, tenantId, token);
    }
  }

  /** A suspended user, or a disabled tenant, is refused there like at every login. */
  private openOnce(
    { device, transport }: Entry,
    tenantId: string,
    token: VerifiedToken,
  ): Promise<Committed<OpenedSession>> {
    return this.log.commit(async (tx) => {
      await tx.$queryRaw`SELECT 1 FROM tenants WHERE id = ${tenantId}::uuid FOR SHARE`;
      const { user, ended } = await linkedUser(tx, tenantId, token);
      const who = {
        method: 'exchange',
        authenticatedAt: authTimeOf(token.claims),
        tenantId,
        userId: user.id,
        passwordVersion: user.passwordVersion,
        device,
        transport,
      } as const;
      const opened = await this.openSession.open(tx, who);
      return {
        result: opened,
        events: [...ended, ...sessionsEnded(opened.ended, 'session_revoked')],
        tenant: tenantId,
      };
    });
  }
}
