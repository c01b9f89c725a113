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
import type { ConnectionEnd } from '../connection-end.js';
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
  ) {}

  upgraded(carrier: string): void {
    this.metrics.handshakes.inc({ outcome: 'accepted', phase: 'upgrade' });
    this.metrics.carriers.inc({ carrier });
  }

  /** The HTTP answer to an upgrade request was no. */
  refusedUpgrade({ code, who }: DomainError): void {
    this.metrics.handshakes.inc({ outcome: code, phase: 'upgrade' });
    if (code === 'token_expired') this.metrics.expiries.inc({ phase: 'at_connect' });
    if (who !== undefined) this.reconnects.note(who.sessionId, null);
  }

  /** The first credential was accepted. */
  accepted(connection: Connection): void {
    this.opened.add(connection);
    this.metrics.handshakes.inc({ outcome: 'accepted', phase: 'auth' });
    this.reconnects.note(connection.principal.sessionId, connection.id);
  }

  /** The first credential was refused; the end of the connection counts the outcome. */
  refused({ id }: Connection, { who }: DomainError): void {
    if (who !== undefined) this.reconnects.note(who.sessionId, id);
  }

  reauthenticated(outcome: ErrorCode | CloseCode | 'ok' | 'same_token'): void {
    this.metrics.reauth.inc({ outcome });
  }

  /** A later token was accepted. Before its predecessor's warning that is no expiry. */
  renewed({ times, state }: Connection): void {
    if (times.warned || state === 'expired') this.metrics.expiries.inc({ phase: 'renewed' });
  }

  over(connection: Connection, { side, code }: ConnectionEnd): void {
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
      this.loops.note('reconnect', connection.principal, String(code));
  }
}
