/** Counts every sign-in attempt, whatever the method, and records each refusal in the audit. */
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../audit/audit-trail.js';
import { DomainError } from '../../platform/errors.js';
import { Metrics } from '../../platform/metrics.js';
import { currentRequest } from '../../platform/request-context.js';
import { TroubledClients } from '../../stats/troubled-clients.js';
import type { SignInMethod, SignInSubject } from '../limits/sign-in-subject.js';

@Injectable()
export class SignInAudit {
  constructor(
    private readonly metrics: Metrics,
    private readonly audit: AuditTrail,
    private readonly clients: TroubledClients,
  ) {}

  /**
   * `signIn` fills in the subject as far as it gets. A success is recorded in its own transaction
   * (open-session.ts); server errors are not recorded as refusals.
   */
  async record<T>(
    method: SignInMethod,
    signIn: (subject: SignInSubject) => Promise<T>,
  ): Promise<T> {
    const subject: SignInSubject = { tenant: null, user: null };
    try {
      const issued = await signIn(subject);
      this.metrics.logins.inc({ method, outcome: 'ok' });
      if (method === 'guest') this.clients.note('anonymous', { ip: currentRequest()?.ip ?? '' });
      return issued;
    } catch (error) {
      const outcome = error instanceof DomainError ? error.code : 'internal';
      this.metrics.logins.inc({ method, outcome });
      if (error instanceof DomainError && error.status < 500) {
        // The actor is not proven; the subject may be known.
        const event = error.code === 'rate_limited' ? 'authn_login_fail_max' : 'authn_login_fail';
        this.audit.note({
          event,
          ...subject,
          actor: null,
          session: null,
          detail: { code: error.code, method },
        });
      }
      throw error;
    }
  }
}
