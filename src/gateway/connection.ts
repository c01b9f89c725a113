/**
 * One WebSocket: its state, its credential, its subscriptions and its outbound queue. It knows nothing of rooms' content
 * or of policy; the gateway's other parts drive it.
 */
import type { Socket } from 'node:net';
import { CLOSE_CODES } from '../protocol/codes.js';
import type { CloseCode } from '../protocol/codes.js';
import type { ServerFrame } from '../protocol/frames.js';
import { LIMITS } from '../protocol/limits.js';
import { newId } from '../platform/ids.js';
import { monotonicMs } from '../platform/clock.js';
import type { AcceptedToken, Principal } from '../sessions/principal.js';
import { nextState, sendsRoomData } from './connection-states.js';
import type { ConnectionEvent, ConnectionState } from './connection-states.js';
import { encodeTextFrame } from './frame-encoder.js';
import type { RoomChannel } from './room-channel.js';
import type { Subscription } from './subscription.js';
import type { TokenBucket } from './token-bucket.js';
import type { WardroomSocket } from './wardroom-socket.js';

/** What a connection needs of its node. */
export interface ConnectionHost {
  readonly fenced: boolean;
  readonly queueBytesMax: number;
  /** Asks to be flushed at the end of this turn. */
  wantsFlush(connection: Connection): void;
  /** The connection left `live`, `expired` or an earlier state for good: take it out of every list, synchronously. */
  onEnd(connection: Connection, code: CloseCode): void;
}

/** The peer and the TCP connection get this long to finish a close. */
export const CLOSE_WITHIN_MS = 900;

export class Connection {
  readonly id = newId();
  state: ConnectionState = 'greeting';
  /** Null until the first credential was accepted. */
  token: AcceptedToken | null = null;
  /** Grows with every accepted credential: a timer or an answer of an older one does nothing. */
  tokenGeneration = 0;
  readonly subscriptions = new Map<string, Subscription>();
  /** Frames in order: see frame-queue.ts. */
  inbox: Buffer[] = [];
  inboxBytes = 0;
  handling = false;
  invalidFrames = 0;
  overRate = 0;
  frameBucket: TokenBucket | null = null;
  publishBucket: TokenBucket | null = null;
  warned = false;
  /** Monotonic ms of the next thing the wheel must do here. */
  dueMs = Infinity;
  heartbeatMs = 0;
  bytesSeen = 0;
  pinged = false;
  readonly openedMs = monotonicMs();
  expiredSinceMs = 0;
  closingSinceMs = 0;
  dispatch: ((frame: unknown) => Promise<unknown>) | null = null;
  flushing = false;

  private out: Buffer[] = [];
  /** The room each queued buffer came from, or null: so that a lost right can take back what was not written yet. */
  private outOf: (RoomChannel | null)[] = [];
  private outBytes = 0;
  private drains: (() => void)[] = [];

  constructor(
    readonly ws: WardroomSocket,
    private readonly socket: Socket,
    readonly ip: string,
    readonly origin: string | undefined,
    private readonly host: ConnectionHost,
  ) {}

  get principal(): Principal {
    return this.token!.principal;
  }

  get authenticated(): boolean {
    return this.token !== null && (this.state === 'live' || this.state === 'expired');
  }

  /** Past `exp` by the monotonic deadline, whatever the timers have noticed yet. */
  get pastExpiry(): boolean {
    return this.token !== null && monotonicMs() >= this.token.deadlineMs;
  }

  get heldBytes(): number {
    return this.outBytes;
  }

  get bytesRead(): number {
    return this.socket.bytesRead;
  }

  /** False: the event means nothing in this state. */
  step(event: ConnectionEvent): boolean {
    const next = nextState(this.state, event);
    if (next === undefined) return false;
    this.state = next;
    return true;
  }

  /** A frame about this connection (not about a room's content); also sent in grace and while paused. */
  send(frame: ServerFrame): void {
    this.sendText(JSON.stringify(frame));
  }

  sendText(text: string): void {
    if (this.state === 'closing' || this.state === 'closed') return;
    const buffer = encodeTextFrame(text);
    // What is held back for lack of authority must not hold back the word about it.
    if (this.out.length > 0 && !this.mayWriteRoomData) this.socket.write(buffer);
    else this.queue(buffer, null);
  }

  /** Already encoded; `from` the room it belongs to. Over the limit the consumer is closed. */
  queue(buffer: Buffer, from: RoomChannel | null): void {
    if (this.state === 'closing' || this.state === 'closed') return;
    this.out.push(buffer);
    this.outOf.push(from);
    this.outBytes += buffer.length;
    if (this.outBytes > this.host.queueBytesMax) this.end('slow_consumer');
    else if (!this.flushing) {
      this.flushing = true;
      this.host.wantsFlush(this);
    }
  }

