/**
 * Passport's way to our verifier. AccessTokens does the whole verification and its result stays
 * with the request; passport then gets the key it was verified with, so what Nest's users expect of
 * a passport-jwt strategy holds too. Passport keeps strategies per process: two applications in one
 * process (a test) would share the younger one's.
 */
import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-jwt';
import type { StrategyOptionsWithRequest } from 'passport-jwt';
import { DomainError } from '../../platform/errors.js';
import type { RecheckedRequest } from '../../platform/http/recheck.interceptor.js';
import type { AcceptedToken } from '../../sessions/principal.js';
import { AccessTokens } from '../tokens/access-token.js';
import { CredentialLoopBreaker } from '../limits/credential-loop-breaker.js';
import { bearerOf } from './bearer.js';
import { Cookies } from './cookies.js';
import { SigningKeys } from '../keys/signing-keys.js';
import { SIGNING_ALGORITHMS } from '../keys/wrapped-key.js';

export interface AuthenticatedRequest extends RecheckedRequest {
  acceptedToken?: AcceptedToken;
  /** How the credential came; a cookie needs a CSRF proof. */
  carrier?: 'header' | 'cookie';
}

@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') {
  constructor(
    accessTokens: AccessTokens,
    keys: SigningKeys,
    cookies: Cookies,
    loops: CredentialLoopBreaker,
  ) {
    const options: StrategyOptionsWithRequest = {
      passReqToCallback: true,
      algorithms: [...SIGNING_ALGORITHMS],
      jwtFromRequest: (request: AuthenticatedRequest) => readCredential(request, cookies),
      secretOrKeyProvider: (request: AuthenticatedRequest, token: string, done) => {
        loops
          .guardRequest(token, () => accessTokens.verifyWithKeyReload(token))
          .then(
            (accepted) => {
              request.acceptedToken = accepted;
              done(null, keys.find(accepted.kid)!.publicKey as never);
            },
            (error: unknown) => done(error),
          );
      },
    };
    super(options);
  }

  validate(request: AuthenticatedRequest): AcceptedToken {
    if (request.acceptedToken === undefined)
      throw new DomainError('auth_invalid', { detail: 'no accepted token' });
    return request.acceptedToken;
  }
}

/**
 * The header wins; who sends one is not asked for a CSRF proof, because no foreign page can send
 * it.
 */
function readCredential(request: AuthenticatedRequest, cookies: Cookies): string | null {
  const { authorization, cookie } = request.headers;
  if (authorization !== undefined) {
    request.carrier = 'header';
    return bearerOf(authorization);
  }
  request.carrier = 'cookie';
  return cookies.readAccess(cookie) ?? null;
}
