import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { PassportModule } from '@nestjs/passport';
import { BudgetsModule } from '../budgets/budgets.module.js';
import { AuthorityModule } from '../authority/authority.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { StatsModule } from '../stats/stats.module.js';
import { AccessTokens } from './tokens/access-token.js';
import { AllowedOrigins } from './guard/allowed-origins.js';
import { AuthController } from './http/auth.controller.js';
import { CredentialLoopBreaker } from './limits/credential-loop-breaker.js';
import { SessionLoops } from './limits/session-loops.js';
import { CountFailure } from './limits/count-failure.js';
import { BearerGuard } from './guard/bearer.guard.js';
import { BootstrapOperator } from './setup/bootstrap-operator.js';
import { CheckPassword } from './sign-in/check-password.js';
import { ChangePassword } from './sign-in/change-password.js';
import { Cookies } from './guard/cookies.js';
import { Csrf } from './guard/csrf.js';
import { RecoveryController } from './http/recovery.controller.js';
import { RecoveryLimits } from './limits/recovery-limits.js';
import { ForgottenPassword } from './sign-in/forgotten-password.js';
import { ResetPassword } from './sign-in/reset-password.js';
import { RegistrationLimits } from './limits/registration-limits.js';
import { Exchange } from './oidc/exchange.js';
import { FirstStart } from './setup/first-start.js';
import { IssuerEvents } from './oidc/issuer-events.js';
import { IssuerSignIn } from './oidc/issuer-sign-in.js';
import { Issuers } from './oidc/issuers.js';
import { IssuersController } from './http/issuers.controller.js';
import { JwtStrategy } from './guard/jwt.strategy.js';
import { KeyChanges } from './keys/key-changes.js';
import { KeyRotation } from './keys/key-rotation.js';
import { LoginLimits } from './limits/login-limits.js';
import { Login } from './sign-in/login.js';
import { MySessionsController } from './http/my-sessions.controller.js';
import { OAuthController } from './oidc/oauth.controller.js';
import { OpenSession } from './sign-in/open-session.js';
import { Passwords } from './sign-in/passwords.js';
import { PublicUrl } from './tokens/public-url.js';
import { RefreshSession } from './sign-in/refresh-session.js';
import { Register } from './sign-in/register.js';
import { RevokeToken } from './sign-in/revoke-token.js';
import { SignInAudit } from './sign-in/sign-in-audit.js';
import { ServiceCalls } from './service/service-calls.js';
import { ServiceController } from './service/service.controller.js';
import { ServiceKeys } from './service/service-keys.js';
import { ServiceSessions } from './service/service-sessions.js';
import { ServiceTokens } from './service/service-tokens.js';
import { StepUp } from './sign-in/step-up.js';
import { StepUpGuard } from './guard/step-up.guard.js';
import { SpentTickets } from './tokens/spent-tickets.js';
import { SpendCall } from './guard/spend-call.js';
import { SigningKeys } from './keys/signing-keys.js';
import { Tickets } from './tokens/tickets.js';
import { TokenResponse } from './sign-in/token-response.js';
import { WellKnownController } from './http/well-known.controller.js';
import { CurrentUser } from './sign-in/current-user.js';

@Module({
  // Keys are given per call (signing-keys.ts), so there is no secret to configure here.
  imports: [
    AuthorityModule,
    SessionsModule,
    BudgetsModule,
    StatsModule,
    PassportModule,
    JwtModule.register({}),
  ],
  controllers: [
    AuthController,
    RecoveryController,
    IssuersController,
    MySessionsController,
    ServiceController,
    OAuthController,
    WellKnownController,
  ],
  providers: [
    PublicUrl,
    AllowedOrigins,
    SigningKeys,
    KeyChanges,
    KeyRotation,
    Passwords,
    BootstrapOperator,
    FirstStart,
    AccessTokens,
    Csrf,
    Cookies,
    JwtStrategy,
    SpendCall,
    { provide: APP_GUARD, useClass: BearerGuard },
    { provide: APP_GUARD, useClass: StepUpGuard },
    LoginLimits,
    RegistrationLimits,
    CredentialLoopBreaker,
    SessionLoops,
    CountFailure,
    OpenSession,
    SignInAudit,
    CheckPassword,
    Login,
    StepUp,
    Register,
    Issuers,
    Exchange,
    IssuerSignIn,
    IssuerEvents,
    RefreshSession,
    RevokeToken,
    ChangePassword,
    RecoveryLimits,
    ForgottenPassword,
    ResetPassword,
    ServiceKeys,
    ServiceCalls,
    ServiceTokens,
    ServiceSessions,
    SpentTickets,
    Tickets,
    TokenResponse,
    CurrentUser,
  ],
  exports: [
    PublicUrl,
    AllowedOrigins,
    SigningKeys,
    KeyChanges,
    Passwords,
    AccessTokens,
    Cookies,
    Csrf,
    CurrentUser,
    LoginLimits,
    RecoveryLimits,
    CredentialLoopBreaker,
    ServiceKeys,
    SessionLoops,
    OpenSession,
    SignInAudit,
    Tickets,
    TokenResponse,
    SessionsModule,
  ],
})
export class AuthModule {}
