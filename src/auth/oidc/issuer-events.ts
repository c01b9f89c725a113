/**
 * Ends sessions on word of external issuers: OpenID back-channel logout, and `session-revoked` of
 * CAEP. Both end every session of the linked users through the authority log, so sockets close,
 * too. A token acts once (its `jti` is remembered in Redis), and only on sessions that began before
 * it: a repetition while Redis is away does no new harm.
 */
import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import type { JWTPayload } from 'jose';
import * as z from 'zod';
import { recordAudit } from '../../audit/record-audit.js';
import { AuthorityLog } from '../../authority/authority-log.js';
import type { PendingReceipt } from '../../authority/authority-log.js';
import { Database } from '../../platform/stores/database.js';
import { emailSchema } from '../../platform/email.js';
import type { UserLink } from '../../platform/generated/client.js';
import type { Issuer } from '../../platform/config/issuers-file.js';
import { Metrics } from '../../platform/metrics.js';
import { RedisMessages } from '../../platform/stores/redis/redis-messages.js';
import { RedisNames } from '../../platform/stores/redis/redis-names.js';
import { RedisConnections } from '../../platform/stores/redis/redis.js';
import { endSessions, sessionsEnded } from '../../sessions/end-sessions.js';
import { Issuers, isSubject } from './issuers.js';
import type { VerifiedToken } from './issuers.js';
import { TokenRefused } from './oauth-errors.js';

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const REVOKED_EVENT = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';
/** A logout token is sent at once. A security event may be sent again for days. */
const LOGOUT_OLDEST = '10m';
const REMEMBER_SECONDS = 86_400;
const SEEN = 'seen';
const SEEN_BYTES_MAX = 256;
/** Sessions that began this long after the event, by two clocks, are not meant. */
const CLOCKS_MS = 60_000;

type Doomed = Pick<UserLink, 'issuer' | 'subject' | 'tenantId' | 'userId'>;

/** RFC 9493; the complex form of SSF names a user and perhaps more. */
const subjectSchema = z.union([
  z.looseObject({ format: z.literal('iss_sub'), iss: z.string(), sub: z.string() }),
  z.looseObject({ format: z.literal('email'), email: emailSchema }),
]);
const revokedSchema = z.looseObject({ subject: z.unknown() });

@Injectable()
export class IssuerEvents {
  constructor(
    private readonly issuers: Issuers,
    private readonly database: Database,
    private readonly redis: RedisConnections,
    private readonly names: RedisNames,
    private readonly messages: RedisMessages,
    private readonly log: AuthorityLog,
    private readonly metrics: Metrics,
  ) {}

  /** OpenID Connect Back-Channel Logout 1.0, section 2.6. Answers what a receipt may wait for. */
  async logout(token: string): Promise<PendingReceipt[]> {
    const rules = {
      types: [undefined, 'jwt', 'logout+jwt'],
      requiredClaims: ['iat', 'jti', 'events'],
      maxTokenAge: LOGOUT_OLDEST,
    };
    const verified = await this.issuers.verify(token, isAudience, rules);
    const { claims } = verified;
    if (typeof eventsOf(claims)[LOGOUT_EVENT] !== 'object')
      throw new TokenRefused('invalid_request', 'Not a logout token.');
    if (claims['nonce'] !== undefined)
      throw new TokenRefused('invalid_request', 'A logout token has no nonce.');
    const { sub } = claims;
    if (!isSubject(sub))
      throw new TokenRefused(
        'invalid_request',
        'sub is required: sessions of the issuer are not kept apart here.',
      );
    if (await this.wasSeen(verified))
      throw new TokenRefused('invalid_request', 'This token was used before.');
    return this.end(
      verified,
      await this.linksOf({ issuer: claims.iss, subject: sub }),
      'back-channel logout',
    );
  }

  /** RFC 8935, CAEP 1.0. An event we do not know, or know already, is accepted without effect. */
  async receive(token: string): Promise<PendingReceipt[]> {
    const verified = await this.issuers.verify(token, isAudience, {
      types: ['secevent+jwt'],
      requiredClaims: ['iat', 'jti', 'events'],
    });
    const { claims } = verified;
    const event = eventsOf(claims)[REVOKED_EVENT];
    if (event === undefined || (await this.wasSeen(verified))) return [];
    return this.end(verified, await this.linksOf(whereOf(claims, event)), 'session-revoked');
  }

