/**
 * Access tokens: minting, and the one verifier that REST and WebSocket share. Verifying is
 * synchronous and asks no store: shape, signature, claims, then what this node knows of the
 * authority log. A token names its principal and says nothing of roles or rooms.
 */
import { verify as verifySignature } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { AuthorityState } from '../../authority/authority-state.js';
import { monotonicMs, wallMs, wallStrays } from '../../platform/clock.js';
import { Config } from '../../platform/config/config.js';
import { DomainError } from '../../platform/errors.js';
import type { AcceptedToken, Principal } from '../../sessions/principal.js';
import { SessionActivity } from '../../sessions/session-activity.js';
import { StandingSessions } from '../../sessions/standing-sessions.js';
import { PublicUrl } from './public-url.js';
import { LifetimeSequence } from './token-lifetimes.js';
import { SigningKeys, mayVerify } from '../keys/signing-keys.js';
import { generationOf, newTokenId } from './token-id.js';
import type { SigningAlgorithm } from '../keys/wrapped-key.js';
import { TOKEN_TYPE, readClaims, readTokenShape } from './token-shape.js';
import type { AccessClaims } from './token-shape.js';

/** Another node's clock may be ahead by this much; an expired token gets no leeway at all. */
const FUTURE_LEEWAY_MS = 5_000;

export interface MintedToken {
  token: string;
  issuedAtMs: number;
  expiresAtMs: number;
}

export interface MintOptions {
  /** Of the refresh token that goes out beside it. */
  generation: number;
  /** The token does not outlive its session. */
  sessionExpiresAtMs: number;
  /** Of the tenant; null: ACCESS_TTL_SECONDS. The shorter of the two counts. */
  ttlSeconds: number | null;
}

/** The ways in which a token is no good by itself, in the order in which they are found. */
const FAULTS = {
  shape: 'not the shape of our access tokens',
  unknown_key: 'unknown kid',
  algorithm: 'not the algorithm of its key',
  retired_key: 'the key was retired long ago',
  signature: 'signature',
  claims: 'claims',
  issuer: 'issuer or audience',
  future: 'issued in the future',
} as const;
export type TokenFault = keyof typeof FAULTS;

/** Null: it is good by itself, and was refused for its time, its session or its tenant. */
export const faultOf = ({ code, detail }: DomainError): TokenFault | null =>
  code === 'auth_invalid'
    ? ((Object.keys(FAULTS) as TokenFault[]).find((fault) => FAULTS[fault] === detail) ?? null)
    : null;

const UNKNOWN_KEY = Symbol('unknown key');

export interface TokenTimes {
  kid: string;
  jti: string;
  issuedAtMs: number;
  expiresAtMs: number;
}

interface JudgedToken extends TokenTimes {
  principal: Principal;
}

@Injectable()
export class AccessTokens {
  private readonly lives: LifetimeSequence;

  constructor(
    config: Config,
    private readonly jwt: JwtService,
    private readonly keys: SigningKeys,
    private readonly publicUrl: PublicUrl,
    private readonly state: AuthorityState,
    private readonly activity: SessionActivity,
    private readonly standing: StandingSessions,
  ) {
    this.lives = new LifetimeSequence(config.accessTtlSeconds);
  }

  mint(
    principal: Principal,
    { generation, sessionExpiresAtMs, ttlSeconds }: MintOptions,
  ): MintedToken {
    this.requireClock();
    const { kid, alg, privateKey } = this.keys.current();
    const iat = Math.floor(wallMs() / 1000);
    const exp = Math.min(
      iat + this.lives.next(ttlSeconds ?? Infinity),
      Math.floor(sessionExpiresAtMs / 1000),
    );
    if (exp <= iat) throw new DomainError('session_expired');
    const claims: AccessClaims = {
      iss: this.publicUrl.value,
      aud: this.publicUrl.value,
      sub: principal.userId,
      tid: principal.tenantId,
      sid: principal.sessionId,
      jti: newTokenId(generation),
      iat,
      exp,
    };
    const token = this.jwt.sign(claims, {
      privateKey,
      algorithm: alg,
      header: { alg, typ: TOKEN_TYPE, kid },
    });
    return { token, issuedAtMs: iat * 1000, expiresAtMs: exp * 1000 };
  }

  /** A token dated by a wrong clock would be refused everywhere else. */
  requireClock(): void {
    if (wallStrays()) throw clockInDoubt();
  }

  /**
   * Throws the code to answer with. A token whose key is unknown here is refused, and the keys are
   * read again meanwhile.
   */
  verify(token: string): AcceptedToken {
    const accepted = this.verifyShape(token);
    if (accepted !== UNKNOWN_KEY) return accepted;
    void this.keys.reload();
    throw invalid('unknown_key');
  }

  /** The same for callers that can wait for the keys to be read again. */
  async verifyWithKeyReload(token: string): Promise<AcceptedToken> {
    let accepted = this.verifyShape(token);
    if (accepted === UNKNOWN_KEY) {
      await this.keys.reload();
      accepted = this.verifyShape(token);
    }
    if (accepted === UNKNOWN_KEY) throw invalid('unknown_key');
    await this.standing.require(accepted.principal, accepted.issuedAtMs);
    return accepted;
  }

