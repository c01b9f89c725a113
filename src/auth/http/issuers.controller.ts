/**
 * Signing in at an external issuer by redirects. The session is one of cookies: a browser came
 * back, and no script reads its tokens.
 */
import { Controller, Get, Header, Ip, Post, Redirect, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { DomainError } from '../../platform/errors.js';
import { Operation } from '../../platform/http/operation.js';
import { ZodBody, ZodQuery } from '../../platform/zod.js';
import { Csrf } from '../guard/csrf.js';
import { RegistrationLimits } from '../limits/registration-limits.js';
import { IssuerSignIn, refusedAt } from '../oidc/issuer-sign-in.js';
import type { Journey } from '../oidc/issuer-sign-in.js';
import {
  beginBody,
  beginSchema,
  callbackQuery,
  issuersQuery,
  signInIssuersSchema,
} from '../oidc/issuer-sign-in.schemas.js';
import type {
  Begin,
  BeginBody,
  IssuersQuery,
  SignInIssuers,
} from '../oidc/issuer-sign-in.schemas.js';
import { SignInAudit } from '../sign-in/sign-in-audit.js';
import { TokenResponse } from '../sign-in/token-response.js';

@Controller('v1/auth/issuers')
export class IssuersController {
  constructor(
    private readonly signIn: IssuerSignIn,
    private readonly signIns: SignInAudit,
    private readonly answer: TokenResponse,
    private readonly csrf: Csrf,
    private readonly limits: RegistrationLimits,
  ) {}

  @Get()
  @Operation({
    summary: 'the external issuers at which users of a tenant may sign in by redirects',
    auth: 'public',
    answers: { 200: signInIssuersSchema },
    errors: ['rate_limited'],
  })
  async list(
    @ZodQuery(issuersQuery) { tenant }: IssuersQuery,
    @Ip() ip: string,
  ): Promise<SignInIssuers> {
    await this.limits.countLook(ip);
    return this.signIn.list(tenant);
  }

  @Post('sign-in')
  @Operation({
    summary: 'begin a sign-in at an issuer: a page of ours sends its browser to the URL',
    auth: 'public',
    answers: { 200: beginSchema },
    errors: ['not_found', 'csrf_failed', 'rate_limited'],
  })
  @Header('Cache-Control', 'no-store')
  async begin(
    @ZodBody(beginBody) body: BeginBody,
    @Ip() ip: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Begin> {
    this.csrf.requireOurPage(request.headers);
    await this.limits.countLook(ip);
    return { url: await this.signIn.begin(body, response) };
  }

  /**
   * The browser comes back from another site. A page waits for it, not a program: a refusal is a
   * parameter of the page's address, `refused`.
   */
  @Get('callback')
  @Operation({
    summary: 'where an issuer sends the browser back to; redirects to the page that began',
    auth: 'public',
    answers: { 303: null },
    errors: ['auth_invalid'],
  })
  @Header('Cache-Control', 'no-store')
  @Header('Referrer-Policy', 'no-referrer')
  @Redirect()
  async finish(
    @ZodQuery(callbackQuery) _: object,
    @Ip() ip: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<{ url: string; statusCode: number }> {
    const journey = this.signIn.takeJourney(request, response);
    // No page is known that could show it.
    if (journey === null)
      throw new DomainError('auth_invalid', { detail: 'begun elsewhere, or too long ago' });
    return { url: await this.landing(journey, request, ip, response), statusCode: 303 };
  }

  private async landing(
    journey: Journey,
    request: Request,
    ip: string,
    response: Response,
  ): Promise<string> {
    const at = request.originalUrl.indexOf('?');
    const search = at < 0 ? '' : request.originalUrl.slice(at);
    try {
      const issued = await this.signIns.record('exchange', (asked) =>
        this.signIn.finish(journey, search, ip, asked),
      );
      this.answer.send(response, issued, 'cookie');
      return journey.to;
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return refusedAt(journey, error);
    }
  }
}