  private linksOf(
    where: { issuer: string; subject: string } | { issuer: string; user: { email: string } },
  ): Promise<Doomed[]> {
    return this.database.prisma.userLink.findMany({ where, orderBy: { tenantId: 'asc' } });
  }

  private async end(
    verified: VerifiedToken,
    links: Doomed[],
    by: string,
  ): Promise<PendingReceipt[]> {
    const pending: PendingReceipt[] = [];
    for (const link of links) {
      const committed = await this.endOne(link, verified.claims.iat * 1000, by);
      if (committed !== null) pending.push(committed);
    }
    // Only now: what failed before this is tried again by the issuer and must not look like a
    // repetition.
    const hash = hashOf(verified);
    await this.redis.attempt('remember jti', (redis) =>
      redis.set(
        this.names.logoutToken(hash),
        this.messages.write('logout_token', hash, SEEN),
        'EX',
        REMEMBER_SECONDS,
      ),
    );
    return pending;
  }

  private async endOne(
    { issuer, subject, tenantId: tenant, userId: user }: Doomed,
    atMs: number,
    by: string,
  ): Promise<PendingReceipt | null> {
    const { result, pending } = await this.log.commit(async (tx) => {
      await tx.$executeRaw`
        UPDATE user_links SET logged_out_at = greatest(logged_out_at, ${new Date(atMs).toISOString()}::timestamptz)
        WHERE issuer = ${issuer} AND subject = ${subject} AND tenant_id = ${tenant}::uuid`;
      const ids = await endSessions(tx, { user, tenant }, 'session_revoked', {
        issuedBefore: new Date(atMs + CLOCKS_MS),
      });
      recordAudit(tx, {
        event: 'authn_token_revoked',
        tenant,
        user,
        session: null,
        detail: { target: 'user', by, issuer, sessions: ids.length },
      });
      return { result: ids.length, events: sessionsEnded(ids, 'session_revoked'), tenant };
    });
    this.metrics.sessionsEnded.inc({ reason: 'session_revoked' }, result);
    return pending;
  }

  private async wasSeen(verified: VerifiedToken): Promise<boolean> {
    const hash = hashOf(verified);
    const box = await this.redis.attempt('seen jti', (redis) =>
      redis.getrangeBuffer(this.names.logoutToken(hash), 0, SEEN_BYTES_MAX),
    );
    // Sealed: a forged one would let a logout of the issuer pass without effect.
    return (
      box !== undefined &&
      box.length > 0 &&
      this.messages.read('logout_token', hash, box, (value) =>
        value === SEEN ? SEEN : undefined,
      ) !== null
    );
  }
}

const isAudience = ({ audience }: Issuer, { aud }: JWTPayload): boolean =>
  [aud].flat().some((one) => one !== undefined && audience.includes(one));

const hashOf = ({ claims }: VerifiedToken): string =>
  createHash('sha256').update(`${claims.iss}\n${claims.jti}`).digest('hex');

function eventsOf({ events }: JWTPayload): Record<string, unknown> {
  if (typeof events !== 'object' || events === null)
    throw new TokenRefused('invalid_request', 'events is not an object.');
  return { ...events };
}

/**
 * The subject stands in `sub_id` (CAEP 1.0) or in the event (its drafts); an issuer speaks for its
 * own subjects only.
 */
function whereOf(
  claims: VerifiedToken['claims'],
  event: unknown,
): { issuer: string; subject: string } | { issuer: string; user: { email: string } } {
  const said = claims['sub_id'] ?? revokedSchema.safeParse(event).data?.subject;
  const subject = subjectSchema.safeParse(
    (said as { user?: unknown } | null | undefined)?.user ?? said,
  );
  if (!subject.success)
    throw new TokenRefused('invalid_request', 'The subject has to be named by iss_sub or email.');
  const { iss: issuer } = claims;
  if (subject.data.format === 'email')
    return { issuer, user: { email: subject.data.email as string } };
  if (subject.data.iss !== issuer)
    throw new TokenRefused('invalid_request', 'The subject is of another issuer.');
  return { issuer, subject: subject.data.sub as string };
}
