import { type Clock, systemClock } from './clock.js';
import type { KeeperOptions } from './connection/connection-keeper.js';
import type { SocketConstructor } from './connection/connection.js';
import { type DebugOption, readDebug } from './debug.js';
import { type Fetch, pageCookies, Rest } from './rest/rest.js';
import type { SessionStorage } from './session/session-storage.js';
import { type SessionOptions, WardroomSession } from './session/session.js';
import { type GetToken, takeFromCallback, type TakeToken } from './session/token-source.js';
import { serverUrls } from './urls.js';

export interface ClientOptions {
  /** `https://host` or `wss://host`. */
  url: string | URL;
  /**
   * Where credentials come from. Without it and without `session` the client makes a session of its
   * own.
   */
  getToken?: GetToken;
  /** A session that the application made, for example to share it. */
  session?: WardroomSession;
  /** Of the client's own session. Default: memory. */
  storage?: SessionStorage;
  /** Of the client's own session: `cookie` keeps tokens where no script can read them. */
  transport?: 'body' | 'cookie';
  /** Default: `globalThis.WebSocket`. Node 20 has none; give it the one of the `ws` package. */
  webSocket?: SocketConstructor;
  /** Default: `globalThis.fetch`. */
  fetch?: Fetch;
  /** From opening the socket to `auth_ok`. Default: 15,000. */
  connectTimeoutMs?: number;
  /** Of a REST call. Default: 10,000. */
  requestTimeoutMs?: number;
  /** First delay between two attempts. Default: 1,000. */
  backoffBaseMs?: number;
  /** Longest delay between two attempts. Default: 30,000. */
  backoffMaxMs?: number;
  /** A connection that lived so long was a good one. Default: 5,000. */
  stableMs?: number;
  /** Attempts in a row that may fail before the client gives up. Default: no limit. */
  maxAttempts?: number;
  /** Requests without an answer; more are rejected with `queue_full`. Default: 1,000. */
  pendingMax?: number;
  /** One line for each step, to the console or to a function. Never a token, never a body. */
  debug?: DebugOption;
  /** For tests: another time. */
  clock?: Clock;
  /** For tests: another jitter. Default: `Math.random`. */
  random?: () => number;
}

/** Checked once, defaults filled in. A wrong option throws here, not later. */
export function readOptions(options: ClientOptions) {
  const { getToken, session: given } = options;
  if (getToken && given) throw new TypeError('getToken and session exclude each other');
  if ((getToken ?? given) && (options.storage ?? options.transport))
    throw new TypeError("storage and transport belong to the client's own session");
  const { rest: base, socket: url } = serverUrls(options.url);
  const clock = options.clock ?? systemClock;
  const debug = readDebug(options.debug);
  const fetch: Fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const timeoutMs = positive('requestTimeoutMs', options.requestTimeoutMs ?? 10_000);
  const session = getToken
    ? undefined
    : (given ?? new WardroomSession(sessionOptions(options, clock, fetch, timeoutMs)));
  const take: TakeToken = getToken
    ? takeFromCallback(getToken)
    : (reason, presented) => session!.take(reason, presented);
  const keeper: KeeperOptions = {
    url,
    Socket: options.webSocket ?? (globalThis as { WebSocket?: SocketConstructor }).WebSocket,
    take,
    hurry: () => session?.hurry(),
    clock,
    debug,
    backoff: {
      baseMs: positive('backoffBaseMs', options.backoffBaseMs ?? 1000),
      maxMs: positive('backoffMaxMs', options.backoffMaxMs ?? 30_000),
      random: options.random ?? Math.random,
    },
    connectTimeoutMs: positive('connectTimeoutMs', options.connectTimeoutMs ?? 15_000),
    stableMs: positive('stableMs', options.stableMs ?? 5000),
    maxAttempts:
      options.maxAttempts === undefined ? Infinity : positive('maxAttempts', options.maxAttempts),
  };
  const rest = new Rest({ base, fetch, clock, timeoutMs, readCookies: pageCookies, debug });
  return {
    session,
    take,
    rest,
    keeper,
    pendingMax: positive('pendingMax', options.pendingMax ?? 1000),
  };
}

function sessionOptions(
  { url, storage, transport, debug }: ClientOptions,
  clock: Clock,
  fetch: Fetch,
  requestTimeoutMs: number,
): SessionOptions {
  return {
    url,
    clock,
    fetch,
    requestTimeoutMs,
    ...(storage && { storage }),
    ...(transport && { transport }),
    ...(debug !== undefined && { debug }),
  };
}

function positive(name: string, value: number): number {
  if (!Number.isFinite(value) || value <= 0)
    throw new TypeError(`${name}: ${value} is not a positive number`);
  return value;
}
