import { Controller, Header, Post, UseFilters } from '@nestjs/common';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { OAuthErrors } from '../../auth/oidc/oauth-errors.js';
import {
  FORM,
  introspectionSchema,
  oauthErrorSchema,
  tokenForm,
} from '../../auth/oidc/oauth.schemas.js';
import type { Introspection, TokenForm } from '../../auth/oidc/oauth.schemas.js';
import { Operation } from '../../platform/http/operation.js';
import { ZodBody } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { Introspect } from './introspect.js';

@Controller('v1/oauth')
@UseFilters(OAuthErrors)
export class IntrospectionController {
  constructor(private readonly introspection: Introspect) {}

  @Post('introspect')
  @Operation({
    summary: 'is this token good now, and whose (RFC 7662; operators, admins of its tenant)',
    consumes: FORM,
    answers: { 200: introspectionSchema, 400: oauthErrorSchema },
    errors: ['role_required'],
  })
  @Header('Cache-Control', 'no-store')
  introspect(
    @ZodBody(tokenForm) { token }: TokenForm,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Introspection> {
    return this.introspection.introspect(principal, token);
  }
}
