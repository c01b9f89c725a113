/**
 * Records the end of a connection (P9): once, with the side that ended it first, in metric, log,
 * audit and close log. It closes nothing: connection-registry.ts ends connections whose session
 * ended, connection-timers.ts those whose time is over.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { CloseCode } from '@wardroom/protocol/codes';
import { Metrics } from '../../../platform/metrics.js';
import { CloseLog } from './close-log.js';
import { closeIdOf } from '../socket/farewell.js';
import { ConnectionAudit } from './connection-audit.js';
import { ConnectionCounts } from '../counts/connection-counts.js';
import type { ConnectionEnd, TransportEnd } from './connection-end.js';
import type { Connection } from '../connection.js';

const TIMEOUTS: ReadonlySet<string | undefined> = new Set([
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
]);
/**
 * Statuses that a client may send (RFC 6455, section 7.4, and the IANA registry); those of
 * applications are counted together.
 */
const STATUS_LABELS: ReadonlySet<number> = new Set([
  1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
]);

@Injectable()
export class ConnectionEnds {
  private readonly logger = new Logger('ConnectionEnds');

  constructor(
    private readonly metrics: Metrics,
    private readonly audit: ConnectionAudit,
    private readonly closes: CloseLog,
    private readonly counts: ConnectionCounts,
  ) {}

  record(connection: Connection, end: ConnectionEnd): void {
    const label = labelOf(end);
    this.metrics.connectionsClosed.inc({ side: end.side, code: label });
    this.counts.over(connection, end, label);
    this.audit.over(connection, end);
    this.closes.add(connection, end);
    this.logger.log({
      msg: 'connection closed',
      ...end,
      connection: connection.id,
      close_id: closeIdOf(connection.id),
      session: connection.token?.principal.sessionId,
      user: connection.token?.principal.userId,
    });
  }
}

/** The side that ends it now with `code`: the client, if its close frame came before. */
export const endedByServer = ({ peerStatus }: Connection, code: CloseCode): ConnectionEnd =>
  peerStatus > 0 ? { side: 'client', code: peerStatus } : { side: 'server', code };

/** The socket is gone and nothing was said about it yet. */
export function endedByPeer(
  { peerStatus, socketError }: Connection,
  how?: TransportEnd,
): ConnectionEnd {
  if (peerStatus > 0) return { side: 'client', code: peerStatus };
  return {
    side: 'transport',
    code:
      how ??
      (TIMEOUTS.has((socketError as NodeJS.ErrnoException | null)?.code) ? 'timeout' : 'reset'),
  };
}

function labelOf({ side, code }: ConnectionEnd): string {
  if (side !== 'client') return code;
  if (STATUS_LABELS.has(code)) return String(code);
  return code >= 3000 && code <= 4999 ? `${String(code).slice(0, 1)}xxx` : 'other';
}
