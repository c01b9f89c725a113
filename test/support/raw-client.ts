/**
 * A WebSocket client that knows nothing of the protocol: every frame is kept in a queue, so no test
 * misses one, and the close is a promise. Waits for events, never for time; a wait that is not met
 * fails with what did arrive.
 */
import { WebSocket } from 'ws';
import type { ClientOptions } from 'ws';
import { noteFrames, noteSaid, noteTokens } from './secrets.mjs';

const PATIENCE_MS = 8_000;

export interface Closed {
  code: number;
  reason: any;
  raw: string;
}

export interface RawOptions extends ClientOptions {
  protocols?: string[];
  token?: string;
}

export class RawClient {
  readonly frames: any[] = [];
  private cursor = 0;
  private wake: (() => void)[] = [];
  readonly closed: Promise<Closed>;
  isClosed: Closed | null = null;

  private constructor(readonly ws: WebSocket) {
    ws.on('message', (data) => {
      this.frames.push(JSON.parse(String(data)));
      this.stir();
    });
    this.closed = new Promise((resolve) => {
      ws.on('close', (code, reason) => {
        const raw = String(reason);
        this.isClosed = { code, raw, reason: raw.startsWith('{') ? JSON.parse(raw) : null };
        noteFrames(this.frames);
        noteSaid(raw);
        resolve(this.isClosed);
        this.stir();
      });
    });
    ws.on('error', () => undefined);
  }

  /** Open at the WebSocket level; rejects with `{status, body}` when the upgrade was refused. */
  static open(
    url: string,
    { protocols = ['wardroom.v1'], token, ...options }: RawOptions = {},
  ): Promise<RawClient> {
    const headers = {
      ...(options.headers as Record<string, string> | undefined),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const ws = new WebSocket(url, protocols, { ...options, headers, perMessageDeflate: false });
    noteTokens(JSON.stringify([url, protocols, headers]));
    const client = new RawClient(ws);
    return new Promise((resolve, reject) => {
      ws.once('open', () => resolve(client));
      ws.once('unexpected-response', (_request, response) => {
        let text = '';
        response.on('data', (chunk) => (text += chunk));
        response.on('end', () => {
          noteSaid(text);
          const body = text.startsWith('{') ? JSON.parse(text) : text;
          reject(
            Object.assign(new Error(`upgrade refused: ${response.statusCode} ${text}`), {
              status: response.statusCode,
              headers: response.headers,
              body,
            }),
          );
        });
      });
      ws.once('error', reject);
    });
  }

  /** Open and authenticated by header. */
  static async live(url: string, token: string, options: RawOptions = {}): Promise<RawClient> {
    const client = await RawClient.open(url, { ...options, token });
    await client.next('auth_ok');
    return client;
  }

  send(frame: unknown): void {
    const text = typeof frame === 'string' ? frame : JSON.stringify(frame);
    noteTokens(text);
    this.ws.send(text);
  }

  /** Sends with a fresh id and answers the frame that carries it. */
  async ask(frame: Record<string, unknown>): Promise<any> {
    const id = `q${Math.random().toString(36).slice(2)}`;
    const from = this.frames.length;
    this.send({ ...frame, id });
    return this.next((answer) => answer.id === id, PATIENCE_MS, from);
  }

  async subscribe(room: string, since?: number): Promise<any> {
    return this.ask({ type: 'subscribe', room, ...(since === undefined ? {} : { since }) });
  }

  async publish(
    room: string,
    body: unknown,
    opId = `op-${Math.random().toString(36).slice(2)}`,
  ): Promise<any> {
    return this.ask({ type: 'publish', room, op_id: opId, body });
  }

  /**
   * The next frame after the last one taken that matches; those before it are skipped but stay in
   * `frames`. A caller with many questions at once looks from where they asked (`from`): answers
   * may come in another order.
   */
  async next(
    match: string | ((frame: any) => boolean),
    patienceMs = PATIENCE_MS,
    from?: number,
  ): Promise<any> {
    const fits = typeof match === 'string' ? (frame: any) => frame.type === match : match;
    const deadline = performance.now() + patienceMs;
    for (;;) {
      for (let i = from ?? this.cursor; i < this.frames.length; i += 1) {
        if (!fits(this.frames[i])) continue;
        this.cursor = Math.max(this.cursor, i + 1);
        return this.frames[i];
      }
      if (this.isClosed !== null)
        throw new Error(
          `closed (${this.isClosed.code} ${this.isClosed.raw}) while waiting for ${String(match)}; got ${JSON.stringify(this.frames)}`,
        );
      const left = deadline - performance.now();
      if (left <= 0)
        throw new Error(
          `no frame ${String(match)} within ${patienceMs} ms; got ${JSON.stringify(this.frames)}`,
        );
      await this.stirred(left);
    }
  }

  /** All frames of a type so far. */
  of(type: string): any[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  /** Proves that what was sent before has been handled. */
  async settled(): Promise<void> {
    await this.ask({ type: 'ping' });
  }

  close(): void {
    this.ws.close(1000);
  }

  private stirred(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.wake.push(() => (clearTimeout(timer), resolve()));
    });
  }

  private stir(): void {
    for (const wake of this.wake.splice(0)) wake();
  }
}
