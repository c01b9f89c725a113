import { type Clock, systemClock } from './clock.js';
import type { KeeperOptions } from './connection-keeper.js';
import type { SocketConstructor } from './connection.js';
import { type Fetch, Rest } from './rest.js';
import { WardroomSession } from './session.js';
import { type GetToken, takeFromCallback, takeFromSession } from './token-source.js';
import { serverUrls } from './urls.js';

export interface ClientOptions {
  /** `https://host` or `wss://host`. */
  url: string | URL;
  /**
   * Where credentials come from. Without it and without `session` the client makes a session of its
   * own.
   */
  getToken?: GetToken;
  session?: WardroomSession;
  /** Default: `globalThis.WebSocket`. Node 20 has none; give it the one of the `ws` package. */
  webSocket?: SocketConstructor;
  fetch?: Fetch;
  /** From opening the socket to `auth_ok`. */
  connectTimeoutMs?: number;
  requestTimeoutMs?: number;
  backoffBaseMs?: number;
  backoffMaxMs?: number;
  stableMs?: number;
  /** Requests without an answer; more are rejected with `queue_full`. */
  pendingMax?: number;
  clock?: Clock;
  random?: () => number;
}

/** Checked once, defaults filled in. A wrong option throws here, not later. */
export function readOptions(options: ClientOptions) {
  if (options.getToken && options.session)
    throw new TypeError('getToken and session exclude each other');
  const { rest: base, socket: url } = serverUrls(options.url);
  const clock = options.clock ?? systemClock;
  const fetch: Fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const requestTimeoutMs = positive('requestTimeoutMs', options.requestTimeoutMs ?? 10_000);
  const session = options.getToken
    ? undefined
    : (options.session ??
      new WardroomSession({ url: options.url, fetch, clock, requestTimeoutMs }));
  const take = options.getToken ? takeFromCallback(options.getToken) : takeFromSession(session!);
  const keeper: KeeperOptions = {
    url,
    Socket: options.webSocket ?? globalSocket(),
    take,
    clock,
    backoff: {
      baseMs: positive('backoffBaseMs', options.backoffBaseMs ?? 1000),
      maxMs: positive('backoffMaxMs', options.backoffMaxMs ?? 30_000),
      random: options.random ?? Math.random,
    },
    connectTimeoutMs: positive('connectTimeoutMs', options.connectTimeoutMs ?? 15_000),
    stableMs: positive('stableMs', options.stableMs ?? 5000),
  };
  const rest = new Rest(base, fetch, clock, requestTimeoutMs);
  return {
    session,
    take,
    rest,
    keeper,
    pendingMax: positive('pendingMax', options.pendingMax ?? 1000),
  };
}

function globalSocket(): SocketConstructor {
  const { WebSocket } = globalThis as { WebSocket?: SocketConstructor };
  if (WebSocket) return WebSocket;
  throw new TypeError(
    'There is no global WebSocket here (Node 20): pass webSocket, for example the one of the `ws` package',
  );
}

function positive(name: string, value: number): number {
  if (!Number.isFinite(value) || value <= 0)
    throw new TypeError(`${name}: ${value} is not a positive number`);
  return value;
}
