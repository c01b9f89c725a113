/**
 * Connections in the audit: opened, renewed, refused, closed; one record each. Their `request_id`
 * is the connection id of `hello`.
 */
import { Injectable } from '@nestjs/common';
import { CLOSE_CODES } from '@wardroom/protocol/codes';
import { AuditTrail } from '../../../audit/audit-trail.js';
import { auditRefusal } from '../../../auth/limits/audit-refusal.js';
import { monotonicMs } from '../../../platform/clock.js';
import type { ConnectionEnd } from './connection-end.js';
import type { Connection } from '../connection.js';

/**
 * Closes that refuse a credential or the lack of one; the others say nothing about who was there.
 */
const REFUSES = new Set<number>([1008, 4001, 4003]);

@Injectable()
export class ConnectionAudit {
  /** The records of a connection so far: its end depends on them. */
  private readonly recorded = new WeakMap<Connection, 'opened' | 'refused'>();

  constructor(private readonly audit: AuditTrail) {}

  authenticated(connection: Connection): void {
    const event =
      this.recorded.get(connection) === 'opened' ? 'connection_renewed' : 'connection_opened';
    this.recorded.set(connection, 'opened');
    this.audit.note({ event, ...placeOf(connection), ...whoIs(connection) });
  }

  /** Before the upgrade: a request refused there has no connection id. */
  refusedUpgrade(error: unknown, requestId: string, ip: string): void {
    auditRefusal(this.audit, error, { event: 'connection_refused', requestId, ip });
  }

  /** The first credential, or with `renewal` a later one while the connection goes on. */
  refusedCredential(connection: Connection, error: unknown, renewal: boolean): void {
    if (!renewal) this.recorded.set(connection, 'refused');
    // Every credential presented here came from the user of the connection.
    const caller = renewal && connection.token !== null ? whoIs(connection) : {};
    auditRefusal(this.audit, error, {
      event: 'connection_refused',
      ...placeOf(connection),
      ...caller,
      detail: { renewal },
    });
  }

  over(connection: Connection, { side, code }: ConnectionEnd): void {
    const place = {
      ...placeOf(connection),
      ...(connection.token === null ? {} : whoIs(connection)),
      actor: null,
    };
    const recorded = this.recorded.get(connection);
    this.recorded.delete(connection);
    if (recorded === 'opened') {
      const ms = Math.round(monotonicMs() - connection.times.openedMs);
      this.audit.note({ event: 'connection_closed', ...place, detail: { side, code, ms } });
    } else if (
      side === 'server' &&
      REFUSES.has(CLOSE_CODES[code].status) &&
      recorded !== 'refused'
    ) {
      this.audit.note({ event: 'connection_refused', ...place, detail: { code, renewal: false } });
    }
  }
}

const placeOf = ({ id, ip }: Connection) => ({ requestId: id, ip });

const whoIs = ({ principal: { userId, tenantId, sessionId } }: Connection) => ({
  tenant: tenantId,
  actor: userId,
  user: userId,
  session: sessionId,
});
