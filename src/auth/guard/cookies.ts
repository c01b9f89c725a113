/**
 * The cookie transport: `wr_at` (access), `wr_rt` (refresh, only sent to /v1/auth) and the readable
 * `wr_csrf`. All SameSite=Strict. Over https the first two carry the prefixes `__Host-` and
 * `__Secure-` and all are Secure; over plain http, on a developer's machine, neither would be
 * accepted by a browser.
 *
 * Where PUBLIC_URL has a path, other services live on the same host: both tokens are sent below
 * that path only. `__Host-` exists for `Path=/` alone, so the access cookie is `__Secure-` there.
 * `wr_csrf` is for scripts, and a page of ours may stand at any path.
 */
import { Injectable } from '@nestjs/common';
import type { CookieOptions, Response } from 'express';
import { wallMs } from '../../platform/clock.js';
import { readCookie } from './cookie-header.js';
import { Csrf } from './csrf.js';
import type { IssuedTokens } from '../tokens/issued-tokens.js';
import { PublicUrl } from '../tokens/public-url.js';

@Injectable()
export class Cookies {
  constructor(
    private readonly publicUrl: PublicUrl,
    private readonly csrf: Csrf,
  ) {}

  get accessName(): string {
    if (!this.publicUrl.https) return 'wr_at';
    return this.publicUrl.path === '' ? '__Host-wr_at' : '__Secure-wr_at';
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
    response.cookie(
      this.accessName,
      issued.access.token,
      this.options(this.accessPath, true, issued.access.expiresAtMs - now),
    );
    response.cookie(
      this.refreshName,
      issued.refreshToken,
      this.options(this.refreshPath, true, sessionMs),
    );
    response.cookie(
      'wr_csrf',
      this.csrf.tokenOf(issued.principal.sessionId),
      this.options('/', false, sessionMs),
    );
  }

  clear(response: Response): void {
    response.cookie(this.accessName, '', this.options(this.accessPath, true, 0));
    response.cookie(this.refreshName, '', this.options(this.refreshPath, true, 0));
    response.cookie('wr_csrf', '', this.options('/', false, 0));
  }

  private get accessPath(): string {
    return this.publicUrl.path || '/';
  }

  private get refreshPath(): string {
    return `${this.publicUrl.path}/v1/auth`;
  }

  private options(path: string, httpOnly: boolean, maxAge: number): CookieOptions {
    return { path, httpOnly, maxAge, sameSite: 'strict', secure: this.publicUrl.https };
  }
}
