/**
 * Dangerous calls (`stepUp` of their `@Operation`) need a proof of the person that is younger than
 * STEP_UP_SECONDS. Runs behind BearerGuard, so refusals spend of the caller's budget. A service
 * account has no password: its scopes are its bound, and it passes.
 */
import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { AuditTrail } from '../../audit/audit-trail.js';
import { DomainError } from '../../platform/errors.js';
import { declarationOf } from '../../platform/http/operation.js';
import { SessionProof } from '../../sessions/session-proof.js';
import { auditRefusal } from '../limits/audit-refusal.js';
import { isOfService } from '../tokens/token-id.js';
import { callOf } from './call-of.js';
import type { AuthenticatedRequest } from './jwt.strategy.js';

@Injectable()
export class StepUpGuard implements CanActivate {
  constructor(
    private readonly proofs: SessionProof,
    private readonly audit: AuditTrail,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const { stepUp } = declarationOf(context.getHandler());
    if (stepUp === undefined) return true;
    const { acceptedToken, body } = context.switchToHttp().getRequest<AuthenticatedRequest>();
    if (acceptedToken === undefined) throw new DomainError('auth_missing');
    if (isOfService(acceptedToken.jti) || !stepUp.asked(fieldsOf(body))) return true;
    try {
      await this.proofs.require(acceptedToken.principal);
    } catch (error) {
      const detail = { action: callOf(context), rule: 'step_up' };
      auditRefusal(this.audit, error, { event: 'authz_fail', detail });
      throw error;
    }
    return true;
  }
}

/** Not validated yet: anything but an object has no fields. */
const fieldsOf = (body: unknown): Readonly<Record<string, unknown>> =>
  typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
