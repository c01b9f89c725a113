import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { PassportModule } from '@nestjs/passport';
import { BudgetsModule } from '../budgets/budgets.module.js';
import { AuthorityModule } from '../authority/authority.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { AccessTokens } from './access-token.js';
import { AllowedOrigins } from './allowed-origins.js';
import { AuthController } from './auth.controller.js';
import { AuthLoops } from './auth-loops.js';
import { BearerGuard } from './bearer.guard.js';
import { BootstrapOperator } from './bootstrap-operator.js';
import { ChangePassword } from './change-password.js';
import { Cookies } from './cookies.js';
import { Csrf } from './csrf.js';
import { EntryLimits } from './entry-limits.js';
import { Exchange } from './exchange.js';
import { FirstStart } from './first-start.js';
import { IssuerEvents } from './issuer-events.js';
import { Issuers } from './issuers.js';
import { JwtStrategy } from './jwt.strategy.js';
import { KeyChanges } from './key-changes.js';
import { KeyRotation } from './key-rotation.js';
import { LoginLimits } from './login-limits.js';
import { Login } from './login.js';
import { MySessionsController } from './my-sessions.controller.js';
import { OAuthController } from './oauth.controller.js';
import { OpenSession } from './open-session.js';
import { Passwords } from './passwords.js';
import { PublicUrl } from './public-url.js';
import { RefreshSession } from './refresh-session.js';
import { Register } from './register.js';
import { RevokeToken } from './revoke-token.js';
import { SignIns } from './sign-ins.js';
import { SpentTickets } from './spent-tickets.js';
import { SpendCall } from './spend-call.js';
import { SigningKeys } from './signing-keys.js';
import { Tickets } from './tickets.js';
import { TokenAnswer } from './token-answer.js';
import { WellKnownController } from './well-known.controller.js';
import { WhoAmI } from './who-am-i.js';

@Module({
  // Keys are given per call (signing-keys.ts), so there is no secret to configure here.
  imports: [AuthorityModule, SessionsModule, BudgetsModule, PassportModule, JwtModule.register({})],
  controllers: [AuthController, MySessionsController, OAuthController, WellKnownController],
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
    LoginLimits,
    EntryLimits,
    AuthLoops,
    OpenSession,
    SignIns,
    Login,
    Register,
    Issuers,
    Exchange,
    IssuerEvents,
    RefreshSession,
    RevokeToken,
    ChangePassword,
    SpentTickets,
    Tickets,
    TokenAnswer,
    WhoAmI,
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
    LoginLimits,
    AuthLoops,
    OpenSession,
    SignIns,
    Tickets,
    TokenAnswer,
    SessionsModule,
  ],
})
export class AuthModule {}
