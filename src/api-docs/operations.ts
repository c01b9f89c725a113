/** Every REST call of the product. */
import type { Type } from '@nestjs/common';
import { AuditExportController } from '../admin/audit-export/audit-export.controller.js';
import { AuditController } from '../admin/audit/audit.controller.js';
import { ClosesController } from '../admin/closes/closes.controller.js';
import { ConfigController } from '../admin/config/config.controller.js';
import { DecisionsController } from '../admin/decisions/decisions.controller.js';
import { IntrospectionController } from '../admin/tokens/introspection.controller.js';
import { ConnectionsController } from '../admin/live/connections.controller.js';
import { TenantInvitesController } from '../admin/invites/tenant-invites.controller.js';
import { NodesController } from '../admin/live/nodes.controller.js';
import { ReviewController } from '../admin/review/review.controller.js';
import { KeysController } from '../admin/keys/keys.controller.js';
import { RevocationsController } from '../admin/revocations/revocations.controller.js';
import { SessionsController } from '../admin/sessions/sessions.controller.js';
import { ServiceAccountsController } from '../admin/service/service-accounts.controller.js';
import { TenantsController } from '../admin/tenants/tenants.controller.js';
import { TokensController } from '../admin/tokens/tokens.controller.js';
import { PasswordLinksController } from '../admin/users/password-links.controller.js';
import { AuthController } from '../auth/http/auth.controller.js';
import { MySessionsController } from '../auth/http/my-sessions.controller.js';
import { ServiceController } from '../auth/service/service.controller.js';
import { IssuersController } from '../auth/http/issuers.controller.js';
import { RecoveryController } from '../auth/http/recovery.controller.js';
import { WellKnownController } from '../auth/http/well-known.controller.js';
import { OAuthController } from '../auth/oidc/oauth.controller.js';
import { HealthController } from '../health/health.controller.js';
import { PeopleController } from '../people/people.controller.js';
import { operationsOf } from '../platform/http/operation.js';
import type { Operation } from '../platform/http/operation.js';
import { MessagesController } from '../rooms/events/messages.controller.js';
import { PinsController } from '../rooms/events/pins.controller.js';
import { SearchController } from '../rooms/events/search.controller.js';
import { InvitesController } from '../rooms/invites/invites.controller.js';
import { MembersController } from '../rooms/members/members.controller.js';
import { RoomsController } from '../rooms/rooms.controller.js';
import { SidebarController } from '../rooms/sidebar/sidebar.controller.js';
import { ApiDocsController } from './api-docs.controller.js';

/**
 * In the order of the documents. A controller that is missing here answers nobody, and a test fails
 * (test/contract/operations.test.ts).
 */
const CONTROLLERS: readonly Type[] = [
  AuthController,
  RecoveryController,
  IssuersController,
  MySessionsController,
  ServiceController,
  OAuthController,
  WellKnownController,
  PeopleController,
  RoomsController,
  SidebarController,
  MembersController,
  InvitesController,
  MessagesController,
  PinsController,
  SearchController,
  TenantsController,
  ServiceAccountsController,
  TenantInvitesController,
  PasswordLinksController,
  RevocationsController,
  KeysController,
  SessionsController,
  TokensController,
  ConfigController,
  IntrospectionController,
  DecisionsController,
  ClosesController,
  AuditController,
  AuditExportController,
  NodesController,
  ReviewController,
  ConnectionsController,
  ApiDocsController,
  HealthController,
];

export const OPERATIONS: readonly Operation[] = CONTROLLERS.flatMap(operationsOf);
