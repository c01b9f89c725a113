import { Controller, Header, HttpCode, Post, UseFilters } from '@nestjs/common';
import { CurrentPrincipal } from '../auth/guard/bearer.guard.js';
import { OAuthErrors } from '../auth/oidc/oauth-errors.js';
import { tokenForm } from '../auth/oidc/oauth.schemas.js';
import type { Introspection, TokenForm } from '../auth/oidc/oauth.schemas.js';
import { ZodBody } from '../platform/zod.js';
import type { Principal } from '../sessions/principal.js';
import { Introspect } from './introspect.js';

@Controller('v1/oauth')
@UseFilters(OAuthErrors)
export class IntrospectionController {
  constructor(private readonly introspection: Introspect) {}

  @Post('introspect')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  introspect(
    @ZodBody(tokenForm) { token }: TokenForm,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Introspection> {
    return this.introspection.introspect(principal, token);
  }
}
