/**
 * The cookie transport: `wr_at` (access), `wr_rt` (refresh, only sent to /v1/auth) and the readable `wr_csrf`. All
 * SameSite=Strict. Over https the first two carry the prefixes `__Host-` and `__Secure-` and all are Secure; over plain
 * http, on a developer's machine, neither would be accepted by a browser.
 */
import { Injectable } from '@nestjs/common';
import type { CookieOptions, Response } from 'express';
import { wallMs } from '../platform/clock.js';
import { readCookie } from './cookie-header.js';
import { Csrf } from './csrf.js';
import type { IssuedTokens } from './open-session.js';
import { PublicUrl } from './public-url.js';

const REFRESH_PATH = '/v1/auth';

@Injectable()
export class Cookies {
  constructor(
    private readonly publicUrl: PublicUrl,
    private readonly csrf: Csrf,
  ) {}

  get accessName(): string {
    return this.publicUrl.https ? '__Host-wr_at' : 'wr_at';
  }

  get refreshName(): string {
    return this.publicUrl.https ? '__Secure-wr_rt' : 'wr_rt';
  }

  /** From the raw `Cookie` header, so that an upgrade request can be asked too. */
  readAccess(header: string | undefined): string | undefined {
    return readCookie(header, this.accessName);
  }

  readRefresh(header: string | undefined): string | undefined {
    return readCookie(header, this.refreshName);
  }

  set(response: Response, issued: IssuedTokens): void {
    const now = wallMs();
    const sessionMs = Math.max(0, issued.sessionExpiresAtMs - now);
    response.cookie(this.accessName, issued.access.token, this.options('/', true, issued.access.expiresAtMs - now));
    response.cookie(this.refreshName, issued.refreshToken, this.options(REFRESH_PATH, true, sessionMs));
    response.cookie('wr_csrf', this.csrf.tokenOf(issued.principal.sessionId), this.options('/', false, sessionMs));
  }

  clear(response: Response): void {
    response.cookie(this.accessName, '', this.options('/', true, 0));
    response.cookie(this.refreshName, '', this.options(REFRESH_PATH, true, 0));
    response.cookie('wr_csrf', '', this.options('/', false, 0));
  }

  private options(path: string, httpOnly: boolean, maxAge: number): CookieOptions {
    return { path, httpOnly, maxAge, sameSite: 'strict', secure: this.publicUrl.https };
  }
}
