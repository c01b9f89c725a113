import type { WardroomError } from '../errors.js';

export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
  /** 0 <= random() < 1. */
  readonly random: () => number;
}

export type ReconnectPlan =
  | { readonly next: 'end' }
  | { readonly next: 'connect'; readonly delayMs: number; readonly newToken: boolean };

/**
 * Decides the next step after a connection or an attempt ended. `attempt` counts the tries since
 * the last stable connection. A delay is never shorter than the server's `retry_after_ms`; repeats
 * add jitter on top.
 */
export function planReconnect(
  why: WardroomError,
  attempt: number,
  backoff: Backoff,
): ReconnectPlan {
  if (why.action === 'login' || why.action === 'stop') return { next: 'end' };
  const newToken = why.action === 'refresh';
  if (why.retryAfterMs !== undefined)
    return {
      next: 'connect',
      newToken,
      delayMs: why.retryAfterMs + (attempt === 0 ? 0 : jitterMs(attempt, backoff)),
    };
  // The server spreads its 4001 closes itself, so the first try with a new token need not wait.
  if (newToken && attempt === 0) return { next: 'connect', newToken, delayMs: 0 };
  return {
    next: 'connect',
    newToken,
    delayMs: attempt === 0 ? jitterMs(0, backoff) : upperHalfMs(attempt, backoff),
  };
}

/** Full jitter: anything between 0 and the exponential bound. */
export function jitterMs(attempt: number, backoff: Backoff): number {
  return Math.floor(backoff.random() * boundMs(attempt, backoff));
}

/**
 * Between half of the bound and all of it. With full jitter a client that drew short delays has
 * used up its early attempts while the server was still away: of 5,000 that lose it for 1.5 s, a
 * dozen then wait for 16 s or more. Like this a client waits for at most about twice the time it
 * was disconnected, and a server that is away is asked less often.
 */
function upperHalfMs(attempt: number, backoff: Backoff): number {
  return Math.floor(((1 + backoff.random()) / 2) * boundMs(attempt, backoff));
}

const boundMs = (attempt: number, { baseMs, maxMs }: Backoff): number =>
  Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30));
