import type { Clock } from '../clock.js';
import type { Debug } from '../debug.js';
import { errorFromWire, WardroomError } from '../errors.js';

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface RestCall {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** Gives the call up. */
  readonly signal?: AbortSignal;
}

/** How a call shows whose it is: an access token, or the cookies of the browser. */
export interface RestCredential {
  readonly token?: string | undefined;
  readonly cookies?: boolean;
}

export interface RestOptions {
  /** Without a slash at its end. */
  readonly base: string;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** The readable cookies of the page, as `document.cookie` gives them. */
  readonly readCookies: () => string;
  readonly debug: Debug | undefined;
}

/** Calls REST in the name of somebody. */
export interface Caller {
  call<T>(path: string, call?: RestCall): Promise<T>;
}

const UNSAFE = /^(?:POST|PUT|PATCH|DELETE)$/;

/**
 * Calls one server. Refusals throw what the problem document says; an unreachable server throws
 * `network`.
 */
export class Rest {
  constructor(private readonly options: RestOptions) {}

  async call<T>(
    path: string,
    { method = 'GET', body, headers, signal }: RestCall = {},
    { token, cookies = false }: RestCredential = {},
  ): Promise<T> {
    const { base, fetch, clock, timeoutMs, debug } = this.options;
    const abort = new AbortController();
    const giveUp = () => abort.abort();
    const timer = clock.setTimeout(giveUp, timeoutMs);
    signal?.addEventListener('abort', giveUp);
    const csrf = cookies && UNSAFE.test(method) ? this.csrfToken() : undefined;
    try {
      const response = await fetch(base + path, {
        method,
        signal: abort.signal,
        credentials: cookies ? 'include' : 'omit',
        headers: {
          accept: 'application/json, application/problem+json',
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(csrf !== undefined && { 'x-csrf-token': csrf }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      debug?.(`${method} ${path.split('?')[0]}: ${response.status}`);
      const answer = parseJson(await response.text());
      if (response.ok) return answer as T;
      throw refusal(response, answer);
    } catch (error) {
      if (error instanceof WardroomError) throw error;
      debug?.(`${method} ${path.split('?')[0]}: no answer`);
      throw new WardroomError('network', { cause: error });
    } finally {
      clock.clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    }
  }

  /** Bound to the session of the cookies; undefined where they cannot be read or are not there. */
  csrfToken(): string | undefined {
    return /(?:^|;\s*)wr_csrf=([^;]*)/.exec(this.options.readCookies())?.[1];
  }
}

/** The cookies that a script may read; none in a worker or in Node. */
export const pageCookies = (): string =>
  (globalThis as { document?: { cookie?: string } }).document?.cookie ?? '';

function refusal(response: Response, answer: unknown): WardroomError {
  if (typeof answer === 'object' && answer !== null && 'code' in answer)
    return errorFromWire(answer, response.status);
  // Not our server's words: a proxy or a load balancer.
  const temporary = response.status >= 500 || response.status === 429;
  const seconds = Number(response.headers.get('retry-after') ?? NaN);
  return new WardroomError('bad_answer', {
    action: temporary ? 'retry' : 'none',
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
    status: response.status,
  });
}

function parseJson(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
