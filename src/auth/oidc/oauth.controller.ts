/** Calls of other people's software: token revocation, logout at an issuer, security events. */
import { Controller, Header, Ip, Post, UseFilters } from '@nestjs/common';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Receipts } from '../../authority/receipts.js';
import { DomainError } from '../../platform/errors.js';
import { Operation } from '../../platform/http/operation.js';
import { ZodBody, ZodQuery, waitQuery } from '../../platform/zod.js';
import type { WaitQuery } from '../../platform/zod.js';
import { IssuerEvents } from './issuer-events.js';
import { LoginLimits } from '../limits/login-limits.js';
import { OAuthErrors, SecurityEventErrors, TokenRefused } from './oauth-errors.js';
import {
  FORM,
  SECURITY_EVENT,
  logoutForm,
  oauthErrorSchema,
  revokedTokenSchema,
  securityEventBody,
  securityEventErrorSchema,
  tokenForm,
} from './oauth.schemas.js';
import type { LogoutForm, RevokedToken, TokenForm } from './oauth.schemas.js';
import { RevokeToken } from '../sign-in/revoke-token.js';

@Controller('v1/oauth')
@UseFilters(OAuthErrors)
export class OAuthController {
  constructor(
    private readonly revoking: RevokeToken,
    private readonly events: IssuerEvents,
    private readonly receipts: Receipts,
    private readonly limits: LoginLimits,
    private readonly audit: AuditTrail,
  ) {}

  @Post('revoke')
  @Operation({
    summary: 'end the session of a token (RFC 7009); 200 whatever the token was',
    auth: 'public',
    consumes: FORM,
    answers: { 200: revokedTokenSchema, 400: oauthErrorSchema },
  })
  @Header('Cache-Control', 'no-store')
  async revoke(
    @ZodBody(tokenForm) { token }: TokenForm,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
  ): Promise<RevokedToken> {
    return { receipt: await this.receipts.waitForReceipt(await this.revoking.revoke(token), wait) };
  }

  /** Answered when no node lets the user go on. */
  @Post('backchannel-logout')
  @Operation({
    summary: 'OpenID back-channel logout by an external issuer',
    auth: 'public',
    consumes: FORM,
    answers: { 200: null, 400: oauthErrorSchema },
    errors: ['rate_limited'],
  })
  @Header('Cache-Control', 'no-store')
  async backchannelLogout(@ZodBody(logoutForm) body: LogoutForm, @Ip() ip: string): Promise<void> {
    const pending = await this.limited('logout_token', ip, () =>
      this.events.logout(body.logout_token),
    );
    await Promise.all(pending.map((one) => this.receipts.waitForReceipt(one)));
  }

  /**
   * RFC 8935: accepted, with an empty body, once it is committed; nodes that are well apply it
   * within milliseconds.
   */
  @Post('events')
  @Operation({
    summary: 'security events of an external issuer (RFC 8935): CAEP `session-revoked`',
    auth: 'public',
    consumes: SECURITY_EVENT,
    answers: { 202: null, 400: securityEventErrorSchema },
    errors: ['rate_limited'],
  })
  @UseFilters(SecurityEventErrors)
  async securityEvent(@ZodBody(securityEventBody) token: string, @Ip() ip: string): Promise<void> {
    const pending = await this.limited('security_event', ip, () => this.events.receive(token));
    await Promise.all(pending.map((one) => this.receipts.waitForReceipt(one, false)));
  }

  /** Anybody may send a token; a sender of many bad ones has to wait. Each refusal is recorded. */
  private async limited<T>(
    kind: 'logout_token' | 'security_event',
    ip: string,
    work: () => Promise<T>,
  ): Promise<T> {
    const who = 'issuer event';
    try {
      await this.limits.requireRoom(who, ip);
      return await work();
    } catch (error) {
      if (error instanceof DomainError && error.status < 500)
        this.audit.note({ event: 'authn_token_fail', detail: { kind, code: codeOf(error) } });
      if (error instanceof TokenRefused) await this.limits.countFailure(who, ip);
      throw error;
    }
  }
}

const codeOf = (error: DomainError): string =>
  error instanceof TokenRefused ? error.refusal : error.code;
