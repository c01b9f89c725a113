/**
 * CONNECT: a credential becomes the context of a connection, and a later one replaces it. The same
 * verifier as REST; no store is asked for a token (docs/authority.md: check - register -
 * check again).
 */
import { Injectable, Logger } from '@nestjs/common';
import { CLOSE_CODES, ERROR_CODES } from '@wardroom/protocol/codes';
import type { CloseCode, ErrorCode } from '@wardroom/protocol/codes';
import type { ClientFrames } from '@wardroom/protocol';
import { AccessTokens } from '../../auth/tokens/access-token.js';
import { CredentialLoopBreaker } from '../../auth/limits/credential-loop-breaker.js';
import type { LoopSubject } from '../../auth/limits/credential-loop-breaker.js';
import { refreshWindow } from '../../auth/tokens/token-lifetimes.js';
import { Tickets } from '../../auth/tokens/tickets.js';
import { AuthorityState } from '../../authority/authority-state.js';
import { LeaseRounds } from '../../authority/lease/lease-rounds.js';
import { Lease } from '../../authority/lease/lease.js';
import { monotonicMs, wallMs } from '../../platform/clock.js';
import { DomainError } from '../../platform/errors.js';
import { toDomainError } from '../../platform/http/problem.filter.js';
import type { AcceptedToken } from '../../sessions/principal.js';
import { SessionActivity } from '../../sessions/session-activity.js';
import { ConnectionAudit } from '../connection/ends/connection-audit.js';
import { ConnectionCounts } from '../connection/counts/connection-counts.js';
import type { Connection } from '../connection/connection.js';
import { ConnectionTimers } from '../connection/timers/connection-timers.js';
import { ConnectionRegistry } from '../connection/connection-registry.js';
import { spread } from '../connection/timers/spread.js';
import { CatchUp } from '../delivery/catch-up.js';
import { SubscriptionRights } from '../delivery/subscription-rights.js';

/** The credential that a client presented, by any carrier. */
export type PresentedCredential = { token: string } | { ticket: string };

@Injectable()
export class Authenticate {
  private readonly logger = new Logger(Authenticate.name);

  constructor(
    private readonly tokens: AccessTokens,
    private readonly tickets: Tickets,
    private readonly state: AuthorityState,
    private readonly lease: Lease,
    private readonly rounds: LeaseRounds,
    private readonly connections: ConnectionRegistry,
    private readonly timers: ConnectionTimers,
    private readonly rights: SubscriptionRights,
    private readonly catchUp: CatchUp,
    private readonly activity: SessionActivity,
    private readonly loops: CredentialLoopBreaker,
    private readonly audit: ConnectionAudit,
    private readonly counts: ConnectionCounts,
  ) {}

  /**
   * The first context, from a credential that the handshake carried. Ends the connection when it is
   * refused.
   */
  async byCredential(
    connection: Connection,
    credential: PresentedCredential,
    id?: string,
  ): Promise<void> {
    if (!connection.step('credential')) return;
    try {
      const token = await this.verify(credential, connection.origin, { ip: connection.ip });
      await this.rounds.prove();
      this.begin(connection, token, id);
    } catch (error) {
      this.refuse(connection, error);
    }
  }

  /** The same for a token that the handshake has verified already. */
  byToken(connection: Connection, token: AcceptedToken): void {
    if (connection.step('credential')) this.begin(connection, token);
  }

  async byFrame(connection: Connection, frame: ClientFrames['auth']): Promise<void> {
    await this.byCredential(connection, credentialOf(frame), frame.id);
  }

