/**
 * The WebSocket of `ws`, with one difference: every close it starts itself (protocol errors, too big, bad UTF-8) leaves
 * with `goodbye` and a JSON reason like our own closes.
 */
import { WebSocket } from 'ws';
import { CLOSE_CODES } from '../protocol/codes.js';
import type { CloseCode } from '../protocol/codes.js';
import type { Connection } from './connection.js';

const BY_STATUS: Partial<Record<number, CloseCode>> = {
  [CLOSE_CODES.protocol_error.status]: 'protocol_error',
  [CLOSE_CODES.unsupported_data.status]: 'unsupported_data',
  [CLOSE_CODES.invalid_utf8.status]: 'invalid_utf8',
  [CLOSE_CODES.too_big.status]: 'too_big',
  1008: 'policy_violation',
};

export class WardroomSocket extends WebSocket {
  /** Set right after the upgrade. */
  connection: Connection | null = null;

  /** Called by `ws` with a bare status; by `Connection` with a reason. */
  override close(code?: number, reason?: string | Buffer): void {
    const own = code === undefined || reason !== undefined ? undefined : BY_STATUS[code];
    if (own !== undefined && this.connection !== null && this.connection.state !== 'closing') this.connection.end(own);
    else super.close(code, reason);
  }
}
