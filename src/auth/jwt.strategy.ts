/**
 * Passport's way to our verifier: a passport-jwt strategy whose verification is that of AccessTokens, once, the same as on a
 * WebSocket. jsonwebtoken, which passport-jwt would ask, lets pass what must not (token-shape.ts) and would check the
 * signature a second time. Passport keeps strategies per process: two applications in one process (a test) would share the
 * younger one's.
 */
import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { Request } from 'express';
import { Strategy } from 'passport-jwt';
import { DomainError } from '../platform/errors.js';
import type { AcceptedToken } from '../sessions/principal.js';
import { AccessTokens } from './access-token.js';
import { AuthLoops } from './auth-loops.js';
import { Cookies } from './cookies.js';

export interface AuthenticatedRequest extends Request {
  acceptedToken?: AcceptedToken;
  /** How the credential came; a cookie needs a CSRF proof. */
  carrier?: 'header' | 'cookie';
}

const BEARER = /^Bearer +(\S+) *$/i;

@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') {
  constructor(
    private readonly accessTokens: AccessTokens,
    private readonly cookies: Cookies,
    private readonly loops: AuthLoops,
  ) {
    super({ passReqToCallback: true, jwtFromRequest: () => null, secretOrKeyProvider: (_request, _token, done) => done(new DomainError('internal')) });
  }

  /** Called by passport for each request, on an object of its own that tells the outcome. */
  override authenticate(request: AuthenticatedRequest): void {
    const token = readCredential(request, this.cookies);
    if (token === null) return this.error(new DomainError('auth_missing'));
    this.loops
      .guardRequest(token, () => this.accessTokens.verifyWithKeyReload(token))
      .then(
        (accepted) => this.success((request.acceptedToken = accepted)),
        (refused: Error) => this.error(refused),
      );
  }

  /** What Nest wants of every strategy; `authenticate` has said it already. */
  validate(request: AuthenticatedRequest): AcceptedToken | undefined {
    return request.acceptedToken;
  }
}

/** The header wins; who sends one is not asked for a CSRF proof, because no foreign page can send it. */
function readCredential(request: AuthenticatedRequest, cookies: Cookies): string | null {
  const { authorization, cookie } = request.headers;
  if (authorization !== undefined) {
    request.carrier = 'header';
    // Something else than a bearer token is a credential too, only not a valid one.
    return BEARER.exec(authorization)?.[1] ?? authorization;
  }
  request.carrier = 'cookie';
  return cookies.readAccess(cookie) ?? null;
}
