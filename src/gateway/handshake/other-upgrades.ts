/**
 * `Upgrade` to something else than a WebSocket, such as the `h2c` that Java's client offers with
 * every call, may be ignored (RFC 9110, section 7.8). Node has taken the socket away from its HTTP
 * server by then and read no body: the request is put back without the offer, and the socket is
 * handed in again.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

const OFFER: ReadonlySet<string> = new Set(['upgrade', 'connection', 'http2-settings']);

export const asksForWebSocket = ({ headers }: Pick<IncomingMessage, 'headers'>): boolean =>
  headers.upgrade?.toLowerCase() === 'websocket';

export function serveWithoutUpgrade(
  server: Server,
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (!OFFER.has(rawHeaders[i]!.toLowerCase()))
      lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  // One request for each socket: handed in again and again, it would gather listeners.
  lines.push('Connection: close');
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  // A server of https listens to `connection` for what is not decrypted yet.
  server.emit(socket instanceof TLSSocket ? 'secureConnection' : 'connection', socket);
}
