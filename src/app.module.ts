/**
 * The table of contents: the modules in the order of login -> connect -> subscribe -> publish ->
 * deliver -> revoke -> close.
 */
import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ApiDocsModule } from './api-docs/api-docs.module.js';
import { AuditModule } from './audit/audit.module.js';
import { AuthModule } from './auth/auth.module.js';
import { AuthorityModule } from './authority/authority.module.js';
import { GatewayModule } from './gateway/gateway.module.js';
import { AdminModule } from './admin/admin.module.js';
import type { Config } from './platform/config/config.js';
import { HealthModule } from './health/health.module.js';
import { PlatformModule } from './platform/platform.module.js';
import type { PostgresAccess } from './platform/stores/postgres-access.js';
import { ProblemFilter } from './platform/http/problem.filter.js';
import { PeopleModule } from './people/people.module.js';
import { PolicyModule } from './policy/policy.module.js';
import { RoomsModule } from './rooms/rooms.module.js';
import { SessionsModule } from './sessions/sessions.module.js';
import { TryOutModule } from './try-out/try-out.module.js';

@Module({})
export class AppModule {
  static with(config: Config, postgres: PostgresAccess) {
    return {
      module: AppModule,
      imports: [
        PlatformModule.with(config, postgres),
        AuditModule,
        AuthorityModule,
        SessionsModule,
        AuthModule,
        PolicyModule,
        PeopleModule,
        RoomsModule,
        GatewayModule,
        AdminModule,
        HealthModule,
        ApiDocsModule,
        ...(config.tryPage ? [TryOutModule] : []),
      ],
      providers: [{ provide: APP_FILTER, useClass: ProblemFilter }],
    };
  }
}
