/**
 * CONNECT: from the HTTP upgrade through the guards (`handshake-guards.ts`) to an open connection.
 * A refusal is an HTTP answer where the client can read it, else a `goodbye` after the upgrade. No
 * store round trip on this path. Source: contract section 4.
 */
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { CanActivate } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import { WebSocketServer } from 'ws';
import { PROTOCOL, WS_ALIAS, WS_PATH } from '@wardroom/protocol/limits';
import { Lease } from '../../authority/lease/lease.js';
import { ClientAddresses, plainAddress } from '../../platform/http/client-address.js';
import { Config } from '../../platform/config/config.js';
import { wallMs } from '../../platform/clock.js';
import { DomainError } from '../../platform/errors.js';
import { newId } from '../../platform/ids.js';
import { cameInTheClear } from '../../platform/http/require-https.js';
import { problemHeaders, toDomainError, toProblem } from '../../platform/http/problem.filter.js';
import { Authenticate } from '../frames/authenticate.js';
import type { PresentedCredential } from '../frames/authenticate.js';
import { ConnectionAudit } from '../connection/ends/connection-audit.js';
import { ConnectionCounts } from '../connection/counts/connection-counts.js';
import { CLOSE_WITHIN_MS, Connection } from '../connection/connection.js';
import { ConnectionTimers, HEARTBEAT_MS } from '../connection/timers/connection-timers.js';
import { ConnectionRegistry } from '../connection/connection-registry.js';
import { FrameQueue } from '../frames/frame-queue.js';
import { spread } from '../connection/timers/spread.js';
import { Strangers } from '../connection/strangers.js';
import { HANDSHAKE_GUARDS } from './handshake-guards.js';
import { TcpGate } from './tcp-gate.js';
import { Upgrade } from './upgrade.js';
import { UserAgents } from './user-agents.js';
import { WardroomSocket } from '../connection/socket/wardroom-socket.js';
import type { SocketHost } from '../connection/socket/wardroom-socket.js';

@Injectable()
export class Handshake implements SocketHost {
  private readonly logger = new Logger(Handshake.name);
  draining = false;
  private readonly userAgents = new UserAgents();

  constructor(
    private readonly config: Config,
    private readonly lease: Lease,
    @Inject(HANDSHAKE_GUARDS) private readonly guards: CanActivate[],
    private readonly connections: ConnectionRegistry,
    private readonly authenticate: Authenticate,
    private readonly queue: FrameQueue,
    private readonly timers: ConnectionTimers,
    private readonly counts: ConnectionCounts,
    private readonly audit: ConnectionAudit,
    private readonly addresses: ClientAddresses,
    private readonly strangers: Strangers,
    private readonly gate: TcpGate,
  ) {}

