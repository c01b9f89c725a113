/**
 * Every code that leaves Wardroom, once. The server answers with them, the SDK obeys their actions,
 * the docs print this table (`npm run docs`). Two vocabularies that never mix: an *error* answers
 * one request or frame and the connection stays; a *close* ends a connection. Source: contract
 * section 6.
 *
 * No dependency: this file also runs in browsers, inside the SDK.
 */

/** The next step of a client; the same word in REST, frames and closes. */
export const ACTIONS = {
  none: 'denied here, carry on',
  refresh: 'get a new access token, then come back',
  retry: 'the same again after `retry_after_ms`',
  reconnect: 'open a new connection after `retry_after_ms`, else at once with jitter',
  login: 'a person must sign in again',
  stop: 'do not come back',
} as const;

export type Action = keyof typeof ACTIONS;

export interface ErrorSpec {
  /** HTTP status when REST answers with it. */
  readonly status: number;
  readonly action: Action;
  /** The public sentence. Never holds input, secrets or ids. */
  readonly message: string;
}

/** Codes of refused requests and frames. */
export const ERROR_CODES = {
  invalid_request: {
    status: 422,
    action: 'none',
    message: 'The request has invalid or unknown fields.',
  },
  invalid_frame: { status: 422, action: 'none', message: 'The frame is not valid.' },
  two_credentials: {
    status: 400,
    action: 'none',
    message: 'More than one credential was presented.',
  },
  invalid_credentials: {
    status: 401,
    action: 'none',
    message: 'Tenant, e-mail or password is wrong.',
  },
  auth_missing: { status: 401, action: 'login', message: 'No credential was presented.' },
  auth_invalid: { status: 401, action: 'login', message: 'The credential is not valid.' },
  session_revoked: { status: 401, action: 'login', message: 'The session was ended.' },
  session_expired: { status: 401, action: 'login', message: 'The session has reached its end.' },
  token_reuse: {
    status: 401,
    action: 'login',
    message: 'A refresh token was used twice; the session was ended.',
  },
  user_suspended: { status: 401, action: 'stop', message: 'The user is suspended.' },
  tenant_disabled: { status: 401, action: 'stop', message: 'The tenant is disabled.' },
  token_expired: { status: 401, action: 'refresh', message: 'The access token has expired.' },
  token_revoked: {
    status: 401,
    action: 'refresh',
    message: 'The key of the access token was withdrawn.',
  },
  not_a_member: { status: 403, action: 'none', message: 'Only members of the room may do this.' },
  read_only: {
    status: 403,
    action: 'none',
    message: 'Your role reads this room but does not write to it.',
  },
  muted: { status: 403, action: 'none', message: 'You are muted in this room.' },
  role_required: { status: 403, action: 'none', message: 'Your role does not allow this.' },
  scope_required: {
    status: 403,
    action: 'none',
    message: 'The scopes of this service account do not allow this.',
  },
  step_up_required: {
    status: 403,
    action: 'none',
    message:
      'Give your password again (POST /v1/auth/step-up), or sign in again; then repeat the call.',
  },
  guest_read_only: { status: 403, action: 'none', message: 'Guests may only read.' },
  kind_refused: { status: 403, action: 'none', message: 'This kind is not for you to send.' },
  csrf_failed: {
    status: 403,
    action: 'none',
    message: 'The CSRF token or the Origin is missing or wrong.',
  },
  origin_refused: { status: 403, action: 'none', message: 'This Origin is not allowed.' },
  https_required: {
    status: 403,
    action: 'none',
    message: 'This request came over plain HTTP. Use https, or wss for a WebSocket.',
  },
  not_found: {
    status: 404,
    action: 'none',
    message: 'There is no such thing, or you may not know of it.',
  },
  method_not_allowed: {
    status: 405,
    action: 'none',
    message: 'This path has other methods; `Allow` names them.',
  },
  op_conflict: {
    status: 409,
    action: 'none',
    message: 'This op_id was used before with other content.',
  },
  slug_taken: { status: 409, action: 'none', message: 'This slug is taken.' },
  email_taken: { status: 409, action: 'none', message: 'This e-mail is taken.' },
  last_owner: {
    status: 409,
    action: 'none',
    message: 'The last owner cannot leave or be demoted.',
  },
  quota_exceeded: {
    status: 409,
    action: 'none',
    message: 'There is a limit to how many of these one may have.',
  },
  identity_mismatch: {
    status: 409,
    action: 'none',
    message: 'The credential belongs to somebody else.',
  },
  too_big: { status: 413, action: 'none', message: 'Too big.' },
  rate_limited: { status: 429, action: 'retry', message: 'Too many requests.' },
  auth_loop: { status: 429, action: 'retry', message: 'The same credential failed too often.' },
  too_many_connections: { status: 429, action: 'retry', message: 'Too many connections.' },
  too_many_subscriptions: {
    status: 429,
    action: 'retry',
    message: 'Too many subscriptions on this connection.',
  },
  internal: { status: 500, action: 'retry', message: 'Something failed on our side.' },
  overloaded: { status: 503, action: 'retry', message: 'The node is overloaded.' },
  unavailable: { status: 503, action: 'retry', message: 'The service is temporarily unavailable.' },
  auth_unavailable: {
    status: 503,
    action: 'retry',
    message: 'This node cannot prove at the moment that its authority is current.',
  },
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface CloseSpec {
  /** RFC 6455 section 7.4 status, or 4000-4999 of our own. */
  readonly status: number;
  readonly action: Action;
  readonly message: string;
}

/** Reason codes of closes. */
export const CLOSE_CODES = {
  draining: { status: 1001, action: 'reconnect', message: 'The node is leaving service.' },
  restarting: { status: 1012, action: 'reconnect', message: 'The node restarts.' },
  protocol_error: { status: 1002, action: 'stop', message: 'A WebSocket frame broke RFC 6455.' },
  unsupported_data: { status: 1003, action: 'stop', message: 'Only text frames are understood.' },
  invalid_utf8: { status: 1007, action: 'stop', message: 'A text frame was not UTF-8.' },
  too_big: { status: 1009, action: 'stop', message: 'A frame was too big.' },
  auth_missing: { status: 1008, action: 'login', message: 'The first frame was not `auth`.' },
  auth_invalid: { status: 1008, action: 'login', message: 'The credential is not valid.' },
  session_revoked: { status: 1008, action: 'login', message: 'The session was ended.' },
  session_expired: { status: 1008, action: 'login', message: 'The session has reached its end.' },
  token_reuse: {
    status: 1008,
    action: 'login',
    message: 'A refresh token was used twice; the session was ended.',
  },
  identity_mismatch: {
    status: 1008,
    action: 'login',
    message: 'The credential belongs to somebody else.',
  },
  auth_timeout: { status: 1008, action: 'reconnect', message: 'No credential came in time.' },
  policy_violation: { status: 1008, action: 'stop', message: 'Too many invalid frames.' },
  carrier_off: {
    status: 1008,
    action: 'stop',
    message:
      'Tokens in the URL are switched off here. Send the token in a first `auth` frame or as subprotocol, or put a ticket into the URL.',
  },
  internal: { status: 1011, action: 'retry', message: 'Something failed on our side.' },
  auth_unavailable: {
    status: 1013,
    action: 'retry',
    message: 'This node cannot prove at the moment that its authority is current.',
  },
  overloaded: { status: 1013, action: 'retry', message: 'The node is overloaded.' },
  rate_limited: { status: 1013, action: 'retry', message: 'Too many frames.' },
  auth_loop: { status: 1013, action: 'retry', message: 'The same credential failed too often.' },
  slow_consumer: {
    status: 1013,
    action: 'reconnect',
    message: 'The connection did not read fast enough.',
  },
  token_expired: { status: 4001, action: 'refresh', message: 'The access token has expired.' },
  token_revoked: {
    status: 4001,
    action: 'refresh',
    message: 'The key of the access token was withdrawn.',
  },
  user_suspended: { status: 4003, action: 'stop', message: 'The user is suspended.' },
  tenant_disabled: { status: 4003, action: 'stop', message: 'The tenant is disabled.' },
  forbidden: { status: 4003, action: 'stop', message: 'The principal may not connect.' },
} as const satisfies Record<string, CloseSpec>;

export type CloseCode = keyof typeof CLOSE_CODES;

/** Codes of `unsubscribed`: why a subscription ended. */
export const UNSUBSCRIBE_CODES = {
  client: { action: 'none', message: 'You asked for it.' },
  removed: { action: 'none', message: 'You are no longer a member of the room.' },
  banned: { action: 'none', message: 'You were banned from the room.' },
  room_closed: { action: 'none', message: 'The room was deleted.' },
  not_found: { action: 'none', message: 'The room is no longer open to you.' },
} as const satisfies Record<string, { action: Action; message: string }>;

export type UnsubscribeCode = keyof typeof UNSUBSCRIBE_CODES;
