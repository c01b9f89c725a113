import type { Clock } from './clock.js';
import { errorFromWire, WardroomError } from './errors.js';
import type { TakeToken } from './token-source.js';

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface RestCall {
  readonly method?: string;
  readonly body?: unknown;
  readonly token?: string | undefined;
  /** The browser's cookies are the credential. */
  readonly cookies?: boolean;
  readonly headers?: Record<string, string>;
}

/**
 * Calls one server. Refusals throw what the problem document says; an unreachable server throws
 * `network`.
 */
export class Rest {
  constructor(
    private readonly base: string,
    private readonly fetch: Fetch,
    private readonly clock: Clock,
    private readonly timeoutMs: number,
  ) {}

  async call<T>(
    path: string,
    { method = 'GET', body, token, cookies = false, headers = {} }: RestCall = {},
  ): Promise<T> {
    const abort = new AbortController();
    const timer = this.clock.setTimeout(() => abort.abort(), this.timeoutMs);
    try {
      const response = await this.fetch(this.base + path, {
        method,
        signal: abort.signal,
        credentials: cookies ? 'include' : 'omit',
        headers: {
          accept: 'application/json, application/problem+json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const answer = parseJson(await response.text());
      if (response.ok) return answer as T;
      throw refusal(response, answer);
    } catch (error) {
      throw error instanceof WardroomError ? error : new WardroomError('network', { cause: error });
    } finally {
      this.clock.clearTimeout(timer);
    }
  }
}

/**
 * Calls with an access token; refused with `refresh`, it calls once more with a newer one. A ticket
 * is no token: cookies then.
 */
export async function callSignedIn<T>(
  rest: Rest,
  take: TakeToken,
  path: string,
  call: RestCall = {},
): Promise<T> {
  const credential = await take('connect', undefined);
  if (typeof credential !== 'string') return rest.call<T>(path, { ...call, cookies: true });
  try {
    return await rest.call<T>(path, { ...call, token: credential });
  } catch (error) {
    if (!(error instanceof WardroomError) || error.action !== 'refresh') throw error;
  }
  const newer = await take('rejected', credential);
  return rest.call<T>(
    path,
    typeof newer === 'string' ? { ...call, token: newer } : { ...call, cookies: true },
  );
}

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
