/** Documents that other services need to verify our access tokens. */
import { Controller, Get, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { BuiltDocument } from '../../platform/http/built-document.js';
import { Config } from '../../platform/config/config.js';
import { Operation } from '../../platform/http/operation.js';
import { jwksSchema, serverMetadataSchema } from './well-known.schemas.js';
import type { ServerMetadata } from './well-known.schemas.js';
import { PublicUrl } from '../tokens/public-url.js';
import { SigningKeys } from '../keys/signing-keys.js';

@Controller('.well-known')
export class WellKnownController {
  private readonly keySet = new BuiltDocument(
    () => this.keys.jwks(),
    () => this.keys.jwksBasis(),
  );
  private readonly about = new BuiltDocument(() => metadataOf(this.publicUrl.value));

  constructor(
    private readonly config: Config,
    private readonly keys: SigningKeys,
    private readonly publicUrl: PublicUrl,
  ) {}

  /** A key is listed from its creation, well before it signs, so a reader may keep this answer. */
  @Get('jwks.json')
  @Operation({
    summary: 'public signing keys (RFC 7517)',
    auth: 'public',
    answers: { 200: jwksSchema },
  })
  jwks(@Req() request: Request, @Res() response: Response): void {
    this.keySet.send(request, response, this.config.jwksSeconds);
  }

  @Get('oauth-authorization-server')
  @Operation({
    summary: 'metadata (RFC 8414)',
    auth: 'public',
    answers: { 200: serverMetadataSchema },
  })
  metadata(@Req() request: Request, @Res() response: Response): void {
    this.about.send(request, response, this.config.jwksSeconds);
  }
}

/**
 * RFC 8414. Wardroom signs in its own users by its own calls, so there is no OAuth grant to offer.
 */
const metadataOf = (issuer: string): ServerMetadata => ({
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
});
