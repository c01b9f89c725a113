import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { CLOSE_CODES, ERROR_CODES, type CloseCode, type ErrorCode } from '@wardroom/protocol/codes';
import { Queue } from './queue.js';

export type Json = Record<string, unknown>;
export interface RestRequest {
  method: string;
  url: string;
  headers: Record<string, string | string[] | undefined>;
  body: Json | undefined;
  answer(status: number, body: Json): void;
}

const uuid = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
export const ROOM = uuid(1);
export const ALICE = uuid(2);

/**
 * The server's side of one real socket: every frame of the client is queued, so a test misses none.
 */
export class Peer {
  readonly frames = new Queue<Json>();
  readonly closed: Promise<number>;

  constructor(
    readonly socket: WebSocket,
    readonly url: string,
  ) {
    socket.on('message', (data) =>
      this.frames.push(JSON.parse((data as Buffer).toString()) as Json),
    );
    this.closed = new Promise((resolve) => socket.on('close', resolve));
  }

  /** The next frame, which must be of this type. */
  async next(type: string): Promise<Json> {
    const frame = await this.frames.next();
    if (frame['type'] !== type) throw new Error(`expected ${type}, got ${JSON.stringify(frame)}`);
    return frame;
  }

  send(...frames: Json[]): void {
    for (const frame of frames) this.socket.send(JSON.stringify(frame));
  }

  authOk(fields: Json = {}): void {
    const times = {
      expires_in_ms: 300_000,
      refresh_after_ms: 200_000,
      refresh_before_ms: 290_000,
      server_time_ms: 1,
    };
    this.send({
      type: 'auth_ok',
      session_id: uuid(3),
      user_id: ALICE,
      tenant_id: uuid(4),
      ...times,
      ...fields,
    });
  }

  async welcome(fields: Json = {}, heartbeat_ms = 25_000): Promise<Json> {
    const hello = {
      type: 'hello',
      connection_id: uuid(5),
      server_time_ms: 1,
      auth_deadline_ms: 5000,
      protocol: 'wardroom.v1',
    };
    this.send({ ...hello, heartbeat_ms });
    const auth = await this.next('auth');
    this.authOk(fields);
    return auth;
  }

  async subscribed(fields: Json): Promise<Json> {
    const frame = await this.next('subscribe');
    const rights = { role: 'member', can: ['read', 'publish'] };
    this.send({
      type: 'subscribed',
      id: frame['id'],
      room: ROOM,
      epoch: 'e1',
      ...rights,
      recovered: true,
      replayed: 0,
      ...fields,
    });
    return frame;
  }

  message(...seqs: number[]): void {
    for (const seq of seqs)
      this.send({ type: 'message', ...event(seq), kind: 'text', body: seq, op_id: `op${seq}` });
  }

  ack(frame: Json, seq: number, duplicate = false): void {
    const { message_id, at } = event(seq);
    this.send({
      type: 'ack',
      id: frame['id'],
      room: ROOM,
      op_id: frame['op_id'],
      message_id,
      seq,
      at,
      duplicate,
    });
  }

  error(frame: Json, code: ErrorCode, fields: Json = {}): void {
    const { action, message } = ERROR_CODES[code];
    this.send({ type: 'error', id: frame['id'], code, action, message, ...fields });
  }

  /** As the server ends a connection: goodbye, then a close with the same words. */
  goodbye(code: CloseCode, fields: Json = {}): void {
    const { action, message, status } = CLOSE_CODES[code];
    this.send({ type: 'goodbye', code, action, close_id: 'c1', message, ...fields });
    this.socket.close(status, JSON.stringify({ code, action, close_id: 'c1', ...fields }));
  }

  /** As a cable is pulled: no goodbye, no close frame. */
  cut(): void {
    this.socket.terminate();
  }
}

export const event = (seq: number) => ({
  room: ROOM,
  seq,
  message_id: uuid(1000 + seq),
  sender: ALICE,
  at: '2026-11-22T00:00:00.000Z',
});

/** A real HTTP and WebSocket listener that says only what the test tells it to. */
export class ScriptedServer {
  readonly peers = new Queue<Peer>();
  readonly calls = new Queue<RestRequest>();
  readonly #http: Server;
  readonly #ws: WebSocketServer;

  private constructor() {
    this.#http = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => (text += String(chunk)));
      request.on('end', () => {
        const answer = (status: number, body: Json) =>
          response
            .writeHead(status, { 'content-type': 'application/json' })
            .end(JSON.stringify(body));
        const { method = '', url = '', headers } = request;
        this.calls.push({
          method,
          url,
          headers,
          body: text ? (JSON.parse(text) as Json) : undefined,
          answer,
        });
      });
    });
    this.#ws = new WebSocketServer({ server: this.#http });
    this.#ws.on('connection', (socket, request) =>
      this.peers.push(new Peer(socket, request.url ?? '')),
    );
  }

  static async start(): Promise<ScriptedServer> {
    const server = new ScriptedServer();
    await new Promise<void>((resolve) => server.#http.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#ws.clients) socket.terminate();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }
}

/** The answer of login and refresh, as number `n`. */
export const tokens = (n: number, fields: Json = {}) => ({
  access_token: `access-${n}`,
  token_type: 'Bearer',
  expires_in: 300,
  refresh_token: `refresh-${n}`,
  session_id: uuid(3),
  refresh_after_ms: 200_000,
  ...fields,
});
