/**
 * Which browser origins may use cookies, CORS with credentials and WebSocket: that of PUBLIC_URL
 * and ALLOWED_ORIGINS, in development also every page of this machine.
 */
import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../../platform/config/config.js';
import { isLoopbackHost } from '../../platform/http/loopback.js';
import { PublicUrl } from '../tokens/public-url.js';
import { RefusedOrigins } from './refused-origins.js';

@Injectable()
export class AllowedOrigins {
  private readonly logger = new Logger(AllowedOrigins.name);
  private readonly refused = new RefusedOrigins();

  constructor(
    private readonly config: Config,
    private readonly publicUrl: PublicUrl,
  ) {}

  /**
   * `origin` as the browser sent it; `null` (opaque origins) is never allowed. `*` exists outside
   * production only.
   */
  allows(origin: string): boolean {
    const allowed = this.knows(origin);
    if (!allowed && this.refused.isNew(origin)) {
      this.logger.warn({
        msg: 'an origin is refused; to allow it, add it to ALLOWED_ORIGINS',
        origin: origin.slice(0, ORIGIN_CHARS),
      });
    }
    return allowed;
  }

  private knows(origin: string): boolean {
    if (origin === 'null' || origin === '') return false;
    const { allowedOrigins, development } = this.config;
    if (
      origin === this.publicUrl.origin ||
      allowedOrigins.includes(origin) ||
      allowedOrigins.includes('*')
    )
      return true;
    return development && isLoopback(origin);
  }
}

const ORIGIN_CHARS = 200;

function isLoopback(origin: string): boolean {
  if (!/^https?:/.test(origin) || !URL.canParse(origin)) return false;
  const { origin: canonical, hostname } = new URL(origin);
  return canonical === origin && isLoopbackHost(hostname);
}
