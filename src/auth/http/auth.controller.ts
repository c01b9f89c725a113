/** Signing in and out. Every answer with tokens is `no-store`. */
import { Controller, Header, Ip, Post, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Receipts } from '../../authority/receipts.js';
import { receiptSchema } from '../../authority/receipt.schema.js';
import type { Receipt } from '../../authority/receipt.schema.js';
import { DomainError } from '../../platform/errors.js';
import { Operation } from '../../platform/http/operation.js';
import { ZodBody, ZodQuery, emptyBody, waitQuery } from '../../platform/zod.js';
import type { WaitQuery } from '../../platform/zod.js';
import type { AcceptedToken, Principal } from '../../sessions/principal.js';
import { Sessions } from '../../sessions/sessions.js';
import { exchangeBody } from '../oidc/oauth.schemas.js';
import {
  guestBody,
  loginBody,
  logoutBody,
  passwordBody,
  refreshBody,
  registerBody,
} from '../sign-in/sign-in.schemas.js';
import type { ExchangeBody } from '../oidc/oauth.schemas.js';
import type {
  GuestBody,
  LoginBody,
  LogoutBody,
  PasswordBody,
  RefreshBody,
  RegisterBody,
} from '../sign-in/sign-in.schemas.js';
import { ticketSchema, tokensSchema } from '../tokens/tokens.schemas.js';
import type { Ticket, Tokens } from '../tokens/tokens.schemas.js';
import { CurrentPrincipal, CurrentToken } from '../guard/bearer.guard.js';
import { ChangePassword } from '../sign-in/change-password.js';
import { Cookies } from '../guard/cookies.js';
import { Csrf } from '../guard/csrf.js';
import { Exchange } from '../oidc/exchange.js';
import { Login } from '../sign-in/login.js';
import type { IssuedTokens } from '../tokens/issued-tokens.js';
import { RefreshSession } from '../sign-in/refresh-session.js';
import { parseRefreshToken } from '../tokens/refresh-token.js';
import { Register } from '../sign-in/register.js';
import { ServiceTokens } from '../service/service-tokens.js';
import { SignInAudit } from '../sign-in/sign-in-audit.js';
import type { SignInSubject, SignInMethod } from '../limits/sign-in-subject.js';
import { Tickets } from '../tokens/tickets.js';
import { TokenResponse } from '../sign-in/token-response.js';

@Controller('v1/auth')
export class AuthController {
  constructor(
    private readonly signIns: SignInAudit,
    private readonly signIn: Login,
    private readonly signUp: Register,
    private readonly exchanging: Exchange,
    private readonly refreshing: RefreshSession,
    private readonly passwordChange: ChangePassword,
    private readonly tickets: Tickets,
    private readonly serviceTokens: ServiceTokens,
    private readonly sessions: Sessions,
    private readonly receipts: Receipts,
    private readonly answer: TokenResponse,
    private readonly cookies: Cookies,
    private readonly csrf: Csrf,
  ) {}

