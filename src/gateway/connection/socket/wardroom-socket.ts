/**
 * The WebSocket of `ws`, with one difference: every close it starts itself (protocol errors, too
 * big, bad UTF-8) leaves with `goodbye` and a JSON reason like our own closes, and the echo of a
 * client's close without the client's text.
 */
import { WebSocket } from 'ws';
import { CLOSE_CODES } from '@wardroom/protocol/codes';
import type { CloseCode } from '@wardroom/protocol/codes';
import type { Connection } from '../connection.js';

const BY_STATUS: Partial<Record<number, CloseCode>> = {
  [CLOSE_CODES.protocol_error.status]: 'protocol_error',
  [CLOSE_CODES.unsupported_data.status]: 'unsupported_data',
  [CLOSE_CODES.invalid_utf8.status]: 'invalid_utf8',
  [CLOSE_CODES.too_big.status]: 'too_big',
  1008: 'policy_violation',
};

/** The status of a close frame that has none (RFC 6455, section 7.1.5). */
const NO_STATUS = 1005;

/** The listener to events of the sockets of a node. */
export interface SocketHost {
  received(connection: Connection, data: Buffer, isBinary: boolean): void;
  pinged(connection: Connection, data: Buffer): void;
  ponged(connection: Connection): void;
  gone(connection: Connection): void;
  failed(connection: Connection, error: Error): void;
}

export class WardroomSocket extends WebSocket {
  connection: Connection | null = null;
  host: SocketHost | null = null;

  /**
   * Right after the upgrade. The listeners are the same functions for all: an idle connection keeps
   * no closure of its own.
   */
  attach(connection: Connection, host: SocketHost): void {
    this.connection = connection;
    this.host = host;
    this.on('message', onMessage);
    this.on('ping', onPing);
    this.on('pong', onPong);
    this.on('close', onClose);
    this.on('error', onError);
  }

  /**
   * Called by `ws` only: with a bare status for trouble of its own, with the client's status and
   * text for an echo.
   */
  override close(code?: number, reason?: string | Buffer): void {
    const own = code === undefined || reason !== undefined ? undefined : BY_STATUS[code];
    if (own !== undefined && this.connection !== null) return this.connection.end(own);
    if (this.connection === null) return super.close(code);
    this.connection.peerLeft(code ?? NO_STATUS, () => super.close(code));
  }

  /** Our close, with a reason of ours. */
  closeWith(status: number, reason: string): void {
    super.close(status, reason);
  }
}

function onMessage(this: WebSocket, data: Buffer, isBinary: boolean): void {
  const { connection, host } = this as WardroomSocket;
  host!.received(connection!, data, isBinary);
}

function onPing(this: WebSocket, data: Buffer): void {
  const { connection, host } = this as WardroomSocket;
  host!.pinged(connection!, data);
}

function onPong(this: WebSocket): void {
  const { connection, host } = this as WardroomSocket;
  host!.ponged(connection!);
}

function onClose(this: WebSocket): void {
  const { connection, host } = this as WardroomSocket;
  host!.gone(connection!);
}

function onError(this: WebSocket, error: Error): void {
  const { connection, host } = this as WardroomSocket;
  host!.failed(connection!, error);
}
