/**
 * Tickets: a single-use stand-in for an access token, for clients that can only put something into a URL. Kept in Redis as
 * a hash, for at most 30 s, bound to its session and to the Origin that asked for it; taken by GETDEL, so only once.
 */
import { Injectable } from '@nestjs/common';
import { createHash, randomBytes } from 'node:crypto';
import * as z from 'zod';
import { AuditTrail } from '../audit/audit-trail.js';
import { wallMs } from '../platform/clock.js';
import { Database } from '../platform/database.js';
import { DomainError } from '../platform/errors.js';
import { RedisConnections } from '../platform/redis.js';
import type { AcceptedToken } from '../sessions/principal.js';
import { requireCaller } from '../sessions/require-caller.js';
import { AccessTokens } from './access-token.js';
import type { Ticket } from './auth.schemas.js';

const PREFIX = 'wr_tk_';
const TEXT = /^wr_tk_[A-Za-z0-9_-]{43}$/;
const LIFE_SECONDS = 30;

const storedTicket = z.strictObject({
  session: z.uuid(),
  user: z.uuid(),
  tenant: z.uuid(),
  kid: z.string(),
  jti: z.uuid(),
  iat: z.int(),
  exp: z.int(),
  origin: z.string().nullable(),
});

@Injectable()
export class Tickets {
  constructor(
    private readonly redis: RedisConnections,
    private readonly database: Database,
    private readonly accessTokens: AccessTokens,
    private readonly audit: AuditTrail,
  ) {}

  /** `origin` is the header of this request, undefined when there is none. */
  async issue(token: AcceptedToken, origin: string | undefined): Promise<Ticket> {
    await this.database.transaction((tx) => requireCaller(tx, token.principal));
    const seconds = Math.min(LIFE_SECONDS, Math.floor((token.expiresAtMs - wallMs()) / 1000));
    if (seconds < 1) throw new DomainError('token_expired');
    const ticket = PREFIX + randomBytes(32).toString('base64url');
    const stored: z.infer<typeof storedTicket> = {
      session: token.principal.sessionId,
      user: token.principal.userId,
      tenant: token.principal.tenantId,
      kid: token.kid,
      jti: token.jti,
      iat: token.issuedAtMs,
      exp: token.expiresAtMs,
      origin: origin ?? null,
    };
    const kept = await this.redis.attempt('issue ticket', (redis) => redis.set(keyOf(ticket), JSON.stringify(stored), 'EX', seconds));
    if (kept === undefined) throw new DomainError('unavailable', { detail: 'tickets need Redis' });
    this.audit.note({ event: 'authn_token_created', user: token.principal.userId, detail: { kind: 'ticket' } });
    return { ticket, expires_in: seconds };
  }

  /** Spends the ticket, whatever the answer. `origin` is that of the request or connection that presents it. */
  async redeem(ticket: string, origin: string | undefined): Promise<AcceptedToken> {
    if (!TEXT.test(ticket)) throw new DomainError('auth_invalid', { detail: 'not the shape of a ticket' });
    const text = await this.redis.attempt('redeem ticket', (redis) => redis.getdel(keyOf(ticket)));
    if (text === undefined) throw new DomainError('unavailable', { detail: 'tickets need Redis' });
    if (text === null) throw new DomainError('auth_invalid', { detail: 'unknown, spent or late ticket' });
    const stored = storedTicket.parse(JSON.parse(text));
    if (stored.origin !== (origin ?? null)) throw new DomainError('auth_invalid', { detail: 'ticket of another Origin' });
    const principal = { userId: stored.user, tenantId: stored.tenant, sessionId: stored.session, tokenEndsAtMs: stored.exp };
    return this.accessTokens.judgeAgain(principal, { kid: stored.kid, jti: stored.jti, issuedAtMs: stored.iat, expiresAtMs: stored.exp });
  }
}

const keyOf = (ticket: string): string => `wardroom:ticket:{${createHash('sha256').update(ticket).digest('hex')}}`;
