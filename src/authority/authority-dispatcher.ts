/**
 * The listeners to authority events, in their order. Facts are forgotten before anybody is
 * authorized by them again, and connections end before subscriptions get their new rights.
 */
import { Injectable } from '@nestjs/common';
import type { AuthorityEvent } from './events.js';

/**
 * First to last; within a phase the order does not matter. `caches`: signing-keys.ts,
 * membership-cache.ts, session-activity.ts, standing-sessions.ts. `connections`:
 * connection-registry.ts. `subscriptions`: policy-changes.ts.
 */
const PHASES = ['caches', 'connections', 'subscriptions'] as const;
export type Phase = (typeof PHASES)[number];

export interface HistoryChange {
  from: string;
  to: string;
}

/** All synchronous: when the dispatcher returns, nothing dead is in any list. */
export interface AuthorityListener {
  /**
   * `n`: the number of the event in the log, or null for an addition of rights, which has none.
   * Answers how many connections were marked dead.
   */
  event?(event: AuthorityEvent, n: number | null): number | void;
  /**
   * Postgres lost commits that this node may have seen: numbers, epochs and versions of before may
   * have been given again to something else. Comes before `reload`.
   */
  historyReplaced?(change: HistoryChange): void;
  /** Events were missed for good: whatever was derived from the log must be read again. */
  reload?(): void;
}

@Injectable()
export class AuthorityDispatcher {
  private readonly byPhase: Record<Phase, AuthorityListener[]> = {
    caches: [],
    connections: [],
    subscriptions: [],
  };

  register(phase: Phase, listener: AuthorityListener): void {
    this.byPhase[phase].push(listener);
  }

  event(event: AuthorityEvent, n: number | null): number {
    let closed = 0;
    for (const listener of this.inOrder()) closed += listener.event?.(event, n) ?? 0;
    return closed;
  }

  historyReplaced(change: HistoryChange): void {
    for (const listener of this.inOrder()) listener.historyReplaced?.(change);
  }

  reload(): void {
    for (const listener of this.inOrder()) listener.reload?.();
  }

  private *inOrder(): Iterable<AuthorityListener> {
    for (const phase of PHASES) yield* this.byPhase[phase];
  }
}
