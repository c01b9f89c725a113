/**
 * The cost of everything that can be requested from outside: one row for each REST call and each
 * frame. The buckets of a principal are spent by the guards (spend-call.ts, frame.guard.ts),
 * `frame` by frame-queue.ts, `refresh` by refresh-session.ts, and those of strangers in
 * src/auth/limits/. docs/security.md prints the table (`npm run docs`), test/security/cost.test.ts
 * measures it. A frame without a row does not compile; a call without one fails the build and
 * answers nobody.
 */
import type { ClientFrameType } from '@wardroom/protocol';

/**
 * Spent by principal: all connections and calls of a user together, on all nodes
 * (principal-rates.ts).
 */
export const PRINCIPAL_BUCKETS = {
  publish: { who: 'principal', bound: '`PUBLISH_RATE` a second, burst x3' },
  signal: { who: 'principal', bound: '`SIGNAL_RATE` a second, burst x3' },
  subscribe: { who: 'principal', bound: '`SUBSCRIBE_RATE` a second, burst x3' },
  call: { who: 'principal', bound: '`CALL_RATE` a second, burst x3' },
} as const;

export const BUCKETS = {
  ...PRINCIPAL_BUCKETS,
  frame: { who: 'connection', bound: '`FRAME_RATE` a second, burst x3, for all its frames' },
  login: {
    who: 'user and address',
    bound:
      '`LOGIN_FAILURES_PER_MINUTE` and `LOGINS_PER_MINUTE`; one hash at a time for a user, and not all for an address',
  },
  entry: {
    who: 'address and tenant',
    bound: '10 and 100 times `LOGIN_FAILURES_PER_MINUTE` a minute',
  },
  look: { who: 'address', bound: '60 times `LOGIN_FAILURES_PER_MINUTE` a minute' },
  recovery: {
    who: 'address; account',
    bound: '`LOGIN_FAILURES_PER_MINUTE` a minute; 3 mails a minute, 5 links that are alive',
  },
  credential: {
    who: 'credential and address',
    bound: 'ten refusals a minute, then none is looked at',
  },
  refresh: {
    who: 'credential and address; principal',
    bound:
      'ten refusals a minute, then none is looked at; of a true one `CALL_RATE` a second, burst x3',
  },
  issuer: { who: 'address', bound: '`LOGIN_FAILURES_PER_MINUTE` refusals a minute' },
  document: { who: 'anybody', bound: 'its cost' },
  try_out: { who: 'anybody on this machine', bound: 'only where `TRY_PAGE` is on' },
} as const;

export type PrincipalBucket = keyof typeof PRINCIPAL_BUCKETS;
export type Bucket = keyof typeof BUCKETS;

export interface Budget {
  readonly bucket: Bucket;
  /** Tokens of the bucket. */
  readonly cost: number;
  /** Milliseconds of a node's CPU, on a slow and busy machine. */
  readonly cpuMs: number;
  /** Its writes to Postgres. */
  readonly rows: string;
}

const NOTHING = '-';
const EVENT = '1 room event';
const budget = (bucket: Bucket, cpuMs: number, rows = NOTHING, cost = 1): Budget => ({
  bucket,
  cost,
  cpuMs,
  rows,
});
/** Of audited changes: what is changed, and its records. */
const change = (rows: string, cost = 1): Budget => budget('call', 10, `${rows}; audit`, cost);

const WATCH_COST = 5;
export const FRAME_BUDGETS: Record<ClientFrameType, Budget> = {
  auth: budget('credential', 2, 'audit'),
  auth_refresh: budget('frame', 2, 'audit; none with the token in use'),
  ping: budget('frame', 1),
  unsubscribe: budget('frame', 1),
  subscribe: budget('subscribe', 3),
  publish: budget('publish', 3, EVENT),
  edit: budget('publish', 3, EVENT),
  delete: budget('publish', 3, EVENT),
  react: budget('publish', 3, `${EVENT}, 1 reaction of at most 20 a message`),
  signal: budget('signal', 2),
  typing: budget('signal', 2),
  read: budget('signal', 3, 'the read marker of the member'),
  presence: budget('signal', 2),
  watch: budget('subscribe', 10, NOTHING, WATCH_COST),
};

const SIGN_IN = '1 session of at most `MAX_SESSIONS_PER_USER`; audit';
/** The first look of an actor at something in a minute. */
const LOOK = '1 audit record';
const PAGE_COST = 2;
const HISTORY_COST = 4;
const EXPORT_COST = 20;

