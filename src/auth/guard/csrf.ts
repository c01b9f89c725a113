/**
 * Cross-site request forgery: an unsafe call that a cookie authenticates proves that it comes from
 * our own page. It repeats `wr_csrf` - bound to the session by a mac, so a planted cookie does not
 * help - in `X-CSRF-Token`, and names an allowed `Origin` (or `Sec-Fetch-Site: same-origin`, which
 * pages cannot forge).
 */
import { Injectable } from '@nestjs/common';
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Config } from '../../platform/config/config.js';
import { DomainError } from '../../platform/errors.js';
import { AllowedOrigins } from './allowed-origins.js';
import { readCookie } from './cookie-header.js';
import { deriveKey } from '../../platform/sealed-box.js';

const PREFIX = 'wr_csrf_';
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

@Injectable()
export class Csrf {
  private readonly keys: Buffer[];

  constructor(
    config: Config,
    private readonly origins: AllowedOrigins,
  ) {
    this.keys = config.secretKeys.map((secret) => deriveKey(secret, 'wardroom csrf'));
  }

  tokenOf(session: string): string {
    return macOf(this.keys[0]!, session);
  }

  /** For a request whose cookie named `session`. */
  check(request: { method: string; headers: IncomingHttpHeaders }, session: string): void {
    if (SAFE.has(request.method)) return;
    this.requireOurPage(request.headers);
    const sent = request.headers['x-csrf-token'];
    if (typeof sent !== 'string' || sent !== readCookie(request.headers.cookie, 'wr_csrf'))
      throw new DomainError('csrf_failed', { detail: 'header and cookie differ' });
    if (!this.keys.some((key) => same(macOf(key, session), sent)))
      throw new DomainError('csrf_failed', { detail: 'bound to another session' });
  }

  /**
   * Also for a login that asks for cookies: a foreign page may not sign its visitor in as somebody
   * else.
   */
  requireOurPage(headers: IncomingHttpHeaders): void {
    const { origin } = headers;
    const ours =
      origin === undefined
        ? headers['sec-fetch-site'] === 'same-origin'
        : this.origins.allows(origin);
    if (!ours) throw new DomainError('csrf_failed', { detail: 'Origin' });
  }
}

const macOf = (key: Buffer, session: string): string =>
  PREFIX + createHmac('sha256', key).update(session).digest('base64url');

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