  /**
   * The refusal that `verifyWithKeyReload` would throw now, or null. Looking has no effect: the
   * session does not count as used.
   */
  async refusalOf(token: string): Promise<DomainError | null> {
    if (this.keys.find(readTokenShape(token)?.kid ?? '') === undefined) await this.keys.reload();
    return refusalIn(async () => {
      const judged = this.judge(token);
      if (judged === UNKNOWN_KEY) throw invalid('unknown_key');
      this.requireGood(judged.principal, judged);
      await this.standing.require(judged.principal, judged.issuedAtMs);
    });
  }

  /** The same for the token behind a ticket. */
  refusalBehindTicket(principal: Principal, token: TokenTimes): Promise<DomainError | null> {
    return refusalIn(async () => {
      this.requireGood(principal, token);
      await this.standing.require(principal, token.issuedAtMs);
    });
  }

  /** The token behind a ticket, verified as if it had come itself. */
  async judgeTicket(principal: Principal, token: TokenTimes): Promise<AcceptedToken> {
    const accepted = this.recheck(principal, token);
    await this.standing.require(principal, accepted.issuedAtMs);
    return accepted;
  }

  private recheck(principal: Principal, token: TokenTimes): AcceptedToken {
    const nowMs = this.requireGood(principal, token);
    this.activity.tokenAccepted(principal.sessionId, generationOf(token.jti));
    const { kid, jti, issuedAtMs, expiresAtMs } = token;
    return {
      principal,
      kid,
      jti,
      issuedAtMs,
      expiresAtMs,
      deadlineMs: monotonicMs() + (expiresAtMs - nowMs),
    };
  }

  /** Answers the moment at which it was good. */
  private requireGood(principal: Principal, token: TokenTimes): number {
    const nowMs = wallMs();
    if (token.expiresAtMs <= nowMs)
      throw untimely(new DomainError('token_expired', { who: principal }));
    const verdict = this.state.verdict({
      session: principal.sessionId,
      tenant: principal.tenantId,
      kid: token.kid,
    });
    if (verdict !== null) throw new DomainError(verdict, { who: principal });
    return nowMs;
  }

  private verifyShape(token: string): AcceptedToken | typeof UNKNOWN_KEY {
    const judged = this.judge(token);
    return judged === UNKNOWN_KEY ? judged : this.recheck(judged.principal, judged);
  }

  /** Everything but the times and the authority log. */
  private judge(token: string): JudgedToken | typeof UNKNOWN_KEY {
    const shape = readTokenShape(token);
    if (shape === null) throw invalid('shape');
    const key = this.keys.find(shape.kid);
    if (key === undefined) return UNKNOWN_KEY;
    if (shape.alg !== key.alg) throw invalid('algorithm');
    if (!mayVerify(key)) throw invalid('retired_key');
    if (!isSignedBy(key, token)) throw invalid('signature');
    const claims = readClaims(shape.claims);
    if (claims === null) throw invalid('claims');
    if (claims.iss !== this.publicUrl.value || claims.aud !== this.publicUrl.value)
      throw invalid('issuer');
    if (claims.iat * 1000 > wallMs() + FUTURE_LEEWAY_MS) throw untimely(invalid('future'));
    const principal = {
      userId: claims.sub,
      tenantId: claims.tid,
      sessionId: claims.sid,
      tokenEndsAtMs: claims.exp * 1000,
    };
    return {
      principal,
      kid: key.kid,
      jti: claims.jti,
      issuedAtMs: claims.iat * 1000,
      expiresAtMs: claims.exp * 1000,
    };
  }
}

/**
 * The bare signature check of node:crypto: what jsonwebtoken would add is judged above already, and
 * more strictly.
 */
export function isSignedBy(
  { alg, publicKey }: { alg: SigningAlgorithm; publicKey: KeyObject },
  token: string,
): boolean {
  const dot = token.lastIndexOf('.');
  const key = alg === 'ES256' ? { key: publicKey, dsaEncoding: 'ieee-p1363' as const } : publicKey;
  return verifySignature(
    'sha256',
    Buffer.from(token.slice(0, dot), 'latin1'),
    key,
    Buffer.from(token.slice(dot + 1), 'base64url'),
  );
}

const clockInDoubt = (): DomainError =>
  new DomainError('auth_unavailable', { detail: 'the clock of this node is in doubt' });
/**
 * A refusal by time alone is none while the time is in doubt: a person must not be told to sign in
 * again for that.
 */
const untimely = (refusal: DomainError): DomainError => (wallStrays() ? clockInDoubt() : refusal);
async function refusalIn(look: () => Promise<void>): Promise<DomainError | null> {
  try {
    await look();
    return null;
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
}

const invalid = (fault: TokenFault): DomainError =>
  new DomainError('auth_invalid', { detail: FAULTS[fault] });