/** By method and path of the operation. */
export const CALL_BUDGETS: Readonly<Record<string, Budget>> = {
  'post /v1/auth/login': budget('login', 60, SIGN_IN),
  'post /v1/auth/register': budget('entry', 60, `1 user, ${SIGN_IN}; the invitation`),
  'post /v1/auth/guest': budget('entry', 10, '1 session; audit'),
  'post /v1/auth/exchange': budget('login', 10, SIGN_IN),
  'get /v1/auth/issuers': budget('look', 5),
  'post /v1/auth/issuers/sign-in': budget('look', 5),
  'get /v1/auth/issuers/callback': budget('login', 15, SIGN_IN),
  'post /v1/auth/refresh': budget('refresh', 10, 'the session; audit'),
  'post /v1/auth/logout': change('sessions that end, 1 receipt'),
  'post /v1/auth/password': budget('login', 120, 'the user; audit'),
  'post /v1/auth/step-up': budget('login', 60, 'the session; audit'),
  'get /v1/auth/step-up': budget('call', 5),
  'post /v1/auth/password/forgot': budget('recovery', 10, '1 link of at most 5; audit'),
  'post /v1/auth/password/reset': budget('recovery', 60, 'the user, sessions that end; audit'),
  'post /v1/auth/ticket': budget('call', 10, 'audit'),
  'get /v1/auth/sessions': budget('call', 10, NOTHING, PAGE_COST),
  'delete /v1/auth/sessions/{id}': change('the session, 1 receipt'),
  'post /v1/auth/token': budget('call', 10, 'audit'),
  'post /v1/service/sessions': change(`1 user, ${SIGN_IN}`),
  'post /v1/service/sessions/revoke': change('sessions that end, 1 receipt'),
  'get /v1/me': budget('call', 5),
  'patch /v1/me': change('the user', HISTORY_COST),
  'get /v1/users': budget('call', 10, LOOK, PAGE_COST),
  'get /v1/users/{id}': budget('call', 5, LOOK),
  'post /v1/oauth/introspect': budget('call', 5),
  'post /v1/oauth/revoke': budget('credential', 10, 'the session, 1 receipt; audit'),
  'post /v1/oauth/backchannel-logout': budget('issuer', 5, 'sessions that end; audit'),
  'post /v1/oauth/events': budget('issuer', 5, 'sessions that end; audit'),
  'get /.well-known/jwks.json': budget('document', 2),
  'get /.well-known/oauth-authorization-server': budget('document', 2),
  'get /openapi.json': budget('document', 2),
  'get /asyncapi.json': budget('document', 2),
  'get /livez': budget('document', 2),
  'get /readyz': budget('document', 2),

  'get /v1/try': budget('try_out', 5),
  'post /v1/try/sign-in': budget('try_out', 20, SIGN_IN),

  'get /v1/admin/closes/{close_id}': budget('call', 10, LOOK, PAGE_COST),

  'get /v1/me/rooms': budget('call', 20, NOTHING, HISTORY_COST),
  'patch /v1/me/rooms/{room}': budget('call', 10, 'the member'),
  'get /v1/rooms': budget('call', 10, NOTHING, PAGE_COST),
  'post /v1/rooms': change('1 room of at most `MAX_ROOMS_PER_USER`, its members', PAGE_COST),
  'get /v1/rooms/{room}': budget('call', 5),
  'patch /v1/rooms/{room}': change('the room, 1 receipt'),
  'delete /v1/rooms/{room}': change('the room, 1 receipt'),
  'post /v1/rooms/{room}/join': change('1 member'),
  'post /v1/rooms/{room}/leave': change('the member, 1 receipt'),
  'get /v1/rooms/{room}/members': budget('call', 10, NOTHING, PAGE_COST),
  'post /v1/rooms/{room}/members': change('1 member'),
  'patch /v1/rooms/{room}/members/{user}': change('the member, 1 receipt'),
  'delete /v1/rooms/{room}/members/{user}': change('the member, 1 receipt'),
  'post /v1/rooms/{room}/invites': change('1 invitation of at most 50 that are alive'),
  'get /v1/rooms/{room}/invites': budget('call', 10, NOTHING, PAGE_COST),
  'delete /v1/rooms/{room}/invites/{code}': change('the invitation'),
  'post /v1/invites/{code}/accept': change('1 member, the invitation'),
  'get /v1/rooms/{room}/messages': budget('call', 20, NOTHING, HISTORY_COST),
  'get /v1/rooms/{room}/messages/{id}': budget('call', 5),
  'get /v1/rooms/{room}/messages/{id}/edits': budget('call', 20, NOTHING, HISTORY_COST),
  'get /v1/rooms/{room}/pins': budget('call', 20, NOTHING, HISTORY_COST),
  'put /v1/rooms/{room}/pins/{message}': budget(
    'publish',
    5,
    `${EVENT}, 1 pin of at most 50 a room`,
  ),
  'delete /v1/rooms/{room}/pins/{message}': budget('publish', 5, EVENT),
  'get /v1/search': budget('call', 20, NOTHING, HISTORY_COST),
  'post /v1/rooms/{room}/messages': budget('publish', 5, EVENT),
  'patch /v1/rooms/{room}/messages/{id}': budget('publish', 5, EVENT),
  'delete /v1/rooms/{room}/messages/{id}': budget('publish', 5, EVENT),

  'post /v1/admin/tenants': change('1 tenant'),
  'get /v1/admin/tenants': budget('call', 10, NOTHING, PAGE_COST),
  'patch /v1/admin/tenants/{tenant}': change('the tenant, sessions that end, 1 receipt'),
  'delete /v1/admin/tenants/{tenant}': change('the tenant; its rows go later, in batches'),
  'post /v1/admin/tenants/{tenant}/users': budget('call', 60, '1 user; audit'),
  'get /v1/admin/tenants/{tenant}/users': budget('call', 10, LOOK, PAGE_COST),
  'post /v1/admin/tenants/{tenant}/invites': change('1 invitation of about 50 that are alive'),
  'get /v1/admin/tenants/{tenant}/invites': budget('call', 10, LOOK, PAGE_COST),
  'delete /v1/admin/tenants/{tenant}/invites/{code}': change('the invitation'),
  'post /v1/admin/users/{user}/password-reset': change('1 link of at most 5'),
  'patch /v1/admin/users/{user}': change('the user, sessions that end, 1 receipt'),
  'post /v1/admin/tenants/{tenant}/service-accounts': change('1 account'),
  'get /v1/admin/tenants/{tenant}/service-accounts': budget('call', 10, LOOK, PAGE_COST),
  'patch /v1/admin/tenants/{tenant}/service-accounts/{id}': change(
    'the account, sessions that end, 1 receipt',
  ),
  'post /v1/admin/tenants/{tenant}/service-accounts/{id}/keys': change('1 key of at most 20'),
  'delete /v1/admin/tenants/{tenant}/service-accounts/{id}/keys/{key}':
    change('the key, 1 receipt'),
  'get /v1/admin/sessions': budget('call', 20, LOOK, PAGE_COST),
  'post /v1/admin/tokens/inspect': budget('call', 10, LOOK, PAGE_COST),
  'get /v1/admin/config': budget('call', 10, NOTHING, PAGE_COST),
  'post /v1/admin/revocations': change('sessions that end, 1 receipt'),
  'get /v1/receipts/{id}': budget('call', 5),
  'get /v1/admin/decisions/{id}': budget('call', 5, LOOK),
  'get /v1/admin/explain': budget('call', 5, LOOK),
  'get /v1/admin/audit': budget('call', 20, LOOK, HISTORY_COST),
  'get /v1/admin/audit/export': budget('call', 200, LOOK, EXPORT_COST),
  'get /v1/admin/audit/verify': budget('call', 200, NOTHING, EXPORT_COST),
  'get /v1/admin/keys': budget('call', 5),
  'post /v1/admin/keys/rotate': change('1 key of at most 3 that do not sign yet, 1 receipt'),
  'get /v1/admin/stats': budget('call', 40, NOTHING, HISTORY_COST),
  'get /v1/admin/review': budget('call', 20, NOTHING, HISTORY_COST),
  'post /v1/admin/reviews': budget('call', 20, 'audit', HISTORY_COST),
  'get /v1/admin/nodes': budget('call', 10, NOTHING, PAGE_COST),
  'get /v1/admin/connections': budget('call', 20, LOOK, HISTORY_COST),
  'get /v1/admin/connections/{id}': budget('call', 10, LOOK, PAGE_COST),
  'delete /v1/admin/connections/{id}': budget('call', 10, 'audit', PAGE_COST),
};

export const isOfPrincipal = (bucket: Bucket): bucket is PrincipalBucket =>
  Object.hasOwn(PRINCIPAL_BUCKETS, bucket);
