/**
 * Rights of administration: operators everywhere, admins in their own tenant, nobody else (contract
 * section 2); auditors read everything and change nothing (section 10). A pure ladder like
 * decide-room.ts: the happy path is the last line of each, every refusal has a named rule, the
 * default is no.
 */
import type { ErrorCode } from '@wardroom/protocol/codes';
import { isSystemRole } from '../platform/stores/system-tenant.js';
import type { UserRole } from '../platform/stores/system-tenant.js';
import type { UserFacts } from './facts.js';

/**
 * Every action. `of`: the installation, which is no business of a tenant's admins, or one tenant.
 * `does`: an auditor does what reads.
 */
const ADMIN_ACTIONS = {
  list_tenants: { of: 'installation', does: 'read' },
  create_tenant: { of: 'installation', does: 'change' },
  change_tenant: { of: 'installation', does: 'change' },
  erase_tenant: { of: 'installation', does: 'change' },
  list_users: { of: 'tenant', does: 'read' },
  create_user: { of: 'tenant', does: 'change' },
  change_user: { of: 'tenant', does: 'change' },
  list_invites: { of: 'tenant', does: 'read' },
  reset_password: { of: 'tenant', does: 'change' },
  change_invites: { of: 'tenant', does: 'change' },
  list_sessions: { of: 'tenant', does: 'read' },
  revoke_sessions: { of: 'tenant', does: 'change' },
  rotate_key: { of: 'installation', does: 'change' },
  withdraw_key: { of: 'installation', does: 'change' },
  read_keys: { of: 'installation', does: 'read' },
  read_stats: { of: 'installation', does: 'read' },
  read_review: { of: 'installation', does: 'read' },
  sign_review: { of: 'installation', does: 'change' },
  list_nodes: { of: 'installation', does: 'read' },
  list_connections: { of: 'tenant', does: 'read' },
  read_connection: { of: 'tenant', does: 'read' },
  close_connection: { of: 'installation', does: 'change' },
  read_decision: { of: 'tenant', does: 'read' },
  read_close: { of: 'tenant', does: 'read' },
  read_audit: { of: 'tenant', does: 'read' },
  list_service_accounts: { of: 'tenant', does: 'read' },
  change_service_accounts: { of: 'tenant', does: 'change' },
  introspect: { of: 'tenant', does: 'read' },
  inspect_token: { of: 'installation', does: 'read' },
  read_config: { of: 'installation', does: 'read' },
  verify_audit: { of: 'installation', does: 'read' },
  export_audit: { of: 'installation', does: 'read' },
  explain: { of: 'tenant', does: 'read' },
} as const satisfies Record<string, { of: 'installation' | 'tenant'; does: 'read' | 'change' }>;
export type AdminAction = keyof typeof ADMIN_ACTIONS;

/** Of the installation as a whole, where nobody names a tenant. */
export const seesAllTenants = (role: UserFacts['role']): boolean => isSystemRole(role);

/** The only tenant that a caller of this role sees; null: all of them. */
export const tenantSeenBy = (tenantId: string, role: UserFacts['role']): string | null =>
  seesAllTenants(role) ? null : tenantId;

export interface AdminCaller {
  readonly userId: string;
  readonly tenantId: string;
  readonly role: UserFacts['role'];
  readonly active: boolean;
}

/** The object of the action, as it is now. */
export interface AdminTarget {
  /** Null: the whole installation. */
  readonly tenantId: string | null;
  readonly userId?: string;
  readonly userRole?: UserFacts['role'];
  /** Suspends the user or disables the tenant. */
  readonly stops?: boolean;
  /** Renames the tenant, or lets strangers or guests in. */
  readonly opens?: boolean;
  /** The role that the user is to get, where it is another one. */
  readonly newRole?: UserRole | undefined;
}

export type AdminDecision =
  | { readonly allow: true; readonly rule: string }
  | { readonly allow: false; readonly rule: string; readonly code: ErrorCode };

const allow = (rule: string): AdminDecision => ({ allow: true, rule });
const deny = (rule: string, code: ErrorCode): AdminDecision => ({ allow: false, rule, code });

export function decideAdmin(
  caller: AdminCaller,
  action: AdminAction,
  target: AdminTarget,
): AdminDecision {
  if (!caller.active) return deny('admin.1_inactive', 'role_required');
  if (caller.role === 'auditor') return decideAuditor(action);
  if (caller.role === 'service') return decideService(caller, action, target);
  if (caller.role !== 'operator' && caller.role !== 'admin')
    return deny('admin.2_neither_admin_nor_operator', 'role_required');
  if (caller.role === 'admin') {
    const inside = decideInTenant(caller, action, target);
    if (!inside.allow) return inside;
  }
  if (action === 'change_tenant') return decideChangeTenant(caller, target);
  if (action === 'erase_tenant') return decideEraseTenant(caller, target);
  if (action === 'change_invites') return decideInvites(caller, target);
  if (action === 'create_user') return decideCreateUser(caller, target);
  if (action === 'reset_password') return decideReset(caller, target);
  if (action === 'change_user') return decideChangeUser(caller, target);
  return allow('admin.3_may');
}

