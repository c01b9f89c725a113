import { PROTOCOL } from '@wardroom/protocol/limits';
import type { ClientFrame, ServerFrame, ServerFrames } from '@wardroom/protocol';
import type { Clock } from '../clock.js';
import { type Debug, describeFrame } from '../debug.js';
import { WardroomError } from '../errors.js';
import { Heartbeat } from './heartbeat.js';
import { type CloseLike, readClose } from './read-close.js';

/** The part of a WebSocket that the SDK uses: the browser's, Node's own, or the one of `ws`. */
export interface SocketLike {
  /** As of the WebSocket of a browser: 1 is open, 2 and 3 are closing and closed. */
  readonly readyState?: number;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: CloseLike) => void): void;
  addEventListener(type: 'error', listener: () => void): void;
}
export type SocketConstructor = new (url: string, protocols: string[]) => SocketLike;

export interface ConnectionHandlers {
  opened(): void;
  frame(frame: ServerFrame): void;
  /** Called once, unless `end` was called before. */
  lost(why: WardroomError): void;
}

/** Its answer, also a refusal, is a sign of life and nothing else. */
const PING_ID = 'ping';
/** Used until `hello` names another period. */
const HEARTBEAT_MS = 25_000;
/** A server closes right after its goodbye; this is how long it is waited for. */
const GOODBYE_MS = 1000;

/** One WebSocket from its opening to its end. Knows frames, but not what they mean. */
export class Connection {
  readonly #socket: SocketLike;
  #over = false;
  #goodbye: ServerFrames['goodbye'] | undefined;
  #heartbeatMs = HEARTBEAT_MS;
  #heartbeat: Heartbeat | undefined;
  #timer: unknown;

  constructor(
    Socket: SocketConstructor,
    url: string,
    connectTimeoutMs: number,
    private readonly clock: Clock,
    private readonly handlers: ConnectionHandlers,
    private readonly debug?: Debug,
  ) {
    this.#socket = new Socket(url, [PROTOCOL]);
    this.#timer = clock.setTimeout(
      () => this.fail(new WardroomError('connection_lost')),
      connectTimeoutMs,
    );
    this.#socket.addEventListener('open', () => {
      if (!this.#over) handlers.opened();
    });
    this.#socket.addEventListener('message', (event) => this.#heard(event.data));
    this.#socket.addEventListener('close', (event) => {
      if (!this.#over) debug?.(`socket closed: ${event.code}`);
      this.fail(readClose(this.#goodbye, event));
    });
    // A close always follows; but an `error` that nobody listens to would end a Node process.
    this.#socket.addEventListener('error', () => {});
  }

  /** The server accepted the credential: from now on silence is watched. */
  established(): void {
    this.clock.clearTimeout(this.#timer);
    this.#heartbeat?.stop();
    this.#heartbeat = new Heartbeat(
      this.clock,
      this.#heartbeatMs,
      () => this.send({ type: 'ping', id: PING_ID }),
      () => this.fail(new WardroomError('connection_lost')),
    );
  }

  send(frame: ClientFrame): void {
    this.sendText(JSON.stringify(frame));
  }

  sendText(text: string): void {
    // A socket that closes takes nothing more. Requests without an answer go over the next one.
    if (this.#over || (this.#socket.readyState ?? 1) > 1) return;
    this.debug?.(`-> ${describeFrame(JSON.parse(text) as object)}`);
    this.#socket.send(text);
  }

  /** A frame that the server answers: silence after it is noticed sooner. */
  sendRequest(text: string): void {
    this.sendText(text);
    this.#heartbeat?.expect();
  }

  /** Fails with `connection_lost` unless the server is heard within `patienceMs`. */
  probe(patienceMs: number): void {
    this.#heartbeat?.probe(patienceMs);
  }

  /** Ends it from this side, without telling the handlers. */
  end(): void {
    this.#stop();
  }

  fail(why: WardroomError): void {
    if (this.#over) return;
    this.#stop();
    this.handlers.lost(why);
  }

  #heard(data: unknown): void {
    if (this.#over) return;
    this.#heartbeat?.heard();
    const frame = parseFrame(data);
    if (frame) this.debug?.(`<- ${describeFrame(frame)}`);
    if (!frame || ('id' in frame && frame.id === PING_ID)) return;
    if (frame.type === 'hello') this.#heartbeatMs = frame.heartbeat_ms;
    if (frame.type !== 'goodbye') return this.handlers.frame(frame);
    this.#goodbye = frame;
    this.clock.clearTimeout(this.#timer);
    this.#timer = this.clock.setTimeout(() => this.fail(readClose(frame)), GOODBYE_MS);
  }

  #stop(): void {
    this.#over = true;
    this.clock.clearTimeout(this.#timer);
    this.#heartbeat?.stop();
    this.#socket.close(1000);
  }
}

/** Shape is the server's promise; here only what would break the dispatch is refused. */
function parseFrame(data: unknown): ServerFrame | undefined {
  if (typeof data !== 'string') return undefined;
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value === 'object' && value !== null && 'type' in value) return value as ServerFrame;
  } catch {
    // A frame that cannot be read is a frame of an unknown type.
  }
  return undefined;
}
