/** What other services need to verify our access tokens. */
import { Controller, Get, Res } from '@nestjs/common';
import type { Response } from 'express';
import { Config } from '../platform/config.js';
import type { ServerMetadata } from './auth.schemas.js';
import { Public } from './bearer.guard.js';
import { PublicUrl } from './public-url.js';
import { SigningKeys } from './signing-keys.js';

@Controller('.well-known')
@Public()
export class WellKnownController {
  constructor(
    private readonly config: Config,
    private readonly keys: SigningKeys,
    private readonly publicUrl: PublicUrl,
  ) {}

  /** A key is listed from its creation, well before it signs, so a reader may keep this answer. */
  @Get('jwks.json')
  jwks(@Res({ passthrough: true }) response: Response) {
    this.mayBeKept(response);
    return this.keys.jwks();
  }

  /** RFC 8414. Wardroom signs in its own users by its own calls, so there is no OAuth grant to offer. */
  @Get('oauth-authorization-server')
  metadata(@Res({ passthrough: true }) response: Response): ServerMetadata {
    this.mayBeKept(response);
    const issuer = this.publicUrl.value;
    return {
      issuer,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      response_types_supported: [],
      grant_types_supported: [],
      token_endpoint_auth_methods_supported: ['none'],
      revocation_endpoint: `${issuer}/v1/oauth/revoke`,
      revocation_endpoint_auth_methods_supported: ['none'],
      introspection_endpoint: `${issuer}/v1/oauth/introspect`,
      introspection_endpoint_auth_methods_supported: ['Bearer'],
      service_documentation: `${issuer}/openapi.json`,
    };
  }

  private mayBeKept(response: Response): void {
    response.setHeader('Cache-Control', `public, max-age=${this.config.jwksSeconds}`);
  }
}