function decideAuditor(action: AdminAction): AdminDecision {
  if (ADMIN_ACTIONS[action].does !== 'read')
    return deny('auditor.1_changes_nothing', 'role_required');
  return allow('auditor.2_reads');
}

/** Its scopes were asked for at the door (auth/service/call-scopes.ts). */
const SERVICE_ACTIONS: ReadonlySet<AdminAction> = new Set([
  'list_users',
  'create_user',
  'change_user',
  'list_sessions',
  'revoke_sessions',
]);

/** In its own tenant, about members: no account of a backend makes, or unmakes, an admin. */
function decideService(
  caller: AdminCaller,
  action: AdminAction,
  target: AdminTarget,
): AdminDecision {
  if (!SERVICE_ACTIONS.has(action)) return deny('service.1_not_its_business', 'role_required');
  const inside = decideInTenant(caller, action, target);
  if (!inside.allow) return inside;
  const changes = ADMIN_ACTIONS[action].does === 'change';
  const above =
    (target.userRole ?? 'member') !== 'member' || (target.newRole ?? 'member') !== 'member';
  if (changes && action !== 'revoke_sessions' && above)
    return deny('service.2_members_only', 'role_required');
  return allow('service.3_may');
}

function decideInTenant(
  caller: AdminCaller,
  action: AdminAction,
  target: AdminTarget,
): AdminDecision {
  if (ADMIN_ACTIONS[action].of === 'installation')
    return deny('tenant_admin.1_operators_only', 'role_required');
  if (target.tenantId !== caller.tenantId)
    return deny('tenant_admin.2_another_tenant', 'not_found');
  if (target.userRole !== undefined && isSystemRole(target.userRole))
    return deny('tenant_admin.3_operators_are_above', 'role_required');
  return allow('tenant_admin.4_own_tenant');
}

/**
 * The tenant an operator signs in to is that of all of them: nobody disables it, gives its name
 * away or lets others in.
 */
function decideChangeTenant(caller: AdminCaller, target: AdminTarget): AdminDecision {
  const own = target.tenantId === caller.tenantId;
  if (own && target.stops === true) return deny('change_tenant.1_own_tenant', 'role_required');
  if (own && target.opens === true)
    return deny('change_tenant.2_operators_stay_apart', 'role_required');
  return allow('change_tenant.3_operator');
}

/** The operators stay. */
function decideEraseTenant(caller: AdminCaller, target: AdminTarget): AdminDecision {
  if (target.tenantId === caller.tenantId)
    return deny('erase_tenant.1_own_tenant', 'role_required');
  return allow('erase_tenant.2_operator');
}

/** Members and admins do not exist among the operators, operators and auditors nowhere else. */
const fitsTenant = (caller: AdminCaller, target: AdminTarget, role: UserRole): boolean =>
  isSystemRole(role) === (caller.role === 'operator' && target.tenantId === caller.tenantId);

function decideCreateUser(caller: AdminCaller, target: AdminTarget): AdminDecision {
  if (!fitsTenant(caller, target, target.newRole ?? 'member'))
    return deny('create_user.1_operators_stay_apart', 'role_required');
  return allow('create_user.2_may');
}

/** One's own password is changed with the old one: a stolen access token is not enough. */
function decideReset(caller: AdminCaller, target: AdminTarget): AdminDecision {
  if (target.userId === caller.userId) return deny('reset_password.1_own', 'role_required');
  if (target.userRole === 'service')
    return deny('reset_password.2_accounts_have_keys', 'role_required');
  return allow('reset_password.3_may');
}

/** Nobody registers among the operators. */
function decideInvites(caller: AdminCaller, target: AdminTarget): AdminDecision {
  if (caller.role === 'operator' && target.tenantId === caller.tenantId)
    return deny('invites.1_operators_stay_apart', 'role_required');
  return allow('invites.2_may');
}

/** An operator is only ever stopped by another one who stays: there is no last operator to lose. */
function decideChangeUser(caller: AdminCaller, target: AdminTarget): AdminDecision {
  const self = target.userId === caller.userId;
  if (self && target.stops === true) return deny('change_user.1_own_suspension', 'role_required');
  if (self && caller.role === 'operator' && target.newRole !== undefined)
    return deny('change_user.2_own_operator_role', 'role_required');
  if (target.newRole !== undefined && !fitsTenant(caller, target, target.newRole))
    return deny('change_user.3_operators_stay_apart', 'role_required');
  return allow('change_user.4_may');
}
