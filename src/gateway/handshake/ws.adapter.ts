/**
 * Nest's WebSocket adapter with our own handshake. Nest's client is our `Connection`. Its handlers,
 * guards and filters stay in use through the callback that Nest hands over, without the streams it
 * would build per connection.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { INestApplicationContext } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import type { WebSocketServer } from 'ws';
import { WS_ALIAS, WS_PATH } from '@wardroom/protocol/limits';
import type { Connection, Dispatch } from '../connection/connection.js';
import { Handshake } from './handshake.js';
import { asksForWebSocket, serveWithoutUpgrade } from './other-upgrades.js';
import { TcpGate } from './tcp-gate.js';

interface Handler {
  callback: Dispatch;
}

export class WardroomWsAdapter extends WsAdapter {
  private readonly handshake: Handshake;
  private readonly gate: TcpGate;
  private removeGate = (): void => undefined;

  constructor(app: INestApplicationContext) {
    super(app);
    this.handshake = app.get(Handshake);
    this.gate = app.get(TcpGate);
  }

  override create(): WebSocketServer {
    const server = this.handshake.createServer();
    const http = this.httpServer as Server;
    this.removeGate = this.gate.install(http);
    http.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      const isOurs =
        asksForWebSocket(request) || request.url === WS_PATH || request.url === WS_ALIAS;
      if (isOurs) void this.handshake.upgrade(server, request, socket, head);
      else serveWithoutUpgrade(http, request, socket, head);
    });
    return server;
  }

  /** Nest calls this once per connection, before a frame can arrive. */
  override bindMessageHandlers(client: unknown, handlers: unknown[]): void {
    (client as Connection).dispatch = (handlers[0] as Handler).callback;
  }

  /** Nest's own event has no listener: `ConnectionRegistry.gone` learns of the end. */
  override bindClientDisconnect(): void {}

  /** Connections were closed by the drain; see drain.ts. */
  override async close(server: WebSocketServer): Promise<void> {
    this.removeGate();
    server.close();
  }
}