  createServer(): WebSocketServer {
    const server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // Pings are answered through the connection's queue: what the library sends by itself has no
      // bound.
      autoPong: false,
      WebSocket: WardroomSocket,
      perMessageDeflate: false,
      maxPayload: this.config.frameBytesMax,
      maxFragments: 64,
      maxBufferedChunks: 1024,
      handleProtocols: (offered: Set<string>) => (offered.has(PROTOCOL) ? PROTOCOL : false),
    } as ConstructorParameters<typeof WebSocketServer>[0]);
    // `ws` itself would refuse these in plain text: a wrong method, version or key.
    server.on('wsClientError', (error: Error, socket: Socket) => {
      const refusal = new DomainError('invalid_request', { status: 400, detail: error.message });
      this.counts.refusedUpgrade(refusal, plainAddress(socket.remoteAddress));
      this.refuse(socket, refusal, error, { 'Sec-WebSocket-Version': '13' });
    });
    return server;
  }

  /** The whole answer to one upgrade request. Never rejects: that would end the process. */
  async upgrade(
    server: WebSocketServer,
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
  ): Promise<void> {
    try {
      await this.answer(server, request, socket, head);
    } catch (error) {
      this.logger.error({ msg: 'a handshake could not be answered', error });
      socket.destroy();
    }
  }

  private async answer(
    server: WebSocketServer,
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
  ): Promise<void> {
    socket.on('error', destroyOnError);
    try {
      const upgrade = this.admit(request);
      await this.runGuards(upgrade);
      if (socket.destroyed) return;
      this.requireServing();
      // One write for the answer of HTTP, `hello` and, with a token that is verified already,
      // `auth_ok`.
      socket.cork();
      server.handleUpgrade(request, socket, head, (ws) => {
        const connection = new Connection(
          ws as WardroomSocket,
          upgrade.ip,
          upgrade.origin,
          socket,
          this.connections,
          upgrade.carrier.kind,
          this.userAgents.of(request.headers['user-agent']),
        );
        (ws as WardroomSocket).attach(connection, this);
        this.gate.leave(socket);
        this.counts.upgraded(upgrade.carrier.kind, upgrade.ip);
        this.open(server, connection, upgrade);
        connection.flush();
      });
      socket.resume();
      socket.uncork();
    } catch (error) {
      const requestId = newId();
      const refusal = toDomainError(error);
      const ip = this.addresses.of(request);
      this.audit.refusedUpgrade(error, requestId, ip);
      this.counts.refusedUpgrade(refusal, ip);
      this.refuse(
        socket,
        refusal,
        error,
        (error as DomainError).code === 'method_not_allowed' ? ALLOW : {},
        requestId,
      );
    }
  }

  /** Refuses what is no request for a WebSocket of this node. */
  private admit(request: IncomingMessage): Upgrade {
    const url = request.url === WS_PATH ? PLAIN_URL : urlOf(request.url);
    if (url === null) throw new DomainError('not_found');
    if (request.method !== 'GET') throw new DomainError('method_not_allowed');
    if (
      !this.config.allowInsecureHttp &&
      cameInTheClear(request.headers) &&
      this.addresses.cameByProxy(request)
    )
      throw new DomainError('https_required');
    this.requireServing();
    return new Upgrade(request, url, this.addresses.of(request));
  }

  private async runGuards(upgrade: Upgrade): Promise<void> {
    const context = new ExecutionContextHost([upgrade], Handshake);
    context.setType('ws');
    for (const guard of this.guards)
      if ((await guard.canActivate(context)) !== true) throw new DomainError('role_required');
  }

  private requireServing(): void {
    if (this.draining) throw new DomainError('unavailable', { retryAfterMs: spread(5_000) });
  }

  private open(
    server: WebSocketServer,
    connection: Connection,
    { carrier, header }: Upgrade,
  ): void {
    const refused = header !== null && 'refused' in header ? header.refused : null;
    this.connections.open(connection);
    if (carrier.kind === 'message') this.strangers.add(connection);
    server.emit('connection', connection);
    connection.send({
      type: 'hello',
      connection_id: connection.id,
      server_time_ms: wallMs(),
      auth_deadline_ms: this.config.authDeadlineMs,
      heartbeat_ms: HEARTBEAT_MS,
      protocol: PROTOCOL,
    });
    // The end of a connection drops what waits: `hello` leaves before it.
    if (carrier.kind === 'off' || refused !== null) connection.flush();
    if (carrier.kind === 'off') connection.end('carrier_off');
    else if (refused !== null) this.authenticate.refuse(connection, refused);
    else if (header !== null && 'token' in header && !this.lease.isFenced())
      this.authenticate.byToken(connection, header.token);
    else if (carrier.kind === 'ticket') void this.verify(connection, { ticket: carrier.ticket });
    else if (carrier.kind !== 'message') void this.verify(connection, { token: carrier.token });
    if (connection.token === null) this.timers.schedule(connection);
  }

  received(connection: Connection, data: Buffer, isBinary: boolean): void {
    this.queue.receive(connection, data, isBinary);
  }

  pinged(connection: Connection, data: Buffer): void {
    this.queue.receivePing(connection, data);
  }

  ponged(connection: Connection): void {
    this.queue.receivePong(connection);
  }

  gone(connection: Connection): void {
    this.connections.gone(connection);
  }

  failed(connection: Connection, error: Error): void {
    this.logger.debug({ msg: 'socket error', connection: connection.id, error: error.message });
  }

  /**
   * Frames that came meanwhile have waited for this. A lease lost while a header was verified is
   * waited for here too.
   */
  private async verify(connection: Connection, credential: PresentedCredential): Promise<void> {
    await this.authenticate.byCredential(connection, credential);
    await this.queue.drain(connection);
  }

  private refuse(
    socket: Socket,
    error: DomainError,
    thrown: unknown,
    more: Record<string, string> = {},
    requestId = newId(),
  ): void {
    if (error.code === 'internal') this.logger.error({ msg: 'handshake failed', error: thrown });
    const problem = toProblem(error, requestId);
    const body = JSON.stringify(problem);
    const headers = {
      ...problemHeaders(error),
      ...more,
      'Content-Length': Buffer.byteLength(body),
      Connection: 'close',
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n${lines.join('')}\r\n${body}`,
    );
    // Keep reading so that we notice FIN; destroy after the bound regardless.
    socket.resume();
    setTimeout(() => socket.destroy(), CLOSE_WITHIN_MS).unref();
  }
}

function destroyOnError(this: Socket): void {
  this.destroy();
}

const ALLOW = { Allow: 'GET' };
const BASE = 'http://wardroom.invalid';
/** Nearly every client asks for this one. */
const PLAIN_URL = new URL(WS_PATH, BASE);

/**
 * Null: another target. It is compared as it stands, because what is normalised here may have
 * passed a proxy as something else.
 */
function urlOf(target = '/'): URL | null {
  const [path, ...query] = target.split('?');
  return path === WS_PATH || path === WS_ALIAS
    ? new URL(`${WS_PATH}?${query.join('?')}`, BASE)
    : null;
}
