import type { WardroomError } from './errors.js';

export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
  /** 0 <= random() < 1. */
  readonly random: () => number;
}

export type ReconnectPlan = { readonly next: 'end' } | { readonly next: 'connect'; readonly delayMs: number; readonly newToken: boolean };

/**
 * What the client does after a connection or an attempt ended. `attempt` counts the tries since the last stable
 * connection. A delay is never shorter than the server's `retry_after_ms`; repeats add jitter on top.
 */
export function planReconnect(why: WardroomError, attempt: number, backoff: Backoff): ReconnectPlan {
  if (why.action === 'login' || why.action === 'stop') return { next: 'end' };
  const newToken = why.action === 'refresh';
  if (why.retryAfterMs !== undefined) return { next: 'connect', newToken, delayMs: why.retryAfterMs + (attempt === 0 ? 0 : jitterMs(attempt, backoff)) };
  // The server spreads its 4001 closes itself, so the first try with a new token need not wait.
  if (newToken && attempt === 0) return { next: 'connect', newToken, delayMs: 0 };
  return { next: 'connect', newToken, delayMs: jitterMs(attempt, backoff) };
}

/** Full jitter: anything between 0 and the exponential bound. */
export function jitterMs(attempt: number, { baseMs, maxMs, random }: Backoff): number {
  return Math.floor(random() * Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30)));
}
