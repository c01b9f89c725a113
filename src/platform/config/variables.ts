/**
 * Every variable of the environment: schema, default and meaning. config.ts parses them. Source:
 * docs/contract.md, section 1.
 */
import * as z from 'zod';
import { emailSchema } from '../email.js';
import { issuersFile } from './issuers-file.js';
import { tryNodes } from './try-nodes.js';
import { host, network, origin, publicUrl } from './network-names.js';
import { mailFrom } from './mail-from.js';
import { readPostgresUrl } from './postgres-url.js';

const integer = (from: number, to: number) => z.coerce.number().int().min(from).max(to);
/** A bound that `0` turns off. */
const limit = (to = Number.MAX_SAFE_INTEGER) =>
  integer(0, to).transform((value) => (value === 0 ? Infinity : value));
const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );

/** Checked here, so that one start lists every problem; postgres-access.ts parses it again. */
const postgresUrl = z
  .url({ protocol: /^postgres(ql)?$/, abort: true })
  .superRefine((text, context) => {
    try {
      readPostgresUrl(text);
    } catch (error) {
      context.addIssue((error as Error).message);
    }
  });

export const SECRETS = [
  'SECRET_KEY',
  'DATABASE_URL',
  'REDIS_URL',
  'BOOTSTRAP_OPERATOR_PASSWORD',
  'SMTP_URL',
] as const;

/**
 * Variable, schema and meaning, in the order of the contract; docs/operations.md prints it (`npm
 * run docs`).
 */
