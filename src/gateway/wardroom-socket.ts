/**
 * The WebSocket of `ws`, with one difference: every close it starts itself (protocol errors, too big, bad UTF-8) leaves
 * with `goodbye` and a JSON reason like our own closes, and the echo of a client's close without the client's text.
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

  /** Called by `ws` only: with a bare status for trouble of its own, with the client's status and text for an echo. */
  override close(code?: number, reason?: string | Buffer): void {
    const own = code === undefined || reason !== undefined ? undefined : BY_STATUS[code];
    if (own === undefined || this.connection === null) super.close(code);
    else this.connection.end(own);
  }

  /** Our close, with a reason of ours. */
  closeWith(status: number, reason: string): void {
    super.close(status, reason);
  }
}
