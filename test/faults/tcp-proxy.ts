/**
 * A TCP proxy that breaks on command: between one node and one store, so that a fault hits that
 * node only. It does to bytes as a real network: delays them, keeps them, loses them, or ends the
 * connection.
 */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** `up`: from node to store. `down`: its answers. */
export type Direction = 'up' | 'down';
export type Directions = Direction | 'both';

export interface BlackHole {
  direction?: Directions;
  /**
   * True: what falls in is lost, and connections that lost something stay silent for ever, also
   * after healing (a firewall that forgot them). False: bytes wait and come through later (a cable
   * that was out).
   */
  lose?: boolean;
}

interface Link {
  client: Socket;
  store: Socket;
  /** Lost bytes: dead in that direction for good. */
  lost: Set<Direction>;
}

export class TcpProxy {
  private readonly links = new Set<Link>();
  private readonly closed = new Set<Direction>();
  private losing = false;
  private latencyMs = 0;
  private repliesToDrop = 0;
  /** Bytes that fell into a hole: proof that a fault bit. */
  lostBytes = 0;
  /** Resolves with the first connection. */
  readonly reached: Promise<void>;

  private constructor(
    private readonly server: Server,
    private target: { host: string; port: number },
  ) {
    server.on('connection', (client) => this.link(client));
    this.reached = new Promise((resolve) => server.once('connection', () => resolve()));
  }

  /** In front of the server of `url`; use `urlThrough` to reach it. */
  static async before(url: string): Promise<TcpProxy> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TcpProxy(server, hostOf(url));
  }

  urlThrough(url: string): string {
    const through = new URL(url);
    through.hostname = '127.0.0.1';
    through.port = String((this.server.address() as AddressInfo).port);
    return through.href;
  }

  /** The store came back elsewhere. */
  retarget(url: string): void {
    this.target = hostOf(url);
  }

  /** Each direction late by `ms`. */
  delay(ms: number): void {
    this.latencyMs = ms;
  }

  blackHole({ direction = 'both', lose = false }: BlackHole = {}): void {
    this.losing = lose;
    for (const one of direction === 'both' ? (['up', 'down'] as const) : [direction])
      this.closed.add(one);
    if (!lose) for (const link of this.links) this.holdBack(link);
  }

  /**
   * The next `count` connections that hear an answer lose it, and break: the request was served,
   * nobody knows.
   */
  dropReplies(count = 1): void {
    this.repliesToDrop = count;
  }

  /** RST on every connection. */
  reset(): void {
    for (const { client, store } of this.links) {
      endWithReset(client);
      store.destroy();
    }
  }

  /** Everything passes again; connections that lost bytes stay dead. */
  heal(): void {
    this.closed.clear();
    this.latencyMs = 0;
    this.repliesToDrop = 0;
    for (const { client, store } of this.links) {
      client.resume();
      store.resume();
    }
  }

  async stop(): Promise<void> {
    this.heal();
    this.reset();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private link(client: Socket): void {
    const store = connect({ ...this.target, noDelay: true });
    const link: Link = { client, store, lost: new Set() };
    this.links.add(link);
    const end = () => {
      this.links.delete(link);
      client.destroy();
      store.destroy();
    };
    for (const socket of [client, store]) socket.on('error', end).on('close', end);
    client.on('data', (chunk) => this.pass(link, 'up', chunk));
    store.on('data', (chunk) => this.pass(link, 'down', chunk));
    if (!this.losing) this.holdBack(link);
  }

  private holdBack({ client, store }: Link): void {
    if (this.closed.has('up')) client.pause();
    if (this.closed.has('down')) store.pause();
  }

  private pass(link: Link, direction: Direction, chunk: Buffer): void {
    if (this.closed.has(direction) && this.losing) link.lost.add(direction);
    if (link.lost.has(direction)) {
      this.lostBytes += chunk.length;
      return;
    }
    if (direction === 'down' && this.repliesToDrop > 0) {
      this.repliesToDrop -= 1;
      this.lostBytes += chunk.length;
      endWithReset(link.client);
      return;
    }
    const to = direction === 'up' ? link.store : link.client;
    if (this.latencyMs === 0) to.write(chunk);
    else setTimeout(() => to.write(chunk), this.latencyMs);
  }
}

/**
 * Node keeps a socket for ever that is reset while it is being shut down, and does not come to its
 * end then.
 */
function endWithReset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

function hostOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