export const VARIABLES = {
  NODE_ENV: [
    z.enum(['development', 'production', 'test']).default('development'),
    'development',
    'mode',
  ],
  PORT: [
    integer(0, 65535).default(3000),
    '3000',
    'public listener: HTTP and WebSocket, with TLS_CERT_FILE HTTPS and WSS',
  ],
  HOST: [host.optional(), '127.0.0.1; 0.0.0.0 in production', 'address of the public listener'],
  INTERNAL_PORT: [
    integer(0, 65535).default(3001),
    '3001',
    '`/metrics`, `/livez`, `/readyz`; 0 = off',
  ],
  INTERNAL_HOST: [
    host.default('127.0.0.1'),
    '127.0.0.1',
    'address of the internal listener; it does not follow HOST',
  ],
  TLS_CERT_FILE: [
    z.string().optional(),
    '-',
    'certificate chain in PEM: the public listener speaks HTTPS and WSS (TLS 1.2 or newer); read again when it changes',
  ],
  TLS_KEY_FILE: [z.string().optional(), '-', 'its private key in PEM'],
  DATABASE_URL: [
    postgresUrl,
    'required',
    'Postgres 15 or newer; may end in `?schema=`, `?sslmode=`, `?pgbouncer=`',
  ],
  REDIS_URL: [
    z.url({ protocol: /^rediss?$/ }),
    'required',
    'Redis or Valkey 7 or newer, `maxmemory-policy noeviction`',
  ],
  PUBLIC_URL: [
    publicUrl.optional(),
    'the one in the database',
    'issuer and audience of tokens; fixed by the first start; a node that names another refuses to start; https in production',
  ],
  ALLOW_INSECURE_HTTP: [
    z.enum(['on', 'off']).default('off'),
    'off',
    '`on` allows a PUBLIC_URL with http in production, and requests that a trusted proxy took over plain HTTP',
  ],
  ALLOWED_ORIGINS: [
    list.pipe(z.array(origin)),
    'empty',
    'exact browser origins, of any scheme, for CORS with credentials and for WebSocket, beside that of PUBLIC_URL; in development also every loopback origin; comma-separated',
  ],
  TRUSTED_PROXIES: [
    list.pipe(z.array(network)),
    'empty',
    'CIDRs whose `X-Forwarded-*` headers are believed',
  ],
  SECRET_KEY: [
    z
      .string()
      .optional()
      .transform((text) => (text ?? '').split(',').filter((key) => key !== '')),
    'required in production',
    'wraps signing keys at rest, at least 32 bytes; comma-separated, the first is current',
  ],
  SIGNING_ALG: [
    z.enum(['ES256', 'RS256']).default('ES256'),
    'ES256',
    'algorithm of new signing keys, `ES256` or `RS256`; keys made before keep theirs',
  ],
  KEY_ROTATION_DAYS: [
    limit(3650).default(30),
    '30',
    'a signing key this old gets a successor; 0 leaves rotation to `npm run keys -- rotate`',
  ],
  KEY_ANNOUNCE_SECONDS: [
    integer(3, 604_800).default(330),
    '330',
    'a new key is announced this long before it signs; others may keep our JWKS 30 s less',
  ],
  ACCESS_TTL_SECONDS: [
    integer(2, 900).default(300),
    '300',
    'access token life, 30 to 900 (from 2 with NODE_ENV=test)',
  ],
  SESSION_IDLE_SECONDS: [
    limit().default(604_800),
    '604800',
    'a session ends after that long without activity',
  ],
  SESSION_ABSOLUTE_SECONDS: [
    integer(1, 315_360_000).default(2_592_000),
    '2592000',
    'a session ends at the latest then',
  ],
  REFRESH_OVERLAP_SECONDS: [
    integer(0, 60).default(10),
    '10',
    'how long the preceding refresh token still answers with its successor',
  ],
  AUTH_DEADLINE_MS: [integer(100, 60_000).default(5000), '5000', 'first `auth` frame'],
  AUTH_WARNING_SECONDS: [
    integer(0, 900).default(300),
    '300',
    '`auth_expiring_soon` before expiry, at most half the token life',
  ],
  AUTH_GRACE_SECONDS: [
    integer(0, 300).default(30),
    '30',
    'fenced time for re-authentication after expiry',
  ],
  AUTHORITY_LEASE_MS: [
    integer(1000, 30_000).default(5000),
    '5000',
    'hard bound B of the authority log',
  ],
  FENCE_CLOSE_MS: [
    integer(0, 3_600_000).default(30_000),
    '30000',
    'a node fenced this long closes its connections',
  ],
  QUERY_TOKEN: [z.enum(['on', 'off']).default('off'), 'off', '`on` allows `?token=`'],
  MAX_FRAME_BYTES: [integer(1024, 16_777_216).default(65_536), '65536', 'largest inbound frame'],
  MAX_QUEUE_BYTES: [limit().default(1_048_576), '1048576', 'outbound queue of a connection'],
  MAX_CONNECTIONS: [limit().default(50_000), '50000', 'connections of a node'],
  MAX_CONNECTIONS_PER_IP: [limit().default(500), '500', 'connections of a node from one address'],
  MAX_UNAUTHENTICATED: [
    limit().default(2000),
    '2000',
    'connections of a node that have not authenticated yet',
  ],
  MAX_UNAUTHENTICATED_PER_IP: [limit().default(50), '50', 'the same from one address'],
  MAX_SUBSCRIPTIONS: [limit().default(200), '200', 'subscriptions of a connection'],
  PUBLISH_RATE: [
    limit().default(20),
    '20',
    'durable work (publish, edit, delete, react; over REST too) per second and user, on all nodes together, burst x3',
  ],
  SIGNAL_RATE: [
    limit().default(20),
    '20',
    'transient work (signal, typing, read, presence) per second and user, burst x3',
  ],
  SUBSCRIBE_RATE: [limit().default(10), '10', 'subscribes per second and user, burst x3'],
  CALL_RATE: [
    limit().default(100),
    '100',
    'other REST calls per second and user, burst x3; pages count more than once',
  ],
  FRAME_RATE: [limit().default(100), '100', 'frames per second and connection, burst x3'],
  MAX_ROOMS_PER_USER: [limit().default(500), '500', 'rooms that a user may own'],
  MAX_SESSIONS_PER_USER: [
    limit().default(100),
    '100',
    'live sessions of a user; one more ends the one that was idle longest',
  ],
  LOGIN_FAILURES_PER_MINUTE: [limit().default(10), '10', 'failed logins per user and address'],
  LOGINS_PER_MINUTE: [limit().default(30), '30', 'successful logins per user'],
  STEP_UP_SECONDS: [
    limit().default(600),
    '600',
    'in a browser, dangerous calls of administration need a password that was given at most so long ago',
  ],
  BOOTSTRAP_OPERATOR_EMAIL: [
    emailSchema.optional(),
    '-',
    'creates the first operator (tenant `system`) when there is none',
  ],
  BOOTSTRAP_OPERATOR_PASSWORD: [z.string().min(12).optional(), '-', 'its password'],
  AUDIT_RETENTION_DAYS: [
    integer(0, 36_500).default(400),
    '400',
    'older audit records are deleted; 0 = never',
  ],
  CLOSES_KEPT_HOURS: [
    integer(24, 8_760).default(24),
    '24',
    'hours for which `GET /v1/admin/closes/{close_id}` explains the end of a connection',
  ],
  AUDIT_ROWS_PER_MINUTE: [
    limit().default(60),
    '60',
    'audit records of a kind that a user, or an address where nobody is known, causes one by one by what changes nothing (refusals, denials, connections, tickets); the rest is counted in one record a minute',
  ],
  SMTP_URL: [
    z.url({ protocol: /^smtps?$/ }).optional(),
    '-',
    'mail server for password resets and invitations: `smtp://user:password@host:587` (STARTTLS) or `smtps://`; without it no mail is sent, and admins hand links out',
  ],
  MAIL_FROM: [mailFrom.optional(), '-', 'sender of mails: `Wardroom <no-reply@example.com>`'],
  ISSUERS_FILE: [issuersFile, '-', 'external OpenID issuers (JSON)'],
  WEB: [
    z.enum(['on', 'off', 'internal']).default('on'),
    'on',
    'serves the pages; `off` = API only; `internal` = the console on `INTERNAL_PORT` alone, which then serves the API, too',
  ],
  TRY_PAGE: [
    z.enum(['on', 'off']).optional(),
    'on in development, else off',
    '`/` is the try-out page, which signs seeded people in without a password; refused in production',
  ],
  TRY_NODES: [tryNodes, '-', 'the nodes of the try-out page (JSON); `npm run dev` sets it'],
  AUTO_MIGRATE: [
    z.enum(['on', 'off']).default('on'),
    'on',
    '`off` leaves migration to `npm run migrate`',
  ],
  LOG_LEVEL: [
    z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
    'info',
    'pino level',
  ],
} as const satisfies Record<string, readonly [z.ZodType, string, string]>;

export type Name = keyof typeof VARIABLES;
export type Parsed = { [N in Name]: z.output<(typeof VARIABLES)[N][0]> };
