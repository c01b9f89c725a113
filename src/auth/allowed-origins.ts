/** Which browser origins may use cookies, CORS with credentials and WebSocket: that of PUBLIC_URL and ALLOWED_ORIGINS. */
import { Injectable } from '@nestjs/common';
import { Config } from '../platform/config.js';
import { PublicUrl } from './public-url.js';

@Injectable()
export class AllowedOrigins {
  constructor(
    private readonly config: Config,
    private readonly publicUrl: PublicUrl,
  ) {}

  /** `origin` as the browser sent it; `null` (opaque origins) is never allowed. `*` exists outside production only. */
  allows(origin: string): boolean {
    if (origin === 'null' || origin === '') return false;
    const { allowedOrigins } = this.config;
    return origin === this.publicUrl.origin || allowedOrigins.includes(origin) || allowedOrigins.includes('*');
  }
}
