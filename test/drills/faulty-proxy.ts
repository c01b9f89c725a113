/**
 * A proxy before a real node that breaks one rule. It speaks HTTP and WebSockets, lets everything
 * through, and asks a fault about each answer and frame.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

export type Frame = Record<string, any>;

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly text: string;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  text: string;
}

/** The broken rule. Each part may be left out: then everything passes as it is. */
export interface Fault {
  rest?(call: Call, forward: () => Promise<Answer>, links: readonly Link[]): Promise<Answer>;
  /** The frames that a client gets for one of the server. */
  down?(frame: Frame, link: Link): Frame[];
  /** The frames that the server gets for one of a client. */
  up?(frame: Frame, link: Link): Frame[];
  /** False: the client does not learn that the server closed. */
  closes?(link: Link): boolean;
}

/** One client and its connection to the node. */
export class Link {
  /** Notes of the fault. */
  readonly marks = new Set<string>();

  constructor(readonly client: WebSocket) {}

  tell(frame: Frame): void {
    if (this.client.readyState === WebSocket.OPEN) this.client.send(JSON.stringify(frame));
  }
}

/** Of the connection between proxy and node, not of the message. */
const OWN_HEADERS = new Set(['host', 'connection', 'content-length', 'transfer-encoding']);

export class FaultyProxy {
  readonly #links: Link[] = [];
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });

  private constructor(
    private readonly target: string,
    private readonly fault: Fault,
  ) {
    this.#server = createServer((request, response) => {
      void this.#answer(request).then(({ status, headers, text }) =>
        response.writeHead(status, headers).end(text),
      );
    });
    this.#server.on('upgrade', (request, socket, head) => {
      const upstream = new WebSocket(this.target.replace(/^http/, 'ws') + request.url, [
        'wardroom.v1',
      ]);
      upstream.once('open', () =>
        this.#sockets.handleUpgrade(request, socket, head, (client) =>
          this.#join(client, upstream),
        ),
      );
      upstream.once('error', () => socket.destroy());
    });
  }

  static async start(target: string, fault: Fault): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target, fault);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const { client } of this.#links) client.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => !OWN_HEADERS.has(name)),
    ) as Record<string, string>;
    const { method = 'GET', url: path = '/' } = request;
    const call: Call = { method, path, headers, text: Buffer.concat(chunks).toString() };
    const forward = () => this.#forward(call);
    return this.fault.rest ? this.fault.rest(call, forward, this.#links) : forward();
  }

  async #forward({ method, path, headers, text }: Call): Promise<Answer> {
    const body = text === '' ? {} : { body: text };
    const response = await fetch(this.target + path, { method, headers, ...body });
    const passed = [...response.headers].filter(
      ([name]) => !OWN_HEADERS.has(name) && name !== 'content-encoding',
    );
    const answer = { status: response.status, headers: Object.fromEntries(passed) };
    return { ...answer, text: await response.text() };
  }

  #join(client: WebSocket, upstream: WebSocket): void {
    const link = new Link(client);
    this.#links.push(link);
    const { fault } = this;
    upstream.on('message', (data) => {
      const frame = JSON.parse(String(data)) as Frame;
      for (const said of fault.down?.(frame, link) ?? [frame]) link.tell(said);
    });
    client.on('message', (data) => {
      const frame = JSON.parse(String(data)) as Frame;
      if (upstream.readyState !== WebSocket.OPEN) return;
      for (const said of fault.up?.(frame, link) ?? [frame]) upstream.send(JSON.stringify(said));
    });
    upstream.on('close', (code, reason) => {
      if (fault.closes?.(link) === false) return;
      if (code === 1005 || code === 1006) client.terminate();
      else client.close(code, reason);
    });
    client.on('close', () => upstream.close(1000));
    for (const socket of [client, upstream]) socket.on('error', () => {});
  }
}
