/**
 * The environment, parsed once into a frozen object. A bad value stops the start and every bad name
 * is listed at once; no value of a secret is ever printed. `NAME_FILE` is read for every secret.
 */
import { readFileSync } from 'node:fs';
import type * as z from 'zod';
import { brokenRules } from './config-rules.js';
import { effectiveValues, textOf } from './effective-config.js';
import type { EffectiveValue, ValueSource } from './effective-config.js';
import { misspeltVariables } from './misspelt-variables.js';
import type { TlsFiles } from './tls-pair.js';
import { SECRETS, VARIABLES } from './variables.js';
import type { Name, Parsed } from './variables.js';

export class ConfigError extends Error {
  constructor(readonly problems: string[]) {
    super(
      `The configuration is not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
    );
  }
}

/** Injectable by class. */
export class Config {
  private constructor(
    private readonly env: Parsed,
    private readonly sources: Readonly<Record<string, ValueSource>>,
  ) {
    Object.freeze(this);
  }

  static parse(source: NodeJS.ProcessEnv): Config {
    const problems: string[] = [];
    const raw: Record<string, string | undefined> = {};
    const sources: Record<string, ValueSource> = {};
    for (const name of Object.keys(VARIABLES)) {
      raw[name] = source[name] === '' ? undefined : source[name];
      sources[name] = raw[name] === undefined ? 'default' : 'environment';
    }
    const unread = new Set<string>();
    for (const name of SECRETS) {
      const file = source[`${name}_FILE`];
      if (file === undefined || file === '') continue;
      try {
        raw[name] = readFileSync(file, 'utf8').trim();
        sources[name] = 'file';
        if (raw[name] !== '') continue;
        problems.push(`${name}_FILE: is empty`);
      } catch {
        problems.push(`${name}_FILE: cannot be read`);
      }
      unread.add(name);
    }
    const env: Record<string, unknown> = {};
    for (const [name, [schema]] of Object.entries(VARIABLES)) {
      if (unread.has(name)) continue;
      const result = (schema as z.ZodType).safeParse(raw[name]);
      if (result.success) env[name] = result.data;
      else
        problems.push(
          `${name}: ${raw[name] === undefined ? 'is required' : [...new Set(result.error.issues.map(publicMessage))].join('; ')}`,
        );
    }
    problems.push(...brokenRules(env as Partial<Parsed>));
    if (problems.length > 0) throw new ConfigError(problems);
    return new Config(env as Parsed, sources);
  }

  /** A line for each variable that nobody reads and that looks like one of ours. */
  static misspelt(source: NodeJS.ProcessEnv): string[] {
    return misspeltVariables(
      source,
      new Set([...Object.keys(VARIABLES), ...SECRETS.map((name) => `${name}_FILE`)]),
    );
  }

  /** Every variable for people to read; no secret. */
  get effective(): EffectiveValue[] {
    const named = { ...this.env, HOST: this.host, TRY_PAGE: this.tryPage ? 'on' : 'off' } as Parsed;
    return effectiveValues(named, this.sources);
  }
  /** For a MAC; null: not set. */
  secretText(name: Name): string | null {
    return textOf(this.env[name]);
  }
  /** Which pages are served; `internal`: the console on the internal listener alone. */
  get web() {
    return this.env.WEB;
  }
  /** Never true in production. */
  get tryPage() {
    const wanted = this.env.TRY_PAGE ?? (this.env.NODE_ENV === 'development' ? 'on' : 'off');
    return this.web !== 'off' && wanted === 'on' && !this.production;
  }
  get tryNodes() {
    return this.env.TRY_NODES ?? null;
  }
  get mode() {
    return this.env.NODE_ENV;
  }
  get development() {
    return this.env.NODE_ENV === 'development';
  }
  get production() {
    return this.env.NODE_ENV === 'production';
  }
  get port() {
    return this.env.PORT;
  }
  get host() {
    return this.env.HOST ?? (this.production ? '0.0.0.0' : '127.0.0.1');
  }
  get internalPort() {
    return this.env.INTERNAL_PORT;
  }
  get internalHost() {
    return this.env.INTERNAL_HOST;
  }
  /** Null: plain HTTP. */
  get tlsFiles(): TlsFiles | null {
    const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile } = this.env;
    return certFile === undefined || keyFile === undefined ? null : { certFile, keyFile };
  }
  get databaseUrl() {
    return this.env.DATABASE_URL;
  }
  get redisUrl() {
    return this.env.REDIS_URL;
  }
  /** As configured; the effective one is `PublicUrl`, read from the database at start. */
  get publicUrl() {
    return this.env.PUBLIC_URL;
  }
  get allowInsecureHttp() {
    return this.env.ALLOW_INSECURE_HTTP === 'on';
  }
  get allowedOrigins() {
    return this.env.ALLOWED_ORIGINS;
  }
  get trustedProxies() {
    return this.env.TRUSTED_PROXIES;
  }
  /** First = current. Never empty. */
  get secretKeys() {
    return this.env.SECRET_KEY;
  }
  get signingAlg() {
    return this.env.SIGNING_ALG;
  }
  /** Infinity: never by age. */
  get keyRotationDays() {
    return this.env.KEY_ROTATION_DAYS;
  }
  get keyAnnounceSeconds() {
    return this.env.KEY_ANNOUNCE_SECONDS;
  }
  /**
   * Life of the JWKS answer: whoever read it just before a key was announced reads it again before
   * that key signs.
   */
  get jwksSeconds() {
    return Math.max(0, this.env.KEY_ANNOUNCE_SECONDS - 30);
  }
  get accessTtlSeconds() {
    return this.env.ACCESS_TTL_SECONDS;
  }
  get sessionIdleSeconds() {
    return this.env.SESSION_IDLE_SECONDS;
  }
  get sessionAbsoluteSeconds() {
    return this.env.SESSION_ABSOLUTE_SECONDS;
  }
  get refreshOverlapSeconds() {
    return this.env.REFRESH_OVERLAP_SECONDS;
  }
  get authDeadlineMs() {
    return this.env.AUTH_DEADLINE_MS;
  }
  get authWarningSeconds() {
    return this.env.AUTH_WARNING_SECONDS;
  }
  get authGraceSeconds() {
    return this.env.AUTH_GRACE_SECONDS;
  }
  get authorityLeaseMs() {
    return this.env.AUTHORITY_LEASE_MS;
  }
  get fenceCloseMs() {
    return this.env.FENCE_CLOSE_MS;
  }
  get queryToken() {
    return this.env.QUERY_TOKEN === 'on';
  }
  get frameBytesMax() {
    return this.env.MAX_FRAME_BYTES;
  }
  get queueBytesMax() {
    return this.env.MAX_QUEUE_BYTES;
  }
  get connectionsMax() {
    return this.env.MAX_CONNECTIONS;
  }
  get connectionsPerIpMax() {
    return this.env.MAX_CONNECTIONS_PER_IP;
  }
  get unauthenticatedMax() {
    return this.env.MAX_UNAUTHENTICATED;
  }
  get unauthenticatedPerIpMax() {
    return this.env.MAX_UNAUTHENTICATED_PER_IP;
  }
  get subscriptionsMax() {
    return this.env.MAX_SUBSCRIPTIONS;
  }
  get publishRate() {
    return this.env.PUBLISH_RATE;
  }
  get signalRate() {
    return this.env.SIGNAL_RATE;
  }
  get subscribeRate() {
    return this.env.SUBSCRIBE_RATE;
  }
  get callRate() {
    return this.env.CALL_RATE;
  }
  get frameRate() {
    return this.env.FRAME_RATE;
  }
  get roomsPerUserMax() {
    return this.env.MAX_ROOMS_PER_USER;
  }
  get sessionsPerUserMax() {
    return this.env.MAX_SESSIONS_PER_USER;
  }
  get loginsPerMinute() {
    return this.env.LOGINS_PER_MINUTE;
  }
  get stepUpSeconds() {
    return this.env.STEP_UP_SECONDS;
  }
  get loginFailuresPerMinute() {
    return this.env.LOGIN_FAILURES_PER_MINUTE;
  }
  get bootstrapOperator() {
    const { BOOTSTRAP_OPERATOR_EMAIL: email, BOOTSTRAP_OPERATOR_PASSWORD: password } = this.env;
    return email !== undefined && password !== undefined ? { email, password } : null;
  }
  /** Null: no mail is sent. */
  get mail() {
    const { SMTP_URL: url, MAIL_FROM: from } = this.env;
    return url !== undefined && from !== undefined ? { url, from } : null;
  }
  get closesKeptHours() {
    return this.env.CLOSES_KEPT_HOURS;
  }
  get auditRowsPerMinute() {
    return this.env.AUDIT_ROWS_PER_MINUTE;
  }
  /** 0: kept for ever. */
  get auditRetentionDays() {
    return this.env.AUDIT_RETENTION_DAYS;
  }
  get issuers() {
    return this.env.ISSUERS_FILE;
  }
  get autoMigrate() {
    return this.env.AUTO_MIGRATE === 'on';
  }
  get logLevel() {
    return this.env.LOG_LEVEL;
  }
}

/**
 * Zod's messages name the expected shape, never the value; unions and refinements speak for
 * themselves.
 */
function publicMessage(issue: z.core.$ZodIssue): string {
  return issue.path.length === 0
    ? issue.message
    : `entry ${String(issue.path[0])}: ${issue.message}`;
}
