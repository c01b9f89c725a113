/**
 * Logins that a full count refuses, by user and network, until that count begins anew: all but the
 * first of a crowd at one user are refused without a look at a store, so they keep nobody waiting.
 * Of this node; the others learn of it at their first look.
 */
import { monotonicMs } from '../../platform/clock.js';
import { DomainError } from '../../platform/errors.js';
import type { SignInSubject } from './sign-in-subject.js';

const REMEMBERED_MAX = 10_000;

interface Refused extends Readonly<SignInSubject> {
  readonly untilMs: number;
}

export class RefusedLogins {
  private readonly refused = new Map<string, Refused>();

  /** Throws as the count did; `asked` is filled in as it was then. */
  require(key: string, asked: SignInSubject): void {
    const known = this.refused.get(key);
    if (known === undefined) return;
    const leftMs = known.untilMs - monotonicMs();
    if (leftMs > 0) {
      Object.assign(asked, { tenant: known.tenant, user: known.user });
      throw new DomainError('rate_limited', { retryAfterMs: Math.ceil(leftMs) });
    }
    this.refused.delete(key);
  }

  remember(key: string, error: unknown, { tenant, user }: SignInSubject): void {
    if (
      !(error instanceof DomainError) ||
      error.code !== 'rate_limited' ||
      error.retryAfterMs === undefined
    )
      return;
    if (this.refused.size >= REMEMBERED_MAX) this.refused.delete(this.refused.keys().next().value!);
    this.refused.set(key, { tenant, user, untilMs: monotonicMs() + error.retryAfterMs });
  }
}
