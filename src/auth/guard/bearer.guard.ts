/**
 * Every HTTP call needs an accepted access token unless its `@Operation` is public. Frames pass:
 * their connection was authenticated at the handshake. Order: credential, CSRF proof, lease,
 * rate. A read is checked again before its answer leaves (recheck.interceptor.ts).
 */
import { Injectable, createParamDecorator } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import { AuditTrail } from '../../audit/audit-trail.js';
import { AuthorityState } from '../../authority/authority-state.js';
import { LeaseRounds } from '../../authority/lease/lease-rounds.js';
import { Lease } from '../../authority/lease/lease.js';
import { monotonicMs } from '../../platform/clock.js';
import { Database } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import { declarationOf } from '../../platform/http/operation.js';
import { currentRequest } from '../../platform/request-context.js';
import type { AcceptedToken, Principal } from '../../sessions/principal.js';
import { lockCaller } from '../../sessions/lock-caller.js';
import { SessionActivity } from '../../sessions/session-activity.js';
import { Csrf } from './csrf.js';
import type { AuthenticatedRequest } from './jwt.strategy.js';
import { auditRefusal } from '../limits/audit-refusal.js';
import { CountFailure } from '../limits/count-failure.js';
import { CredentialLoopBreaker } from '../limits/credential-loop-breaker.js';
import { ACT_AS, ServiceCalls } from '../service/service-calls.js';
import { ServiceKeys, isServiceKey } from '../service/service-keys.js';
import { bearerOf } from './bearer.js';
import { callOf } from './call-of.js';
import { SpendCall } from './spend-call.js';

/**
 * Express answers HEAD with the handler of GET. Changes by other calls were guarded at their
 * commit.
 */
const READS = new Set(['GET', 'HEAD']);

/** The accepted token of the call. */
export const CurrentToken = createParamDecorator(
  (_: unknown, context: ExecutionContext): AcceptedToken => acceptedOf(context),
);

/** The caller. */
export const CurrentPrincipal = createParamDecorator(
  (_: unknown, context: ExecutionContext): Principal => acceptedOf(context).principal,
);

@Injectable()
export class BearerGuard extends AuthGuard('jwt') implements CanActivate {
  constructor(
    private readonly csrf: Csrf,
    private readonly state: AuthorityState,
    private readonly lease: Lease,
    private readonly rounds: LeaseRounds,
    private readonly database: Database,
    private readonly activity: SessionActivity,
    private readonly audit: AuditTrail,
    private readonly budget: SpendCall,
    private readonly failures: CountFailure,
    private readonly loops: CredentialLoopBreaker,
    private readonly keys: ServiceKeys,
    private readonly service: ServiceCalls,
  ) {
    super();
  }

  /** Nest asks its global guards about frames, too: those pay for no promise here. */
  override canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (context.getType() !== 'http') return true;
    return declarationOf(context.getHandler()).auth === 'public' || this.admit(context);
  }

  private async admit(context: ExecutionContext): Promise<boolean> {
    try {
      await this.authenticate(context);
    } catch (error) {
      auditRefusal(this.audit, error);
      this.failures.of(error);
      throw error;
    }
    await this.budget.spend(context, acceptedOf(context).principal.userId);
    return true;
  }

  private async authenticate(context: ExecutionContext): Promise<void> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const accepted = await this.accept(context, request);
    const asked = request.headers[ACT_AS];
    const principal = await this.service.admit(
      accepted,
      callOf(context),
      Array.isArray(asked) ? asked.join() : asked,
    );
    if (principal !== accepted.principal) request.acceptedToken = { ...accepted, principal };
    const current = currentRequest();
    if (current !== undefined) current.actor = principal;
    if (request.carrier === 'cookie') this.csrf.check(request, principal.sessionId);
    const worksFenced = declarationOf(context.getHandler()).authority === true;
    if (!worksFenced) await this.rounds.prove();
    else if (this.lease.isFenced())
      await this.database.transaction((tx) => lockCaller(tx, principal));
    this.activity.touch(principal.sessionId);
    if (READS.has(request.method))
      request.recheck = () => this.requireStillGood(acceptedOf(context), worksFenced);
  }

  /** The key of a service account is no JWT: passport is not asked. */
  private async accept(
    context: ExecutionContext,
    request: AuthenticatedRequest,
  ): Promise<AcceptedToken> {
    const key = bearerOf(request.headers.authorization ?? '');
    if (!isServiceKey(key)) {
      await super.canActivate(context);
      return acceptedOf(context);
    }
    request.carrier = 'header';
    const accepted = await this.loops.guardRequest(key, () => this.keys.accept(key));
    request.acceptedToken = accepted;
    return accepted;
  }

  /** A node that stood still a moment ago proves itself first: the answer is late, not wrong. */
  private requireStillGood(token: AcceptedToken, worksFenced: boolean): void | Promise<void> {
    this.requireAlive(token);
    if (!worksFenced && this.lease.isFenced())
      return this.rounds.prove().then(() => this.requireAlive(token));
  }

  private requireAlive({ principal, kid, deadlineMs }: AcceptedToken): void {
    const verdict = this.state.verdict({
      session: principal.sessionId,
      tenant: principal.tenantId,
      kid,
    });
    if (verdict !== null)
      throw new DomainError(verdict, { who: principal, detail: 'ended while the answer was read' });
    if (monotonicMs() >= deadlineMs) throw new DomainError('token_expired', { who: principal });
  }

  /** Passport tells failures as `error` or as `info`; the first that is ours names the code. */
  override handleRequest<User>(error: unknown, user: User | false | null, info: unknown): User {
    if (error instanceof DomainError) throw error;
    if (info instanceof DomainError) throw info;
    if (error !== null && error !== undefined)
      throw error instanceof Error ? error : new DomainError('internal', { cause: error });
    if (user !== null && user !== false && user !== undefined) return user;
    const reason = info as Error | undefined;
    if (reason?.message === 'No auth token') throw new DomainError('auth_missing');
    // Accepted a moment ago, past its end now.
    if (reason?.name === 'TokenExpiredError') throw new DomainError('token_expired');
    throw new DomainError('auth_invalid', { detail: reason?.message ?? 'refused by passport' });
  }
}

function acceptedOf(context: ExecutionContext): AcceptedToken {
  const { acceptedToken } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (acceptedToken === undefined) throw new DomainError('auth_missing');
  return acceptedToken;
}
