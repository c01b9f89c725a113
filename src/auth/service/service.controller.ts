/** Calls of backends: a token for a WebSocket, and the sessions of their own users. */
import { Controller, Header, Post, Res } from '@nestjs/common';
import type { Response } from 'express';
import { receiptSchema } from '../../authority/receipt.schema.js';
import type { Receipt } from '../../authority/receipt.schema.js';
import { DomainError } from '../../platform/errors.js';
import { Operation } from '../../platform/http/operation.js';
import { ZodBody, ZodQuery, waitQuery } from '../../platform/zod.js';
import type { WaitQuery } from '../../platform/zod.js';
import type { AcceptedToken } from '../../sessions/principal.js';
import { CurrentToken } from '../guard/bearer.guard.js';
import { TokenResponse } from '../sign-in/token-response.js';
import { isOfService } from '../tokens/token-id.js';
import { tokensSchema } from '../tokens/tokens.schemas.js';
import type { Tokens } from '../tokens/tokens.schemas.js';
import { ServiceSessions } from './service-sessions.js';
import { ServiceTokens } from './service-tokens.js';
import {
  clientCredentialsBody,
  serviceRevocationBody,
  serviceSessionBody,
  serviceTokenSchema,
} from './service.schemas.js';
import type {
  ClientCredentials,
  ServiceRevocation,
  ServiceSessionBody,
  ServiceToken,
} from './service.schemas.js';

@Controller('v1')
export class ServiceController {
  constructor(
    private readonly tokens: ServiceTokens,
    private readonly sessions: ServiceSessions,
    private readonly answer: TokenResponse,
  ) {}

  @Post('auth/token')
  @Operation({
    summary: 'an access token for a WebSocket, with the key of a service account',
    authority: true,
    answers: { 200: serviceTokenSchema },
    errors: ['scope_required'],
  })
  @Header('Cache-Control', 'no-store')
  token(
    @ZodBody(clientCredentialsBody) _: ClientCredentials,
    @CurrentToken() key: AcceptedToken,
  ): Promise<ServiceToken> {
    return this.tokens.issue(key);
  }

  @Post('service/sessions')
  @Operation({
    summary: 'sign a user of another system in (scope `sessions`)',
    authority: true,
    answers: { 200: tokensSchema },
    errors: ['scope_required', 'not_found'],
  })
  @Header('Cache-Control', 'no-store')
  async open(
    @ZodBody(serviceSessionBody) body: ServiceSessionBody,
    @CurrentToken() token: AcceptedToken,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Tokens> {
    requireService(token);
    const issued = await this.sessions.open(token.principal, body);
    return this.answer.send(response, issued, body.transport);
  }

  @Post('service/sessions/revoke')
  @Operation({
    summary: 'end every session of such a user (scope `sessions`)',
    authority: true,
    answers: { 200: receiptSchema },
    errors: ['scope_required', 'not_found'],
  })
  revoke(
    @ZodBody(serviceRevocationBody) body: ServiceRevocation,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @CurrentToken() token: AcceptedToken,
  ): Promise<Receipt> {
    requireService(token);
    return this.sessions.revoke(token.principal, body, wait);
  }
}

/** People have no scopes, admins neither. */
function requireService({ jti }: AcceptedToken): void {
  if (!isOfService(jti)) throw new DomainError('scope_required');
}
