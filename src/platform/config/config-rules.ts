/**
 * Rules between variables. A rule is checked when each variable it names is good by itself, so that
 * one start names every problem.
 */
import type { Name, Parsed } from './variables.js';
import { readTlsPair } from './tls-pair.js';

/** Beyond the bound of the authority log: for reading the key itself. */
export const KEY_PROPAGATION_MS = 1_000;
export const HTTPS_ONLY =
  'has to be https in production (ALLOW_INSECURE_HTTP=on allows http: whoever is on the way then reads every credential)';

type Rule = readonly [names: readonly Name[], problem: (env: Parsed) => string | null];

const RULES: readonly Rule[] = [
  [
    ['NODE_ENV', 'ACCESS_TTL_SECONDS'],
    (env) =>
      env.NODE_ENV !== 'test' && env.ACCESS_TTL_SECONDS < 30
        ? 'ACCESS_TTL_SECONDS: at least 30 (2 with NODE_ENV=test)'
        : null,
  ],
  [
    ['SECRET_KEY'],
    (env) =>
      env.SECRET_KEY.length === 0
        ? 'SECRET_KEY: is required (the try-out launcher makes one)'
        : null,
  ],
  [
    ['SECRET_KEY'],
    (env) =>
      env.SECRET_KEY.some((key) => Buffer.byteLength(key) < 32)
        ? 'SECRET_KEY: every key needs at least 32 bytes'
        : null,
  ],
  [
    ['NODE_ENV', 'ISSUERS_FILE'],
    (env) =>
      env.NODE_ENV === 'production' &&
      env.ISSUERS_FILE.some(
        ({ issuer, jwks_uri }) =>
          !isHttps(issuer) || (jwks_uri !== undefined && !isHttps(jwks_uri)),
      )
        ? 'ISSUERS_FILE: issuers and key sets are read over https in production'
        : null,
  ],
  [
    ['KEY_ANNOUNCE_SECONDS', 'AUTHORITY_LEASE_MS'],
    (env) =>
      env.KEY_ANNOUNCE_SECONDS * 1000 < env.AUTHORITY_LEASE_MS + KEY_PROPAGATION_MS
        ? 'KEY_ANNOUNCE_SECONDS: at least AUTHORITY_LEASE_MS and a second, so that every node knows a key before it signs'
        : null,
  ],
  [
    ['NODE_ENV', 'ALLOWED_ORIGINS'],
    (env) =>
      env.NODE_ENV === 'production' && env.ALLOWED_ORIGINS.includes('*')
        ? 'ALLOWED_ORIGINS: `*` is refused in production'
        : null,
  ],
  [
    ['NODE_ENV', 'PUBLIC_URL', 'ALLOW_INSECURE_HTTP'],
    (env) =>
      env.NODE_ENV === 'production' &&
      env.ALLOW_INSECURE_HTTP === 'off' &&
      env.PUBLIC_URL !== undefined &&
      !isHttps(env.PUBLIC_URL)
        ? `PUBLIC_URL: ${HTTPS_ONLY}`
        : null,
  ],
  [
    ['PORT', 'INTERNAL_PORT'],
    (env) =>
      env.PORT !== 0 && env.PORT === env.INTERNAL_PORT
        ? 'PORT, INTERNAL_PORT: have to differ'
        : null,
  ],
  [
    ['TLS_CERT_FILE', 'TLS_KEY_FILE'],
    (env) =>
      (env.TLS_CERT_FILE === undefined) !== (env.TLS_KEY_FILE === undefined)
        ? 'TLS_CERT_FILE, TLS_KEY_FILE: set both or none'
        : null,
  ],
  [['TLS_CERT_FILE', 'TLS_KEY_FILE'], tlsProblem],
  [
    ['NODE_ENV', 'TRY_PAGE'],
    (env) =>
      env.NODE_ENV === 'production' && env.TRY_PAGE === 'on'
        ? 'TRY_PAGE: is for trying out only, and refused in production'
        : null,
  ],
  [
    ['SMTP_URL', 'MAIL_FROM'],
    (env) =>
      (env.SMTP_URL === undefined) !== (env.MAIL_FROM === undefined)
        ? 'SMTP_URL, MAIL_FROM: set both or none'
        : null,
  ],
  [
    ['BOOTSTRAP_OPERATOR_EMAIL', 'BOOTSTRAP_OPERATOR_PASSWORD'],
    (env) =>
      (env.BOOTSTRAP_OPERATOR_EMAIL === undefined) !==
      (env.BOOTSTRAP_OPERATOR_PASSWORD === undefined)
        ? 'BOOTSTRAP_OPERATOR_EMAIL, BOOTSTRAP_OPERATOR_PASSWORD: set both or none'
        : null,
  ],
];

export function brokenRules(env: Partial<Parsed>): string[] {
  return RULES.flatMap(([names, problem]) =>
    names.every((name) => Object.hasOwn(env, name)) ? (problem(env as Parsed) ?? []) : [],
  );
}

function tlsProblem({ TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile }: Parsed): string | null {
  if (certFile === undefined || keyFile === undefined) return null;
  try {
    readTlsPair({ certFile, keyFile });
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

const isHttps = (url: string): boolean => url.startsWith('https:');
