/**
 * Every kind of record in the audit. Names are those of the OWASP Logging Vocabulary where it has
 * one; the rest are in its manner. docs/operations.md prints this table (`npm run docs`).
 */
export const AUDIT_EVENTS = {
  authn_login_success: 'somebody signed in; `method`: password, registration, guest or exchange',
  authn_login_fail: 'a sign-in was refused; `method`: as above',
  authn_login_fail_max: 'a sign-in was refused unseen: too many failed, or came, before',
  authn_password_change: 'a password was changed',
  authn_password_change_fail: 'a password change was refused',
  authn_step_up: 'a signed-in user gave the password again, for calls that need a fresh proof',
  authn_step_up_fail: 'a password that was given again was refused',
  authn_password_reset_requested:
    'a link for a new password was made; `by`: mail (sent to the address of the user) or admin',
  authn_password_reset: 'a password was set by such a link; `by`: as above, `reset`: its id',
  authn_password_reset_fail: 'a link for a new password was refused',
  authn_token_created:
    'a token was handed out to a signed-in session; `kind`: access (by a refresh) or ticket',
  authn_token_fail:
    'a REST call, a refresh or what an issuer sent was refused for its credential; `kind`: refresh, logout_token or security_event',
  authn_token_reuse: 'a refresh token that was used up came again; its session ended',
  authn_token_revoked:
    'sessions were revoked; `by`: an external issuer, else the operator or admin who is named',
  session_created: 'a session began',
  session_expired:
    'a session ended; `reason`: logout, timeout, quota, revoked, password_change, password_reset, token_reuse, user_suspended, tenant_disabled, guests_disallowed, taken_over',
  session_use_after_expire: 'a credential of an ended session was refused',
  connection_opened: 'a WebSocket was authenticated',
  connection_renewed: 'a WebSocket was authenticated again in place',
  connection_refused: 'a WebSocket, or its renewal, was refused for its credential',
  connection_closed: 'an authenticated WebSocket is over',
  connection_ended: 'an operator closed a WebSocket; `connection`: which, `code`: with which code',
  authz_fail: 'somebody was denied something; `rule` says why',
  privilege_permissions_changed: 'a role, mute or ban was given or taken, in a tenant or a room',
  user_created:
    'a user was made; `by`: the role of who made it, registration, invitation, exchange or bootstrap',
  user_updated: 'the name, picture or status of a user was changed; `fields`: which',
  user_suspended: 'a user was suspended',
  user_restored: 'a suspended user was let in again',
  user_linked: 'an identity of an external issuer was linked to a user',
  user_taken_over:
    'who proved the address of a user by an issuer got the account: its password was erased and its sessions ended',
  tenant_created: 'a tenant was made',
  tenant_updated: 'a tenant was changed, disabled or restored',
  tenant_erased: 'a tenant was deleted; `slug`: its name until then',
  room_created: 'a room was made',
  room_updated: 'settings of a room were changed',
  room_deleted: 'a room was closed',
  invite_created:
    'a link was made by which others come in; `invite`, `room` (absent: as a new user of the tenant)',
  invite_accepted: 'somebody came into a room by a link; `invite`, `room`',
  invite_withdrawn: 'a link was withdrawn; `invite`, `room`',
  room_events_lost:
    'acknowledged events of a room are gone: Postgres came back without them; `from`, `to`: as far as this node knew them',
  key_created: 'a signing key was made',
  key_rotated: 'signing keys were rotated; `by`: request, command or age, `reason`',
  key_withdrawn: 'a signing key was withdrawn; `by`: as above, `reason`',
  excess_rate_limit_exceeded:
    'a limit was reached; `limit`: auth_loop (a credential that loops), refresh_loop or reconnect_loop (a session that loops; nothing is refused), or audit (`count` more of `event` between `from` and `to` than are recorded one by one; `ip`: of this network)',
  authority_history_replaced:
    'Postgres came back without commits that a node had seen; `evidence`: what showed it (`restore`: `npm run restore-fence`), `sessions`, `tenants`: ended and disabled again, `first`: this node named the new history',
  sys_startup: 'a node began its chain; `heads`: where the other chains stood',
  sys_shutdown: 'a node ended its chain in order; a chain without it ended in a crash or goes on',
  sys_monitor_disabled: 'records were lost, because Postgres was away too long; `lost`: how many',
  audit_truncated:
    'a chain in Postgres lacks records that a node knows were committed; `chain`, `from`, `to`: which; `by`: writer (the node goes on in a new chain) or witness',
  config_changed:
    'a node started with another value of a variable than the installation was last started with; `name`, `from`, `to` (a secret: `set`, `not set`, `changed`), `node`',
  data_read:
    'an operator, auditor or admin looked at data of users; `what`: which, `id`: of what (null: of everything)',
  review_signed:
    'an operator signed a monthly review off; `month`, `note`, `verdict`: as it was then',
  audit_pruned: 'records older than the retention were deleted',
} as const;

export type AuditEventName = keyof typeof AUDIT_EVENTS;

export type AuditDetail = Readonly<Record<string, unknown>>;

/**
 * The fields that the caller knows. Missing ones come from the request that is being handled, if
 * there is one.
 */
export interface AuditNote {
  readonly event: AuditEventName;
  /** Of whatever the event is about. */
  readonly tenant?: string | null;
  /** The user who did it; null: unknown, or the system. */
  readonly actor?: string | null;
  /** The user it is about. */
  readonly user?: string | null;
  /** Id; only its hash is kept. */
  readonly session?: string | null;
  readonly ip?: string | null;
  readonly requestId?: string | null;
  /**
   * Codes, ids, counts. Never a secret, and no text that somebody typed into a field, but for the
   * note of a review.
   */
  readonly detail?: AuditDetail;
}

/** A record as it is stored, but for its place in the chain. */
export interface AuditRecord {
  readonly id: string;
  /** RFC 3339, milliseconds; the clock of the node. */
  readonly at: string;
  readonly event: string;
  readonly tenant_id: string | null;
  readonly actor_id: string | null;
  readonly user_id: string | null;
  readonly session_hash: string | null;
  readonly ip: string | null;
  readonly request_id: string | null;
  readonly detail: AuditDetail;
}