  @Post('login')
  @Operation({
    summary: 'sign in with a password',
    auth: 'public',
    answers: { 200: tokensSchema },
    errors: [
      'invalid_credentials',
      'user_suspended',
      'tenant_disabled',
      'origin_refused',
      'rate_limited',
    ],
  })
  @Header('Cache-Control', 'no-store')
  async login(
    @ZodBody(loginBody) body: LoginBody,
    @Ip() ip: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Tokens> {
    return this.enter('password', body, request, response, (asked) =>
      this.signIn.login(body, ip, asked),
    );
  }

  @Post('register')
  @Operation({
    summary: 'sign up, where the tenant allows it',
    auth: 'public',
    answers: { 201: tokensSchema },
    errors: ['not_found', 'email_taken', 'tenant_disabled', 'origin_refused', 'rate_limited'],
  })
  @Header('Cache-Control', 'no-store')
  async register(
    @ZodBody(registerBody) body: RegisterBody,
    @Ip() ip: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Tokens> {
    return this.enter('registration', body, request, response, (asked) =>
      this.signUp.register(body, ip, asked),
    );
  }

  @Post('guest')
  @Operation({
    summary: 'look in without a user, where the tenant allows it',
    auth: 'public',
    answers: { 201: tokensSchema },
    errors: ['not_found', 'tenant_disabled', 'origin_refused', 'rate_limited'],
  })
  @Header('Cache-Control', 'no-store')
  async guest(
    @ZodBody(guestBody) body: GuestBody,
    @Ip() ip: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Tokens> {
    return this.enter('guest', body, request, response, (asked) =>
      this.signUp.enterAsGuest(body, ip, asked),
    );
  }

  @Post('exchange')
  @Operation({
    summary: 'sign in with the ID token of an external issuer',
    auth: 'public',
    answers: { 200: tokensSchema },
    errors: [
      'auth_invalid',
      'not_found',
      'email_taken',
      'user_suspended',
      'tenant_disabled',
      'origin_refused',
      'rate_limited',
    ],
  })
  @Header('Cache-Control', 'no-store')
  async exchange(
    @ZodBody(exchangeBody) body: ExchangeBody,
    @Ip() ip: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Tokens> {
    return this.enter('exchange', body, request, response, (asked) =>
      this.exchanging.exchange(body, ip, asked),
    );
  }

  /**
   * A token in the body is answered in the body, one in a cookie in cookies. A refusal clears none:
   * it may come late, when another tab has signed in again.
   */
  @Post('refresh')
  @Operation({
    summary: 'a new access token; the refresh token in the body or a cookie',
    auth: 'public',
    answers: { 200: tokensSchema },
    errors: [
      'auth_missing',
      'auth_invalid',
      'session_revoked',
      'session_expired',
      'token_reuse',
      'user_suspended',
      'tenant_disabled',
      'csrf_failed',
      'auth_loop',
      'rate_limited',
    ],
  })
  @Header('Cache-Control', 'no-store')
  async refresh(
    @ZodBody(refreshBody) body: RefreshBody,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Tokens> {
    if (body.refresh_token !== undefined)
      return this.answer.send(response, await this.refreshing.refresh(body.refresh_token), 'body');
    const token = this.cookies.readRefresh(request.headers.cookie);
    if (token === undefined) throw new DomainError('auth_missing');
    const proof = () => this.csrf.check(request, parseRefreshToken(token)?.session ?? '');
    return this.answer.send(response, await this.refreshing.refresh(token, proof), 'cookie');
  }

  @Post('logout')
  @Operation({
    summary: 'end this session, the others, or all of mine',
    authority: true,
    answers: { 200: receiptSchema },
  })
  async logout(
    @ZodBody(logoutBody) { scope }: LogoutBody,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Receipt | null> {
    const end = {
      session: () => this.sessions.endCurrent(principal),
      others: () => this.sessions.endOthers(principal),
      all: () => this.sessions.endAll(principal),
    };
    const { pending } = await end[scope]();
    if (scope !== 'others') this.cookies.clear(response);
    return this.receipts.waitForReceipt(pending, wait);
  }

  @Post('password')
  @Operation({
    summary: 'a new password; ends my other sessions',
    authority: true,
    answers: { 200: receiptSchema },
    errors: ['invalid_credentials', 'guest_read_only', 'rate_limited'],
  })
  async password(
    @ZodBody(passwordBody) body: PasswordBody,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @CurrentPrincipal() principal: Principal,
    @Ip() ip: string,
  ): Promise<Receipt | null> {
    const { pending } = await this.passwordChange.change(principal, body, ip);
    return this.receipts.waitForReceipt(pending, wait);
  }

  @Post('ticket')
  @Operation({
    summary: 'a single-use ticket for opening a WebSocket',
    authority: true,
    answers: { 200: ticketSchema },
  })
  @Header('Cache-Control', 'no-store')
  async ticket(
    @ZodBody(emptyBody) _: object,
    @CurrentToken() token: AcceptedToken,
    @Req() request: Request,
  ): Promise<Ticket> {
    return this.tickets.issue(await this.serviceTokens.shortened(token), request.headers.origin);
  }

  /**
   * The common part of every way in: one of our pages where cookies are wanted, one account, one
   * form of answer.
   */
  private async enter(
    method: SignInMethod,
    { transport }: { transport: 'body' | 'cookie' },
    request: Request,
    response: Response,
    signIn: (asked: SignInSubject) => Promise<IssuedTokens>,
  ): Promise<Tokens> {
    const issued = await this.signIns.record(method, async (asked) => {
      if (transport === 'cookie') this.csrf.requireOurPage(request.headers);
      return signIn(asked);
    });
    return this.answer.send(response, issued, transport);
  }
}
