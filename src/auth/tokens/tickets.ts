/**
 * Tickets: a single-use stand-in for an access token, for clients that can only put something into
 * a URL. Kept in Redis under a hash, sealed, for at most 30 s, bound to its session and to the
 * Origin that asked for it. That it is used once is decided in Postgres: what Redis holds can be
 * written into it once more.
 */
import { Injectable } from '@nestjs/common';
import { createHash, randomBytes } from 'node:crypto';
import * as z from 'zod';
import { AuditTrail } from '../../audit/audit-trail.js';
import { wallMs } from '../../platform/clock.js';
import { Database } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import { RedisMessages } from '../../platform/stores/redis/redis-messages.js';
import { RedisNames } from '../../platform/stores/redis/redis-names.js';
import { kindOf } from '../../platform/stores/redis/redis-trouble.js';
import { RedisConnections } from '../../platform/stores/redis/redis.js';
import type { AcceptedToken, Principal } from '../../sessions/principal.js';
import { lockCaller } from '../../sessions/lock-caller.js';
import { AccessTokens } from './access-token.js';
import type { TokenTimes } from './access-token.js';
import type { Ticket } from './tokens.schemas.js';
import { SpentTickets } from './spent-tickets.js';

const PREFIX = 'wr_tk_';
const TEXT = /^wr_tk_[A-Za-z0-9_-]{43}$/;
const LIFE_SECONDS = 30;
/**
 * Redis ends it on time; a copy that is written back ends by the clock of the node that reads it.
 */
const CLOCKS_MS = 10_000;
const STORED_BYTES_MAX = 4_096;

const storedTicket = z.object({
  session: z.uuid(),
  user: z.uuid(),
  tenant: z.uuid(),
  kid: z.string(),
  jti: z.uuid(),
  iat: z.int(),
  exp: z.int(),
  origin: z.string().nullable(),
  /** Of the ticket, by the wall clock in ms. */
  until: z.int(),
});

/** `refusal`: of the token behind it, or null. */
export type SeenTicket =
  | { readonly state: 'malformed' | 'unknown' | 'spent' | 'late' }
  | {
      readonly state: 'known';
      readonly principal: Principal;
      readonly token: TokenTimes;
      readonly origin: string | null;
      readonly untilMs: number;
      readonly refusal: DomainError | null;
    };

@Injectable()
export class Tickets {
  constructor(
    private readonly redis: RedisConnections,
    private readonly names: RedisNames,
    private readonly messages: RedisMessages,
    private readonly database: Database,
    private readonly spent: SpentTickets,
    private readonly accessTokens: AccessTokens,
    private readonly audit: AuditTrail,
  ) {}

  /** `origin` is the header of this request, undefined when there is none. */
  async issue(token: AcceptedToken, origin: string | undefined): Promise<Ticket> {
    await this.database.transaction((tx) => lockCaller(tx, token.principal));
    const seconds = Math.min(LIFE_SECONDS, Math.floor((token.expiresAtMs - wallMs()) / 1000));
    if (seconds < 1) throw new DomainError('token_expired');
    const ticket = PREFIX + randomBytes(32).toString('base64url');
    const stored: StoredTicket = {
      session: token.principal.sessionId,
      user: token.principal.userId,
      tenant: token.principal.tenantId,
      kid: token.kid,
      jti: token.jti,
      iat: token.issuedAtMs,
      exp: token.expiresAtMs,
      origin: origin ?? null,
      until: Math.floor(wallMs()) + seconds * 1000,
    };
    const hash = hashOf(ticket);
    const kept = await this.redis.attempt('issue ticket', (redis) =>
      redis.set(
        this.names.ticket(hash),
        this.messages.write('ticket', hash, stored),
        'EX',
        seconds,
      ),
    );
    if (kept === undefined) throw new DomainError('unavailable', { detail: 'tickets need Redis' });
    this.audit.note({
      event: 'authn_token_created',
      user: token.principal.userId,
      detail: { kind: 'ticket' },
    });
    return { ticket, expires_in: seconds };
  }

  /**
   * Spends the ticket, whatever the answer. `origin` is that of the request or connection that
   * presents it.
   */
  async redeem(ticket: string, origin: string | undefined): Promise<AcceptedToken> {
    if (!TEXT.test(ticket))
      throw new DomainError('auth_invalid', { detail: 'not the shape of a ticket' });
    const hash = hashOf(ticket);
    const stored = await this.take(hash);
    if (stored === null || wallMs() > stored.until + CLOCKS_MS || !(await this.spent.spend(hash)))
      throw new DomainError('auth_invalid', { detail: 'unknown, spent or late ticket' });
    if (stored.origin !== (origin ?? null))
      throw new DomainError('auth_invalid', { detail: 'ticket of another Origin' });
    const { principal, token } = behind(stored);
    return this.accessTokens.judgeTicket(principal, token);
  }

  /** The ticket as it would be redeemed, without spending it. Throws when a store cannot say. */
  async look(ticket: string): Promise<SeenTicket> {
    if (!TEXT.test(ticket)) return { state: 'malformed' };
    const hash = hashOf(ticket);
    const key = this.names.ticket(hash);
    const box = await this.redis.attempt('look at ticket', (redis) =>
      redis.getrangeBuffer(key, 0, STORED_BYTES_MAX).catch((error: Error) => {
        if (kindOf(error) === 'WRONGTYPE') return Buffer.alloc(0);
        throw error;
      }),
    );
    if (box === undefined) throw new DomainError('unavailable', { detail: 'tickets need Redis' });
    if (await this.spent.isSpent(hash)) return { state: 'spent' };
    const stored = this.open(hash, box);
    if (stored === null) return { state: 'unknown' };
    if (wallMs() > stored.until + CLOCKS_MS) return { state: 'late' };
    const { principal, token } = behind(stored);
    const refusal = await this.accessTokens.refusalBehindTicket(principal, token);
    return {
      state: 'known',
      principal,
      token,
      origin: stored.origin,
      untilMs: stored.until,
      refusal,
    };
  }

  /** Not GETDEL: what stands there may be of any size, or no text at all. */
  private async take(hash: string): Promise<StoredTicket | null> {
    const key = this.names.ticket(hash);
    const answers = await this.redis.attempt('redeem ticket', (redis) =>
      redis.pipeline().getrangeBuffer(key, 0, STORED_BYTES_MAX).del(key).exec(),
    );
    const [error, box] = answers?.[0] ?? [new Error('no answer')];
    if (error !== null) {
      if (kindOf(error) === 'WRONGTYPE') return null;
      throw new DomainError('unavailable', { detail: 'tickets need Redis', cause: error });
    }
    return box instanceof Buffer ? this.open(hash, box) : null;
  }

  private open(hash: string, box: Buffer): StoredTicket | null {
    if (box.length === 0) return null;
    return (
      this.messages.read('ticket', hash, box, (value) => storedTicket.safeParse(value).data)
        ?.value ?? null
    );
  }
}

/** The token that it stands for. */
const behind = (stored: StoredTicket): { principal: Principal; token: TokenTimes } => ({
  principal: {
    userId: stored.user,
    tenantId: stored.tenant,
    sessionId: stored.session,
    tokenEndsAtMs: stored.exp,
  },
  token: { kid: stored.kid, jti: stored.jti, issuedAtMs: stored.iat, expiresAtMs: stored.exp },
});

type StoredTicket = z.infer<typeof storedTicket>;
const hashOf = (ticket: string): string => createHash('sha256').update(ticket).digest('hex');
