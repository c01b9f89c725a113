import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { AuthorityModule } from '../authority/authority.module.js';
import { GatewayModule } from '../gateway/gateway.module.js';
import { PolicyModule } from '../policy/policy.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { StatsModule } from '../stats/stats.module.js';
import { AdminAuthorization } from './admin-authorization.js';
import { AuditExportController } from './audit-export/audit-export.controller.js';
import { ExportAudit } from './audit-export/export-audit.js';
import { AuditController } from './audit/audit.controller.js';
import { ClosesController } from './closes/closes.controller.js';
import { ConfigController } from './config/config.controller.js';
import { ConfigRecord } from './config/config-record.js';
import { ReadConfig } from './config/read-config.js';
import { DecisionsController } from './decisions/decisions.controller.js';
import { EraseTenant } from './tenants/erase-tenant.js';
import { PolicyExplanation } from './decisions/policy-explanation.js';
import { CloseExplanation } from './closes/close-explanation.js';
import { Introspect } from './tokens/introspect.js';
import { IntrospectionController } from './tokens/introspection.controller.js';
import { FollowReceipt } from './revocations/follow-receipt.js';
import { KeysController } from './keys/keys.controller.js';
import { OperatorKeys } from './keys/operator-keys.js';
import { TenantInvitesController } from './invites/tenant-invites.controller.js';
import { TenantInvitations } from './invites/tenant-invites.js';
import { CloseConnection } from './live/close-connection.js';
import { ConnectionDetail } from './live/connection-detail.js';
import { Connections } from './live/connections.js';
import { LookTurns } from './live/look-turns.js';
import { ConnectionsController } from './live/connections.controller.js';
import { Nodes } from './live/nodes.js';
import { NodesController } from './live/nodes.controller.js';
import { VerifyChains } from './audit/verify-chains.js';
import { ReadAudit } from './audit/read-audit.js';
import { MonthlyReview } from './review/monthly-review.js';
import { ReviewController } from './review/review.controller.js';
import { RevocationsController } from './revocations/revocations.controller.js';
import { Revoke } from './revocations/revoke.js';
import { ServiceAccounts } from './service/service-accounts.js';
import { ServiceAccountsController } from './service/service-accounts.controller.js';
import { SessionList } from './sessions/session-list.js';
import { SessionsController } from './sessions/sessions.controller.js';
import { TenantEraser } from './tenants/tenant-eraser.js';
import { InspectToken } from './tokens/inspect-token.js';
import { JudgeAccessToken } from './tokens/judge-access-token.js';
import { JudgeRefreshToken } from './tokens/judge-refresh-token.js';
import { JudgeServiceKey } from './tokens/judge-service-key.js';
import { TokenFactsReader } from './tokens/token-facts.js';
import { TokensController } from './tokens/tokens.controller.js';
import { TenantsController } from './tenants/tenants.controller.js';
import { Tenants } from './tenants/tenants.js';
import { PasswordLinksController } from './users/password-links.controller.js';
import { PasswordLinks } from './users/password-links.js';
import { Users } from './users/users.js';

@Module({
  imports: [AuthorityModule, SessionsModule, StatsModule, AuthModule, PolicyModule, GatewayModule],
  controllers: [
    TenantsController,
    TenantInvitesController,
    PasswordLinksController,
    RevocationsController,
    KeysController,
    SessionsController,
    ServiceAccountsController,
    TokensController,
    ConfigController,
    AuditExportController,
    DecisionsController,
    ClosesController,
    AuditController,
    NodesController,
    ReviewController,
    ConnectionsController,
    IntrospectionController,
  ],
  providers: [
    AdminAuthorization,
    Tenants,
    EraseTenant,
    TenantEraser,
    Users,
    TenantInvitations,
    PasswordLinks,
    Revoke,
    FollowReceipt,
    OperatorKeys,
    PolicyExplanation,
    CloseExplanation,
    ReadAudit,
    VerifyChains,
    MonthlyReview,
    SessionList,
    ServiceAccounts,
    TokenFactsReader,
    JudgeAccessToken,
    JudgeRefreshToken,
    JudgeServiceKey,
    InspectToken,
    Nodes,
    ConfigRecord,
    ReadConfig,
    ExportAudit,
    LookTurns,
    Connections,
    ConnectionDetail,
    CloseConnection,
    Introspect,
  ],
})
export class AdminModule {}
