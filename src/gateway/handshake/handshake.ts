/**
 * CONNECT: from the HTTP upgrade to an open connection. Refused before the upgrade where a client
 * can read it, else accepted, told (`goodbye`) and closed. No store round trip on this path.
 * Source: contract section 4.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import { WebSocketServer } from 'ws';
import { AccessTokens } from '../../auth/tokens/access-token.js';
import { CredentialLoopBreaker } from '../../auth/limits/credential-loop-breaker.js';
import { AllowedOrigins } from '../../auth/guard/allowed-origins.js';
import { Cookies } from '../../auth/guard/cookies.js';
import { LeaseRounds } from '../../authority/lease-rounds.js';
import { Lease } from '../../authority/lease.js';
import { ClientAddresses } from '../../platform/http/client-address.js';
import { Config } from '../../platform/config/config.js';
import { wallMs } from '../../platform/clock.js';
import { DomainError } from '../../platform/errors.js';
import { newId } from '../../platform/ids.js';
import { Metrics } from '../../platform/metrics.js';
import { cameInTheClear } from '../../platform/http/require-https.js';
import { problemHeaders, toDomainError, toProblem } from '../../platform/http/problem.filter.js';
import { PROTOCOL, WS_ALIAS, WS_PATH } from '../../protocol/limits.js';
import { Authenticate } from '../frames/authenticate.js';
import type { PresentedCredential } from '../frames/authenticate.js';
import { carrierOf } from './carriers.js';
import type { Carrier } from './carriers.js';
import { ConnectionAudit } from '../connection/connection-audit.js';
import { CLOSE_WITHIN_MS, Connection } from '../connection/connection.js';
import { ConnectionTimers, HEARTBEAT_MS } from '../connection/connection-timers.js';
import { ConnectionRegistry } from '../connection/connection-registry.js';
import { FrameQueue } from '../frames/frame-queue.js';
import { spread } from '../connection/spread.js';
import { Strangers } from '../connection/strangers.js';
import { TcpGate } from './tcp-gate.js';
import { WardroomSocket } from '../connection/wardroom-socket.js';
import type { SocketHost } from '../connection/wardroom-socket.js';

@Injectable()
export class Handshake implements SocketHost {
  private readonly logger = new Logger(Handshake.name);
  draining = false;

  constructor(
    private readonly config: Config,
    private readonly lease: Lease,
    private readonly rounds: LeaseRounds,
    private readonly origins: AllowedOrigins,
    private readonly tokens: AccessTokens,
    private readonly cookies: Cookies,
    private readonly connections: ConnectionRegistry,
    private readonly authenticate: Authenticate,
    private readonly queue: FrameQueue,
    private readonly life: ConnectionTimers,
    private readonly metrics: Metrics,
    private readonly loops: CredentialLoopBreaker,
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
    // What `ws` would refuse in plain text: a wrong method, version or key.
    server.on('wsClientError', (error: Error, socket: Socket) => {
      this.refuse(
        socket,
        new DomainError('invalid_request', { status: 400, detail: error.message }),
        error,
        { 'Sec-WebSocket-Version': '13' },
      );
    });
    return server;
  }

  /** The whole answer to one upgrade request. Never throws. */
  async upgrade(
    server: WebSocketServer,
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
  ): Promise<void> {
    socket.on('error', destroyOnError);
    try {
      const { carrier, ip, origin } = this.admit(request);
      if (this.lease.isFenced()) await this.requireLease();
      const outcome =
        carrier.kind === 'header' ? await this.verifyHeader(carrier.token, origin, ip) : null;
      if (carrier.kind === 'message') await this.strangers.place(ip);
      if (socket.destroyed) return;
      this.requireServing();
      // One write for the answer of HTTP, `hello` and, with a token that is verified already,
      // `auth_ok`.
      socket.cork();
      server.handleUpgrade(request, socket, head, (ws) => {
        const connection = new Connection(
          ws as WardroomSocket,
          ip,
          origin,
          socket,
          this.connections,
        );
        (ws as WardroomSocket).attach(connection, this);
        this.gate.leave(socket);
        this.metrics.handshakes.inc({ outcome: 'accepted' });
        this.open(server, connection, carrier, outcome);
        connection.flush();
      });
      socket.resume();
      socket.uncork();
    } catch (error) {
      const requestId = newId();
      this.audit.refusedUpgrade(error, requestId, this.addresses.of(request));
      this.refuse(
        socket,
        toDomainError(error),
        error,
        (error as DomainError).code === 'method_not_allowed' ? ALLOW : {},
        requestId,
      );
    }
  }

  /**
   * A node that stood still a moment ago proves itself before it takes anybody; a fenced one
   * refuses.
   */
  private async requireLease(): Promise<void> {
    await this.rounds.prove().catch(() => {
      throw new DomainError('auth_unavailable', { retryAfterMs: spread(5_000) });
    });
  }

  /** Checks in the order of their cost; each refusal is an HTTP answer. */
  private admit(request: IncomingMessage): {
    carrier: Carrier;
    ip: string;
    origin: string | undefined;
  } {
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
    const { origin } = request.headers;
    if (origin !== undefined && !this.origins.allows(origin))
      throw new DomainError('origin_refused');
    const carrier = carrierOf(request, url, {
      queryToken: this.config.queryToken,
      cookies: this.cookies,
    });
    const ip = this.addresses.of(request);
    this.connections.requireRoomFor(ip);
    return { carrier, ip, origin };
  }

  private requireServing(): void {
    if (this.draining) throw new DomainError('unavailable', { retryAfterMs: spread(5_000) });
  }

  /**
   * Only a client without an Origin, that is none in a browser, can read why its header was
   * refused.
   */
  private async verifyHeader(token: string, origin: string | undefined, ip: string) {
    try {
      return {
        token: await this.loops.guard({ ip }, token, () => this.tokens.verifyWithKeyReload(token)),
      };
    } catch (error) {
      if (origin === undefined) throw error;
      return { refused: toDomainError(error) };
    }
  }

  private open(
    server: WebSocketServer,
    connection: Connection,
    carrier: Carrier,
    outcome: Awaited<ReturnType<Handshake['verifyHeader']>> | null,
  ): void {
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
    if (carrier.kind === 'off' || outcome?.refused !== undefined) connection.flush();
    if (carrier.kind === 'off') connection.end('carrier_off');
    else if (outcome?.refused !== undefined) this.authenticate.refuse(connection, outcome.refused);
    else if (outcome !== null && !this.lease.isFenced())
      this.authenticate.byToken(connection, outcome.token);
    else if (carrier.kind === 'ticket') void this.verify(connection, { ticket: carrier.ticket });
    else if (carrier.kind !== 'message') void this.verify(connection, { token: carrier.token });
    if (connection.token === null) this.life.schedule(connection);
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
    this.metrics.handshakes.inc({ outcome: error.code });
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
    // Whatever else the client says is read and forgotten, else its end would never be seen; and it
    // need not end by itself.
    socket.resume();
    setTimeout(() => socket.destroy(), CLOSE_WITHIN_MS).unref();
  }
}

function destroyOnError(this: Socket): void {
  this.destroy();
}

const ALLOW = { Allow: 'GET' };
const BASE = 'http://wardroom.invalid';
/** What nearly every client asks for. */
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