  /** One write per turn. Lease, expiry and deadness are compared here, before the socket sees a byte. */
  flush(): void {
    this.flushing = false;
    if (this.out.length === 0 || this.state === 'closing' || this.state === 'closed') return;
    if (!this.mayWriteRoomData) return this.flushOwnFrames();
    if (this.socket.writableLength > LIMITS.socketBytes) return this.waitForDrain();
    let count = 0;
    let bytes = 0;
    while (count < this.out.length && (count === 0 || bytes + this.out[count]!.length <= LIMITS.socketBytes)) bytes += this.out[count++]!.length;
    this.write(count, bytes);
    if (this.out.length > 0) this.waitForDrain();
    else for (const resolve of this.drains.splice(0)) resolve();
  }

  /** Resolves when the queue is empty, or at once when the connection is over. */
  drained(): Promise<void> {
    if (this.out.length === 0 || this.state === 'closing' || this.state === 'closed') return Promise.resolve();
    return new Promise((resolve) => this.drains.push(resolve));
  }

  /** Takes back what was queued from a room and not written yet. */
  dropQueued(from: RoomChannel): void {
    if (this.out.length === 0) return;
    const kept = this.out.map((buffer, i) => ({ buffer, from: this.outOf[i]! })).filter((entry) => entry.from !== from);
    this.out = kept.map((entry) => entry.buffer);
    this.outOf = kept.map((entry) => entry.from);
    this.outBytes = this.out.reduce((sum, buffer) => sum + buffer.length, 0);
  }

  /**
   * Ends the connection for a reason. Synchronous part: dead, out of every list, queue dropped, nothing is read or sent
   * any more. Then goodbye, close, and within a second the end of the TCP connection.
   */
  end(code: CloseCode, retryAfterMs?: number): void {
    if (!this.step('close')) return;
    this.closingSinceMs = monotonicMs();
    this.out = [];
    this.outOf = [];
    this.outBytes = 0;
    this.inbox = [];
    this.inboxBytes = 0;
    for (const resolve of this.drains.splice(0)) resolve();
    this.host.onEnd(this, code);
    const { status, action, message } = CLOSE_CODES[code];
    const spread = retryAfterMs === undefined ? {} : { retry_after_ms: Math.round(retryAfterMs) };
    const close_id = this.id.slice(-12);
    setImmediate(() => {
      // Nothing may follow the answer to a close that the client sent meanwhile.
      if (this.ws.readyState !== this.ws.OPEN) return;
      const goodbye: ServerFrame = { type: 'goodbye', code, action, ...spread, close_id, message };
      if (!this.socket.destroyed) this.socket.write(encodeTextFrame(JSON.stringify(goodbye)));
      this.ws.closeWith(status, JSON.stringify({ code, action, close_id, ...spread }));
    });
  }

  /** The last resort: no goodbye, no close frame. */
  destroy(): void {
    this.ws.terminate();
    this.socket.destroy();
  }

  ping(): void {
    this.ws.ping();
  }

  private get mayWriteRoomData(): boolean {
    return sendsRoomData(this.state) ? !this.host.fenced && !this.pastExpiry : this.state !== 'expired';
  }

  /** While room data is held, frames about the connection itself still go out. */
  private flushOwnFrames(): void {
    const held = this.out.map((buffer, i) => ({ buffer, from: this.outOf[i]! }));
    for (const { buffer, from } of held) if (from === null) this.socket.write(buffer);
    const rooms = held.filter((entry) => entry.from !== null);
    this.out = rooms.map((entry) => entry.buffer);
    this.outOf = rooms.map((entry) => entry.from);
    this.outBytes = this.out.reduce((sum, buffer) => sum + buffer.length, 0);
  }

  private write(count: number, bytes: number): void {
    if (count === 1) this.socket.write(this.out[0]!);
    else this.socket.write(Buffer.concat(count === this.out.length ? this.out : this.out.slice(0, count), bytes));
    if (count === this.out.length) {
      this.out = [];
      this.outOf = [];
      this.outBytes = 0;
      return;
    }
    this.out.splice(0, count);
    this.outOf.splice(0, count);
    this.outBytes -= bytes;
  }

  private waitForDrain(): void {
    if (this.flushing) return;
    this.flushing = true;
    if (this.socket.writableNeedDrain) this.socket.once('drain', () => this.flush());
    else this.host.wantsFlush(this);
  }
}
