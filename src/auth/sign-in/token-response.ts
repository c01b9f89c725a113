/** How tokens go out: in the body, or in cookies and not in the body. */
import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { wallMs } from '../../platform/clock.js';
import type { Tokens } from '../tokens/tokens.schemas.js';
import { Cookies } from '../guard/cookies.js';
import type { IssuedTokens } from '../tokens/issued-tokens.js';
import { refreshWindow } from '../tokens/token-lifetimes.js';

@Injectable()
export class TokenResponse {
  constructor(private readonly cookies: Cookies) {}

  send(response: Response, issued: IssuedTokens, transport: 'body' | 'cookie'): Tokens {
    const { token, issuedAtMs, expiresAtMs } = issued.access;
    const now = wallMs();
    const common = {
      token_type: 'Bearer' as const,
      expires_in: Math.max(0, Math.floor((expiresAtMs - now) / 1000)),
      session_id: issued.principal.sessionId,
      refresh_after_ms: refreshWindow(issuedAtMs, expiresAtMs, now).refresh_after_ms,
    };
    if (transport === 'body')
      return { access_token: token, refresh_token: issued.refreshToken, ...common };
    this.cookies.set(response, issued);
    return common;
  }
}
