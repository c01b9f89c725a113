/**
 * A raw WebSocket that obeys nobody: it keeps every frame with the moment it came, and does nothing
 * by itself. So a drill can do what a good client would not.
 */
import type { SocketConstructor, SocketLike } from '@wardroom/client';
import type { ServerFrame, ServerFrames, ServerFrameType } from '@wardroom/protocol';
import { newId } from '../../../sdk/src/new-id.js';

export type Arrived<F = ServerFrame> = F & { readonly arrivedAt: number };

export interface Ended {
  readonly at: number;
  readonly status: number;
  readonly reason: { readonly code?: string; readonly action?: string };
}

/** How long is waited for what must come. */
export const PATIENCE_MS = 8_000;

export class Wire {
  readonly frames: Arrived[] = [];
  readonly whenEnded: Promise<Ended>;
  ended: Ended | undefined;
  #wakers: (() => void)[] = [];

  private constructor(readonly socket: SocketLike) {
    socket.addEventListener('message', ({ data }) => {
      const frame = JSON.parse(String(data)) as ServerFrame;
      this.frames.push({ ...frame, arrivedAt: performance.now() });
      this.#wake();
    });
    socket.addEventListener('error', () => {});
    this.whenEnded = new Promise((resolve) => {
      socket.addEventListener('close', ({ code, reason }) => {
        this.ended = { at: performance.now(), status: code, reason: readReason(reason) };
        resolve(this.ended);
        this.#wake();
      });
    });
  }

  static open(WebSocket: SocketConstructor, url: string, protocol: string): Promise<Wire> {
    const wire = new Wire(new WebSocket(url, [protocol]));
    return new Promise((resolve, reject) => {
      wire.socket.addEventListener('open', () => resolve(wire));
      wire.socket.addEventListener('close', ({ code }) =>
        reject(new Error(`the WebSocket did not open (${code})`)),
      );
    });
  }

  /** Answers what the server says to the credential: `auth_ok`, or how it ends the connection. */
  async authenticate(token: string): Promise<ServerFrames['auth_ok'] | Ended> {
    this.send({ type: 'auth', token });
    await this.#until(() => this.of('auth_ok').length > 0 || this.ended !== undefined, 'auth_ok');
    return this.of('auth_ok')[0] ?? this.ended!;
  }

  /** A connection that is over swallows what is sent, as the network would. */
  send(frame: object): void {
    const isOver = this.ended !== undefined || (this.socket.readyState ?? 1) > 1;
    if (!isOver) this.socket.send(JSON.stringify(frame));
  }

  /** The frame that answers this one. */
  async ask(frame: object): Promise<Arrived> {
    const id = newId();
    this.send({ ...frame, id });
    const answer = (): Arrived | undefined =>
      this.frames.find((heard) => 'id' in heard && heard.id === id);
    await this.#until(() => answer() !== undefined || this.ended !== undefined, 'an answer');
    const found = answer();
    if (found === undefined) throw new Error(`closed before it answered: ${this.lastWords()}`);
    return found;
  }

  async subscribe(
    room: string,
    position: { since?: number; epoch?: string } = {},
  ): Promise<Arrived<ServerFrames['subscribed']>> {
    const answer = await this.ask({ type: 'subscribe', room, ...position });
    if (answer.type !== 'subscribed') throw new Error(`subscribe answered ${wordOf(answer)}`);
    return answer;
  }

  publish(room: string, body: unknown, opId = newId()): Promise<Arrived> {
    return this.ask({ type: 'publish', room, op_id: opId, body });
  }

  /** `from` counts frames: only those that came after it are looked at. */
  async next<T extends ServerFrameType>(
    type: T,
    fits: (frame: ServerFrames[T]) => boolean = () => true,
    { within = PATIENCE_MS, from = 0 } = {},
  ): Promise<Arrived<ServerFrames[T]>> {
    const find = () => this.of(type, from).find((frame) => fits(frame));
    await this.#until(() => find() !== undefined || this.ended !== undefined, type, within);
    const found = find();
    if (found === undefined) throw new Error(`closed before ${type}: ${this.lastWords()}`);
    return found;
  }

  of<T extends ServerFrameType>(type: T, from = 0): Arrived<ServerFrames[T]>[] {
    const found = this.frames.slice(from).filter((frame) => frame.type === type);
    return found as unknown as Arrived<ServerFrames[T]>[];
  }

  /** Frames sent before have been handled, and frames said before have arrived. */
  async settled(): Promise<void> {
    if (this.ended === undefined) await this.ask({ type: 'ping' });
  }

  /** The end, or an error that says that none came. */
  async end(within = PATIENCE_MS): Promise<Ended> {
    await this.#until(() => this.ended !== undefined, 'a close', within);
    return this.ended!;
  }

  lastWords(): string {
    const { ended } = this;
    return ended === undefined ? 'open' : `${ended.status} ${ended.reason.code ?? ''}`.trim();
  }

  close(): void {
    if (this.ended === undefined) this.socket.close(1000);
  }

  async #until(holds: () => boolean, what: string, within = PATIENCE_MS): Promise<void> {
    const deadline = performance.now() + within;
    while (!holds()) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`${what} did not come within ${Math.round(within)} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wakers.push(() => (clearTimeout(timer), resolve()));
      });
    }
  }

  #wake(): void {
    for (const wake of this.#wakers.splice(0)) wake();
  }
}

/** `error token_expired`, `ack`. */
export const wordOf = (frame: ServerFrame): string =>
  'code' in frame ? `${frame.type} ${frame.code}` : frame.type;

function readReason(reason: string): Ended['reason'] {
  try {
    return JSON.parse(reason) as Ended['reason'];
  } catch {
    return {};
  }
}
