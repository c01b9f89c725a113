/**
 * Rights of administration: operators everywhere, admins in their own tenant, nobody else (contract
 * section 2). A pure ladder like decide-room.ts: the happy path is the last line of each, every
 * refusal has a named rule, the default is no.
 */
import type { ErrorCode } from '@wardroom/protocol/codes';
import type { UserFacts } from './facts.js';

export type AdminAction =
  | 'list_tenants'
  | 'create_tenant'
  | 'change_tenant'
  | 'erase_tenant'
  | 'list_users'
  | 'create_user'
  | 'change_user'
  | 'list_sessions'
  | 'revoke_sessions'
  | 'withdraw_key'
  | 'read_keys'
  | 'read_decision'
  | 'read_close'
  | 'read_audit'
  | 'introspect'
  | 'inspect_token'
  | 'read_config'
  | 'export_audit'
  | 'explain';

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
  /** Takes the role the user has now. */
  readonly newRole?: 'member' | 'admin' | undefined;
}

export type AdminDecision =
  | { readonly allow: true; readonly rule: string }
  | { readonly allow: false; readonly rule: string; readonly code: ErrorCode };

const allow = (rule: string): AdminDecision => ({ allow: true, rule });
const deny = (rule: string, code: ErrorCode): AdminDecision => ({ allow: false, rule, code });

const OPERATORS_ONLY: ReadonlySet<AdminAction> = new Set([
  'list_tenants',
  'create_tenant',
  'change_tenant',
  'erase_tenant',
  'withdraw_key',
  'read_keys',
  'inspect_token',
  'read_config',
  'export_audit',
]);

export function decideAdmin(
  caller: AdminCaller,
  action: AdminAction,
  target: AdminTarget,
): AdminDecision {
  if (!caller.active) return deny('admin.1_inactive', 'role_required');
  if (caller.role !== 'operator' && caller.role !== 'admin')
    return deny('admin.2_neither_admin_nor_operator', 'role_required');
  if (caller.role === 'admin') {
    const inside = decideInTenant(caller, action, target);
    if (!inside.allow) return inside;
  }
  if (action === 'change_tenant') return decideChangeTenant(caller, target);
  if (action === 'erase_tenant') return decideEraseTenant(caller, target);
  if (action === 'create_user') return decideCreateUser(caller, target);
  if (action === 'change_user') return decideChangeUser(caller, target);
  return allow('admin.3_may');
}

function decideInTenant(
  caller: AdminCaller,
  action: AdminAction,
  target: AdminTarget,
): AdminDecision {
  if (OPERATORS_ONLY.has(action)) return deny('tenant_admin.1_operators_only', 'role_required');
  if (target.tenantId !== caller.tenantId)
    return deny('tenant_admin.2_another_tenant', 'not_found');
  if (target.userRole === 'operator')
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

/** Members and admins do not exist among the operators. */
function decideCreateUser(caller: AdminCaller, target: AdminTarget): AdminDecision {
  if (caller.role === 'operator' && target.tenantId === caller.tenantId)
    return deny('create_user.1_operators_stay_apart', 'role_required');
  return allow('create_user.2_may');
}

/** An operator is only ever stopped by another one who stays: there is no last operator to lose. */
function decideChangeUser(caller: AdminCaller, target: AdminTarget): AdminDecision {
  const self = target.userId === caller.userId;
  if (self && target.stops === true) return deny('change_user.1_own_suspension', 'role_required');
  if (self && caller.role === 'operator' && target.newRole !== undefined)
    return deny('change_user.2_own_operator_role', 'role_required');
  if (
    caller.role === 'operator' &&
    target.tenantId === caller.tenantId &&
    target.newRole !== undefined
  )
    return deny('change_user.3_operators_stay_apart', 'role_required');
  return allow('change_user.4_may');
}
