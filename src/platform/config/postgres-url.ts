/**
 * DATABASE_URL, read as libpq reads it: where Postgres is, how the way there is protected, and
 * which schema is meant. `pg` has its own reading of `sslmode` (`require` verifies, `prefer` never
 * falls back) and takes any parameter for a setting of its own.
 */
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';

export interface PostgresUrl {
  /** For `pg`, without `ssl`. Missing parts come from PGHOST, PGUSER and their like. */
  readonly server: {
    host?: string;
    port?: number;
    user?: string;
    password?: string;
    database?: string;
    options?: string;
    sslnegotiation?: 'direct';
    enableChannelBinding?: boolean;
  };
  /** In the order in which they are tried; `false`: without TLS. */
  readonly tls: readonly (ConnectionOptions | false)[];
  /** `?schema=`; null: what the search path of the role leads to. */
  readonly schema: string | null;
  /** As `?options=` sets it, for poolers that drop `options`. */
  readonly searchPath: string | null;
  /** `?pgbouncer=`; null: find out. */
  readonly pooled: boolean | null;
}

const SSL_MODES = [
  'disable',
  'allow',
  'prefer',
  'require',
  'verify-ca',
  'verify-full',
  'no-verify',
] as const;
type SslMode = (typeof SSL_MODES)[number];

const KNOWN = [
  'schema',
  'pgbouncer',
  'options',
  'host',
  'sslmode',
  'ssl',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'sslpassword',
  'sslnegotiation',
  'channel_binding',
];
/**
 * Words of libpq and Prisma that change nothing here: sizes and timeouts of the connections are the
 * node's own.
 */
const WITHOUT_EFFECT = [
  'application_name',
  'client_encoding',
  'connect_timeout',
  'connection_limit',
  'fallback_application_name',
  'gssencmode',
  'keepalives',
  'keepalives_count',
  'keepalives_idle',
  'keepalives_interval',
  'pool_timeout',
  'socket_timeout',
  'statement_cache_size',
  'target_session_attrs',
  'tcp_user_timeout',
];

/** Throws an Error whose message names the parameter and never a value that could be secret. */
export function readPostgresUrl(text: string): PostgresUrl {
  const url = new URL(text);
  const params = url.searchParams;
  const unknown = [...params.keys()].find(
    (name) => !KNOWN.includes(name) && !WITHOUT_EFFECT.includes(name),
  );
  // A misspelt `sslmode` must not be a connection without TLS.
  if (unknown !== undefined)
    throw new Error(`unknown parameter ${/^\w{1,40}$/.test(unknown) ? unknown : '(unprintable)'}`);
  const options = params.get('options');
  return {
    server: {
      ...given(
        'host',
        params.get('host') ?? decodeURIComponent(url.hostname).replace(/^\[(.+)\]$/, '$1'),
      ),
      ...(url.port === '' ? {} : { port: Number(url.port) }),
      ...given('user', decodeURIComponent(url.username)),
      ...given('password', decodeURIComponent(url.password)),
      ...given('database', decodeURIComponent(url.pathname.slice(1))),
      ...given('options', options ?? ''),
      ...(oneOf(params, 'sslnegotiation', ['postgres', 'direct']) === 'direct'
        ? { sslnegotiation: 'direct' as const }
        : {}),
      ...(['prefer', 'require'].includes(
        oneOf(params, 'channel_binding', ['disable', 'prefer', 'require']) ?? '',
      )
        ? { enableChannelBinding: true }
        : {}),
    },
    tls: tlsOf(params),
    schema: schemaOf(params),
    searchPath:
      /(?:^|\s)(?:-c\s*|--)search_path=((?:\\.|\S)+)/
        .exec(options ?? '')?.[1]
        ?.replaceAll(/\\(.)/g, '$1') ?? null,
    pooled: booleanOf(params, 'pgbouncer'),
  };
}

/** Prisma does not escape a quotation mark. */
function schemaOf(params: URLSearchParams): string | null {
  const schema = params.get('schema') || null;
  if (schema?.includes('"') === true) throw new Error('schema must not contain a quotation mark');
  return schema;
}

function tlsOf(params: URLSearchParams): PostgresUrl['tls'] {
  const mode = sslMode(params);
  const root = params.get('sslrootcert');
  const files = {
    ...(params.has('sslcert') ? { cert: read(params, 'sslcert') } : {}),
    ...(params.has('sslkey') ? { key: read(params, 'sslkey') } : {}),
    ...(params.has('sslpassword') ? { passphrase: params.get('sslpassword')! } : {}),
    ...(root === null || root === 'system' ? {} : { ca: read(params, 'sslrootcert') }),
  };
  const unverified = { ...files, rejectUnauthorized: false };
  const anyName = { ...files, checkServerIdentity: () => undefined };
  switch (mode) {
    case 'disable':
      return [false];
    case 'allow':
      return [false, unverified];
    case 'prefer':
      return [unverified, false];
    case 'no-verify':
      return [unverified];
    case 'require':
      // With an authority of one's own `require` is `verify-ca`, says libpq.
      return ['ca' in files ? anyName : unverified];
    case 'verify-ca':
      // An authority that signs for everybody proves nothing without the name.
      if (!('ca' in files))
        throw new Error(
          'sslmode=verify-ca needs sslrootcert with the path of the authority, or use verify-full',
        );
      return [anyName];
    case 'verify-full':
      return [files];
  }
}

/** libpq's default is `prefer`; an authority of the system asks for the name, too. */
function sslMode(params: URLSearchParams): SslMode {
  const ssl = booleanOf(params, 'ssl');
  const named = oneOf(params, 'sslmode', SSL_MODES);
  const direct = params.get('sslnegotiation') === 'direct';
  if (params.get('sslrootcert') === 'system') {
    if (named !== undefined && named !== 'verify-full')
      throw new Error('sslrootcert=system needs sslmode=verify-full');
    return 'verify-full';
  }
  if (named !== undefined) {
    if (direct && ['disable', 'allow', 'prefer'].includes(named))
      throw new Error('sslnegotiation=direct needs sslmode=require or stronger');
    return named;
  }
  if (ssl !== null) return ssl ? 'verify-full' : 'disable';
  return direct ? 'require' : 'prefer';
}

function oneOf<T extends string>(
  params: URLSearchParams,
  name: string,
  words: readonly T[],
): T | undefined {
  const word = params.get(name);
  if (word === null) return undefined;
  const found = words.find((known) => known === word);
  if (found === undefined) throw new Error(`${name} has to be one of ${words.join(', ')}`);
  return found;
}

function booleanOf(params: URLSearchParams, name: string): boolean | null {
  const word = oneOf(params, name, ['true', 'false', '1', '0']);
  return word === undefined ? null : word === 'true' || word === '1';
}

function read(params: URLSearchParams, name: string): string {
  try {
    return readFileSync(params.get(name)!, 'utf8');
  } catch {
    throw new Error(`${name} cannot be read`);
  }
}

const given = <N extends string>(name: N, value: string): Partial<Record<N, string>> =>
  value === '' ? {} : ({ [name]: value } as Record<N, string>);
