/**
 * Counts the life of connections for the monthly review: ways in, renewals, expiries and ends. It
 * decides nothing, and no store is asked before an answer.
 */
import { Injectable } from '@nestjs/common';
import type { CloseCode, ErrorCode } from '@wardroom/protocol/codes';
import { SHORT_CONNECTION_MS, SessionLoops } from '../../../auth/limits/session-loops.js';
import { monotonicMs } from '../../../platform/clock.js';
import type { DomainError } from '../../../platform/errors.js';
import { Metrics } from '../../../platform/metrics.js';
import { isTokenFailure } from '../../../stats/token-failures.js';
import { TroubledClients } from '../../../stats/troubled-clients.js';
import type { TroubledClient } from '../../../stats/troubled-clients.js';
import type { ConnectionEnd } from '../ends/connection-end.js';
import type { Connection } from '../connection.js';
import { Reconnects } from './reconnects.js';

/** A node that stops ends every connection, however young. */
const OF_THE_NODE: ReadonlySet<string | number> = new Set<CloseCode>(['restarting', 'draining']);

@Injectable()
export class ConnectionCounts {
  /** Connections whose first credential was accepted. */
  private readonly opened = new WeakSet<Connection>();

  constructor(
    private readonly metrics: Metrics,
    private readonly reconnects: Reconnects,
    private readonly loops: SessionLoops,
    private readonly clients: TroubledClients,
  ) {}

  upgraded(carrier: string, ip: string): void {
    this.metrics.handshakes.inc({ outcome: 'accepted', phase: 'upgrade' });
    this.metrics.carriers.inc({ carrier });
    // A credential in an address is in logs and histories, too.
    if (carrier === 'query') this.clients.note('anonymous', { ip });
  }

  /** The HTTP answer to an upgrade request was no. */
  refusedUpgrade(error: DomainError, ip: string): void {
    const { code } = error;
    this.metrics.handshakes.inc({ outcome: code, phase: 'upgrade' });
    if (code === 'token_expired') this.metrics.expiries.inc({ phase: 'at_connect' });
    this.failed(error, null, ip);
  }

  /** The first credential was accepted. */
  accepted(connection: Connection): void {
    this.opened.add(connection);
    this.metrics.handshakes.inc({ outcome: 'accepted', phase: 'auth' });
    const { sessionId: session, userId: user } = connection.principal;
    this.reconnects.note({ session, connection: connection.id, user });
  }

  /** The first credential was refused; the end of the connection counts the outcome. */
  refused({ id, ip }: Connection, error: DomainError): void {
    this.failed(error, id, ip);
  }

  private failed({ code, who }: DomainError, connection: string | null, ip: string): void {
    if (isTokenFailure(code)) this.clients.note('failed_tokens', clientOf(who?.userId, ip));
    if (who !== undefined)
      this.reconnects.note({ session: who.sessionId, connection, user: who.userId });
  }

  /** The outcome of a later credential. */
  reauthenticated(
    { principal }: Connection,
    outcome: ErrorCode | CloseCode | 'ok' | 'same_token',
  ): void {
    this.metrics.reauth.inc({ outcome });
    if (isTokenFailure(outcome)) this.clients.note('failed_tokens', { user: principal.userId });
  }

  /** A later token was accepted. Before its predecessor's warning that is no expiry. */
  renewed({ times, state }: Connection): void {
    if (times.warned || state === 'expired') this.metrics.expiries.inc({ phase: 'renewed' });
  }

  /** `label`: the code, where a client cannot choose it freely. */
  over(connection: Connection, { side, code }: ConnectionEnd, label: string): void {
    const expired = side === 'server' && code === 'token_expired';
    if (!this.opened.delete(connection)) {
      const outcome = side === 'server' ? code : 'left';
      this.metrics.handshakes.inc({ outcome, phase: 'auth' });
      if (expired) this.metrics.expiries.inc({ phase: 'at_connect' });
      return;
    }
    if (expired) this.metrics.expiries.inc({ phase: 'closed' });
    const aliveMs = monotonicMs() - connection.times.openedMs;
    if (aliveMs < SHORT_CONNECTION_MS && !OF_THE_NODE.has(code))
      this.loops.note('reconnect', connection.principal, label);
  }
}

const clientOf = (user: string | undefined, ip: string): TroubledClient =>
  user === undefined ? { ip } : { user };