  /**
   * `auth_refresh` replaces the whole context; a refused one leaves the old context to its own end.
   */
  async again(
    connection: Connection,
    frame: ClientFrames['auth'] | ClientFrames['auth_refresh'],
  ): Promise<void> {
    if (frame.type === 'auth')
      throw new DomainError('invalid_frame', { detail: 'authenticated already' });
    const generation = connection.tokenGeneration;
    try {
      await this.rounds.prove();
      const token = await this.verify(credentialOf(frame), connection.origin, {
        session: connection.principal.sessionId,
      });
      if (!connection.authenticated || connection.tokenGeneration !== generation) return;
      await this.renew(connection, token, frame.id);
    } catch (error) {
      const { code, message, retryAfterMs } = toDomainError(error);
      connection.timeline.refused('renewal_refused', connection.ageMs, code);
      this.audit.refusedCredential(connection, error, true);
      this.counts.reauthenticated(connection, code);
      this.logger.log({
        msg: 're-authentication refused',
        code,
        connection: connection.id,
        session: connection.token?.principal.sessionId,
      });
      connection.send({
        type: 'auth_error',
        ...(frame.id === undefined ? {} : { id: frame.id }),
        code,
        message,
        action: ERROR_CODES[code].action,
        ...(retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs }),
      });
    }
  }

  private verify(
    credential: PresentedCredential,
    origin: string | undefined,
    from: LoopSubject,
  ): Promise<AcceptedToken> {
    return 'token' in credential
      ? this.loops.guard(from, credential.token, () =>
          this.tokens.verifyWithKeyReload(credential.token),
        )
      : this.loops.guard(from, credential.ticket, () =>
          this.tickets.redeem(credential.ticket, origin),
        );
  }

  private begin(connection: Connection, token: AcceptedToken, id?: string): void {
    if (connection.state !== 'authenticating') return;
    if (this.lease.isFenced()) return connection.end('auth_unavailable', spread(5_000));
    connection.token = token;
    connection.tokenGeneration += 1;
    this.connections.register(connection);
    const dead = this.verdict(token);
    if (dead !== null) return connection.end(dead);
    connection.step('accepted');
    connection.timeline.authenticated(connection.ageMs, endOf(connection, token));
    this.audit.authenticated(connection);
    this.counts.accepted(connection);
    this.activity.touch(token.principal.sessionId);
    this.timers.schedule(connection);
    this.tell(connection, id);
  }

  private async renew(
    connection: Connection,
    token: AcceptedToken,
    id: string | undefined,
  ): Promise<void> {
    const { userId, tenantId, sessionId } = connection.principal;
    const next = token.principal;
    if (next.userId !== userId || next.tenantId !== tenantId || next.sessionId !== sessionId)
      return this.endRenewed(connection, 'identity_mismatch');
    const generation = connection.tokenGeneration;
    await this.rights.recheck(connection);
    if (!connection.authenticated || connection.tokenGeneration !== generation) return;
    const dead = this.verdict(token);
    if (dead !== null) return this.endRenewed(connection, dead);
    const inUse = connection.token?.jti === token.jti;
    this.counts.reauthenticated(connection, inUse ? 'same_token' : 'ok');
    if (!inUse) this.counts.renewed(connection);
    connection.token = token;
    connection.tokenGeneration += 1;
    connection.times.warned = false;
    connection.step('accepted');
    // The token in use, presented again, renews nothing.
    if (!inUse) {
      connection.timeline.renewed(connection.ageMs, endOf(connection, token));
      this.audit.authenticated(connection);
    }
    this.activity.touch(sessionId);
    this.timers.schedule(connection);
    this.tell(connection, id);
    this.catchUp.resumeAll(connection);
  }

  private endRenewed(connection: Connection, code: CloseCode): void {
    this.counts.reauthenticated(connection, code);
    connection.end(code);
  }

  private verdict(token: AcceptedToken): CloseCode | null {
    const { sessionId: session, tenantId: tenant } = token.principal;
    return monotonicMs() >= token.deadlineMs
      ? 'token_expired'
      : this.state.verdict({ session, tenant, kid: token.kid });
  }

  private tell(connection: Connection, id: string | undefined): void {
    const { principal, issuedAtMs, expiresAtMs, deadlineMs } = connection.token!;
    connection.send({
      type: 'auth_ok',
      ...(id === undefined ? {} : { id }),
      session_id: principal.sessionId,
      user_id: principal.userId,
      tenant_id: principal.tenantId,
      expires_in_ms: Math.max(0, Math.round(deadlineMs - monotonicMs())),
      ...refreshWindow(issuedAtMs, expiresAtMs, wallMs()),
      server_time_ms: wallMs(),
    });
  }

  /** Ends a connection whose first credential is not accepted. */
  refuse(connection: Connection, thrown: unknown): void {
    const error = toDomainError(thrown);
    this.audit.refusedCredential(connection, error, false);
    this.counts.refused(connection, error);
    connection.end(closeCodeOf(error.code), retryAfterMs(error));
  }
}

/**
 * The close that says the same as the error; trouble of ours is never told as an authentication
 * failure.
 */
export function closeCodeOf(code: ErrorCode): CloseCode {
  if (Object.hasOwn(CLOSE_CODES, code)) return code as CloseCode;
  if (code === 'unavailable') return 'auth_unavailable';
  return ERROR_CODES[code].status >= 500 ? 'internal' : 'auth_invalid';
}

/** Trouble of ours ends for all at once, so its clients are spread; a loop ends when it ends. */
function retryAfterMs({ code, action, retryAfterMs }: DomainError): number | undefined {
  if (action !== 'retry') return undefined;
  return code === 'auth_loop' ? retryAfterMs : spread(5_000);
}

/** In ms since the connection was opened. */
const endOf = ({ times }: Connection, { deadlineMs }: AcceptedToken): number =>
  deadlineMs - times.openedMs;

const credentialOf = (
  frame: ClientFrames['auth'] | ClientFrames['auth_refresh'],
): PresentedCredential =>
  frame.token === undefined ? { ticket: frame.ticket! } : { token: frame.token };
