/**
 * The one account of sign-ins, whichever way somebody wants in: each is counted, each refusal has
 * one record in the audit.
 */
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../audit/audit-trail.js';
import { DomainError } from '../../platform/errors.js';
import { Metrics } from '../../platform/metrics.js';

/** Whom a sign-in is about, as far as it got. */
export interface Asked {
  tenant: string | null;
  user: string | null;
}

/** How it is shown who somebody is. */
export type SignInMethod = 'password' | 'registration' | 'guest' | 'exchange' | 'try_out';

@Injectable()
export class SignInAudit {
  constructor(
    private readonly metrics: Metrics,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * `signIn` fills in what it finds out. Its success is recorded in its transaction
   * (open-session.ts), trouble of ours is none.
   */
  async account<T>(method: SignInMethod, signIn: (asked: Asked) => Promise<T>): Promise<T> {
    const asked: Asked = { tenant: null, user: null };
    try {
      const issued = await signIn(asked);
      this.metrics.logins.inc({ outcome: 'ok' });
      return issued;
    } catch (error) {
      this.metrics.logins.inc({ outcome: error instanceof DomainError ? error.code : 'internal' });
      if (error instanceof DomainError && error.status < 500) {
        // Who did it is what could not be shown; whom it is about may be known.
        const event = error.code === 'rate_limited' ? 'authn_login_fail_max' : 'authn_login_fail';
        this.audit.note({
          event,
          ...asked,
          actor: null,
          session: null,
          detail: { code: error.code, method },
        });
      }
      throw error;
    }
  }
}
