/** What other services need to verify our access tokens. */
import { Controller, Get, Header } from '@nestjs/common';
import type { ServerMetadata } from './auth.schemas.js';
import { Public } from './bearer.guard.js';
import { JWKS_SECONDS } from './key-changes.js';
import { PublicUrl } from './public-url.js';
import { SigningKeys } from './signing-keys.js';

@Controller('.well-known')
@Public()
export class WellKnownController {
  constructor(
    private readonly keys: SigningKeys,
    private readonly publicUrl: PublicUrl,
  ) {}

  /** A key is listed from its creation, well before it signs, so a reader may keep this answer. */
  @Get('jwks.json')
  @Header('Cache-Control', `public, max-age=${JWKS_SECONDS}`)
  jwks() {
    return this.keys.jwks();
  }

  /** RFC 8414. Wardroom signs in its own users by its own calls, so there is no OAuth grant to offer. */
  @Get('oauth-authorization-server')
  @Header('Cache-Control', `public, max-age=${JWKS_SECONDS}`)
  metadata(): ServerMetadata {
    const issuer = this.publicUrl.value;
    return {
      issuer,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      response_types_supported: [],
      grant_types_supported: [],
      token_endpoint_auth_methods_supported: ['none'],
    };
  }
}
