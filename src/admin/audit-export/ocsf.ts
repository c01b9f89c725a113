/**
 * The audit in the words of the Open Cybersecurity Schema Framework: one class and activity for
 * each kind of record. The rest is under `unmapped`.
 */
import type { AuditEventName, AuditRecord } from '../../audit/audit-events.js';

const OCSF_VERSION = '1.3.0';

export const CLASSES = {
  3001: 'Account Change',
  3002: 'Authentication',
  3003: 'Authorize Session',
  3004: 'Entity Management',
  3005: 'User Access Management',
  4001: 'Network Activity',
  6002: 'Application Lifecycle',
  6003: 'API Activity',
} as const;
type ClassId = keyof typeof CLASSES;

const CATEGORIES: Readonly<Record<number, string>> = {
  3: 'Identity & Access Management',
  4: 'Network Activity',
  6: 'Application Activity',
};

/** Names of activities by class; 99 is `Other`, and `activity_name` is the event then. */
const ACTIVITIES: Readonly<Record<ClassId, Readonly<Record<number, string>>>> = {
  3001: { 1: 'Create', 2: 'Enable', 3: 'Password Change', 4: 'Password Reset', 5: 'Disable' },
  3002: { 1: 'Logon', 2: 'Logoff' },
  3003: { 1: 'Assign Privileges' },
  3004: { 1: 'Create', 3: 'Update', 4: 'Delete', 9: 'Disable' },
  3005: {},
  4001: { 1: 'Open', 2: 'Close', 5: 'Refuse' },
  6002: { 3: 'Start', 4: 'Stop' },
  6003: { 2: 'Read', 4: 'Delete' },
};

const SEVERITIES = { 1: 'Informational', 3: 'Medium', 4: 'High', 5: 'Critical' } as const;

interface Mapping {
  readonly of: ClassId;
  readonly activity: number;
  readonly failed?: true;
  readonly severity?: keyof typeof SEVERITIES;
}

const is = (of: ClassId, activity: number, severity?: Mapping['severity']): Mapping => ({
  of,
  activity,
  ...(severity === undefined ? {} : { severity }),
});
const failed = (of: ClassId, activity: number, severity?: Mapping['severity']): Mapping => ({
  ...is(of, activity, severity),
  failed: true,
});
const OTHER = 99;

export const OCSF: Readonly<Record<AuditEventName, Mapping>> = {
  authn_login_success: is(3002, 1),
  authn_login_fail: failed(3002, 1),
  authn_login_fail_max: failed(3002, 1, 3),
  authn_password_change: is(3001, 3),
  authn_password_change_fail: failed(3001, 3),
  authn_step_up: is(3002, OTHER),
  authn_step_up_fail: failed(3002, OTHER),
  authn_password_reset_requested: is(3001, OTHER),
  authn_password_reset: is(3001, 4),
  authn_password_reset_fail: failed(3001, 4),
  authn_token_created: is(3002, OTHER),
  authn_token_fail: failed(3002, OTHER),
  authn_token_reuse: failed(3002, OTHER, 4),
  authn_token_revoked: is(3002, 2),
  session_created: is(3003, 1),
  session_expired: is(3002, 2),
  session_use_after_expire: failed(3002, OTHER),
  connection_opened: is(4001, 1),
  connection_renewed: is(3002, OTHER),
  connection_refused: failed(4001, 5),
  connection_closed: is(4001, 2),
  connection_ended: is(4001, 2),
  authz_fail: failed(6003, OTHER),
  privilege_permissions_changed: is(3005, OTHER),
  user_created: is(3001, 1),
  user_updated: is(3001, OTHER),
  user_suspended: is(3001, 5),
  user_restored: is(3001, 2),
  user_linked: is(3001, OTHER),
  user_taken_over: is(3001, OTHER, 3),
  tenant_created: is(3004, 1),
  tenant_updated: is(3004, 3),
  tenant_erased: is(3004, 4),
  room_created: is(3004, 1),
  room_updated: is(3004, 3),
  room_deleted: is(3004, 4),
  invite_created: is(3004, 1),
  invite_accepted: is(3005, OTHER),
  invite_withdrawn: is(3004, 4),
  room_events_lost: is(3004, OTHER, 4),
  key_created: is(3004, 1),
  key_rotated: is(3004, 3),
  key_withdrawn: is(3004, 9, 3),
  excess_rate_limit_exceeded: failed(6003, OTHER, 3),
  authority_history_replaced: is(6002, OTHER, 5),
  sys_startup: is(6002, 3),
  sys_shutdown: is(6002, 4),
  sys_monitor_disabled: is(6002, OTHER, 4),
  audit_truncated: is(6002, OTHER, 5),
  config_changed: is(3004, 3),
  data_read: is(6003, 2),
  review_signed: is(6003, OTHER),
  audit_pruned: is(6003, 4),
};

/** An event of a newer node. */
const UNKNOWN: Mapping = is(6003, OTHER);

export interface ExportedRecord extends Omit<AuditRecord, 'at'> {
  readonly at: Date;
  readonly node: string;
  readonly n: string;
}

export function ocsfOf(record: ExportedRecord, cursor: string): Record<string, unknown> {
  const { event, actor_id, user_id, tenant_id, session_hash, ip, request_id } = record;
  const mapping = Object.hasOwn(OCSF, event) ? OCSF[event as AuditEventName] : UNKNOWN;
  const { of, activity, failed: isFailed = false, severity = 1 } = mapping;
  const category = Math.floor(of / 1000);
  return {
    cursor,
    time: record.at.getTime(),
    time_dt: record.at.toISOString(),
    class_uid: of,
    class_name: CLASSES[of],
    category_uid: category,
    category_name: CATEGORIES[category],
    activity_id: activity,
    activity_name: ACTIVITIES[of][activity] ?? event,
    type_uid: of * 100 + activity,
    severity_id: severity,
    severity: SEVERITIES[severity],
    status_id: isFailed ? 2 : 1,
    status: isFailed ? 'Failure' : 'Success',
    metadata: {
      version: OCSF_VERSION,
      uid: record.id,
      event_code: event,
      product: { name: 'Wardroom', vendor_name: 'Wardroom' },
      ...(request_id === null ? {} : { correlation_uid: request_id }),
      ...(tenant_id === null ? {} : { tenant_uid: tenant_id }),
    },
    ...(actor_id === null ? {} : { actor: { user: { uid: actor_id } } }),
    ...(user_id === null ? {} : { user: { uid: user_id } }),
    ...(session_hash === null ? {} : { session: { uid: session_hash } }),
    ...(ip === null ? {} : { src_endpoint: { ip } }),
    unmapped: { ...record.detail, chain: record.node, n: Number(record.n) },
  };
}
