/**
 * One WebSocket: its state, its credential and its outbound queue. It knows no rooms and no policy;
 * the gateway's other parts drive it.
 */
import type { CloseCode } from '@wardroom/protocol/codes';
import type { ServerFrame } from '@wardroom/protocol';
import { QUEUE_LIMITS_MAX } from '../../budgets/held-bytes.js';
import type { Socket } from 'node:net';
import { newId } from '../../platform/ids.js';
import { monotonicMs } from '../../platform/clock.js';
import type { AcceptedToken, Principal } from '../../sessions/principal.js';
import { ConnectionTimes } from './timers/connection-times.js';
import { nextState, sendsRoomData } from './connection-states.js';
import type { ConnectionEvent, ConnectionState } from './connection-states.js';
import { closeIdOf, farewell } from './socket/farewell.js';
import { PING_FRAME, encodePong, encodeTextFrame } from './socket/frame-encoder.js';
import type { FrameInbox } from './frame-inbox.js';
import type { FrameRequest } from './frame-request.js';
import { OutboundQueue } from './socket/outbound-queue.js';
import type { RoomKey, Source } from './socket/outbound-queue.js';
import { SocketWriter } from './socket/socket-writer.js';
import { Timeline } from '../live/timeline.js';

/** The part that a connection needs of the WebSocket below it (`wardroom-socket.ts`). */
export interface Transport {
  readonly readyState: number;
  readonly OPEN: number;
  pause(): void;
  resume(): void;
  closeWith(status: number, reason: string): void;
  terminate(): void;
}

/** Nest's handler with its guards, bound to one connection. */
export type Dispatch = (request: FrameRequest) => Promise<unknown>;

/** The part of the node that a connection needs. */
export interface ConnectionHost {
  isFenced(nowMs: number): boolean;
  readonly queueBytesMax: number;
  /** Asks to be flushed at the end of this turn. */
  wantsFlush(connection: Connection): void;
  /**
   * The connection left `live`, `expired` or an earlier state for good: take it out of every list,
   * synchronously.
   */
  onEnd(connection: Connection, code: CloseCode): void;
}

/**
 * Over the queue limit a connection is slow when its socket has taken nothing for this long: a
 * burst is not its fault.
 */
const STALLED_MS = 1_000;

/**
 * Answers about a room are held like its events: the session may have ended while Postgres was
 * thinking.
 */
const ANSWERS: ReadonlySet<ServerFrame['type']> = new Set([
  'ack',
  'subscribed',
  'reset',
  'presence',
  'watching',
  'access',
]);

/** The peer and the TCP connection get this long to finish a close. */
export const CLOSE_WITHIN_MS = 900;

export class Connection extends SocketWriter {
  // First what every delivery touches, right after what the writer has: they share their cache
  // lines.
  state: ConnectionState = 'greeting';
  /** Frames that could not be written yet; null when nothing waits. */
  private out: OutboundQueue | null = null;
  /** Status of the client's close frame, 0 until it comes: nothing may follow our answer to it. */
  peerStatus = 0;
  /** Monotonic, whole ms: the end of the token. */
  private deadlineMs = 0;
  flushing = false;
  /** Rooms whose fan-outs reach it; delivery counts them. */
  liveRooms = 0;
  readonly id = newId();
  private accepted: AcceptedToken | null = null;
  /** Grows with every accepted credential: a timer or an answer of an older one does nothing. */
  tokenGeneration = 0;
  /** Null until the first frame: see frame-queue.ts. */
  inbox: FrameInbox | null = null;
  /** For connection-timers.ts. */
  readonly times = new ConnectionTimes();
  readonly timeline = new Timeline();
  dispatch: Dispatch | null = null;

  private drains: (() => void)[] | null = null;

  constructor(
    readonly ws: Transport,
    readonly ip: string,
    readonly origin: string | undefined,
    socket: Socket,
    private readonly host: ConnectionHost,
    /** The carrier of its first credential. */
    readonly carrier: string,
    readonly userAgent: string | null,
  ) {
    super(socket);
  }

  /** Null until the first credential was accepted. */
  get token(): AcceptedToken | null {
    return this.accepted;
  }

  set token(token: AcceptedToken) {
    this.accepted = token;
    this.deadlineMs = Math.floor(token.deadlineMs);
  }

  get principal(): Principal {
    return this.accepted!.principal;
  }

  get authenticated(): boolean {
    return this.accepted !== null && (this.state === 'live' || this.state === 'expired');
  }

  /** Past `exp` by the monotonic deadline, whatever the timers have noticed yet. */
  get pastExpiry(): boolean {
    return this.pastExpiryAt(monotonicMs());
  }

  pastExpiryAt(nowMs: number): boolean {
    return this.accepted !== null && nowMs >= this.deadlineMs;
  }

  /** Milliseconds since it was opened. */
  get ageMs(): number {
    return monotonicMs() - this.times.openedMs;
  }

  get heldBytes(): number {
    return this.out?.bytes ?? 0;
  }

  /** Of a socket that broke. */
  get socketError(): Error | null {
    return this.socket.errored;
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

  /**
   * A frame about this connection (not about a room's content); also sent in grace and while
   * paused, unless it answers for a room.
   */
  send(frame: ServerFrame): void {
    if (ANSWERS.has(frame.type)) this.queue(encodeTextFrame(JSON.stringify(frame)), 'answer');
    else this.sendText(JSON.stringify(frame));
  }

  sendText(text: string): void {
    if (this.state === 'closing' || this.state === 'closed') return;
    const buffer = encodeTextFrame(text);
    // Control frames bypass room data that is held while the node is fenced.
    if (this.out !== null && !this.mayWriteRoomData(monotonicMs())) {
      this.out.push(buffer, null);
      this.flush();
    } else this.queue(buffer, null);
  }

  /**
   * A room's frames, in this very step: lease, expiry and deadness are compared before the socket
   * sees a byte. False: they have to be queued, because something waits already, the socket is full
   * or they may not go now.
   */
  writeNow(buffer: Buffer): boolean {
    if (this.out !== null || this.writing || this.peerStatus > 0 || !sendsRoomData(this.state))
      return false;
    if (!this.mayWriteRoomData(monotonicMs())) return false;
    this.write(buffer);
    return true;
  }

  /**
   * Already encoded; `from` the room it belongs to. Over the limit a consumer that does not read is
   * closed.
   */
  queue(buffer: Buffer, from: Source): void {
    if (this.state === 'closing' || this.state === 'closed') return;
    const out = (this.out ??= new OutboundQueue());
    out.push(buffer, from);
    if (out.bytes > this.host.queueBytesMax && this.isSlow(out)) this.end('slow_consumer');
    else if (!this.flushing) {
      this.flushing = true;
      this.host.wantsFlush(this);
    }
  }

  /** One write per turn, under the same comparisons as `writeNow`. */
  flush(): void {
    this.flushing = false;
    const { out } = this;
    if (out === null || this.state === 'closing' || this.state === 'closed') return;
    if (this.peerStatus > 0) return this.emptied();
    const nowMs = monotonicMs();
    if (this.writing) {
      // `written` comes back to it: until then no turn needs to look.
      this.flushing = true;
      this.waits(nowMs);
      return;
    }
    // While room data is held, the word about the connection still goes out.
    const buffer = this.mayWriteRoomData(nowMs) ? out.take() : out.takeOwn();
    this.afterDrop();
    if (buffer !== null) this.write(buffer);
  }

  /** Held frames may go, except for transient ones. */
  resume(): void {
    this.dropTransient();
    this.wake();
  }

  wake(): void {
    if (this.out === null || this.flushing) return;
    this.flushing = true;
    this.host.wantsFlush(this);
  }

  /** Resolves when the queue is empty, or at once when the connection is over. */
  drained(): Promise<void> {
    if (this.out === null || this.state === 'closing' || this.state === 'closed')
      return Promise.resolve();
    return new Promise((resolve) => (this.drains ??= []).push(resolve));
  }

  /** Takes back what was queued from a room and not written yet. */
  dropQueued(from: RoomKey): void {
    this.out?.drop(from);
    this.afterDrop();
  }

  /** The lease or the token ended before these were written. */
  dropTransient(): void {
    this.out?.dropTransient();
    this.afterDrop();
  }

  /**
   * Ends the connection for a reason. Synchronous part: dead, out of every list, queue dropped,
   * nothing is read or sent any more. Then goodbye, close, and within a second the end of the TCP
   * connection.
   */
  end(code: CloseCode, retryAfterMs?: number): void {
    if (!this.step('close')) return;
    this.times.closingSinceMs = monotonicMs();
    this.release();
    this.host.onEnd(this, code);
    const lastWord = (): void => {
      // Nothing may follow the answer to a close that the client sent meanwhile.
      if (this.ws.readyState !== this.ws.OPEN) return;
      const { goodbye, status, reason } = farewell(code, closeIdOf(this.id), retryAfterMs);
      if (!this.socket.destroyed) this.socket.write(goodbye);
      this.ws.closeWith(status, reason);
    };
    setImmediate(() => this.finish(lastWord));
  }

  /** It is over: nothing that waits is handled or sent, and who waits for it goes on. */
  release(): void {
    this.inbox?.drop();
    this.emptied();
  }

  /** The client closes; `echo` answers it. Frames that came before are still handled. */
  peerLeft(status: number, echo: () => void): void {
    this.peerStatus = status;
    this.finish(echo);
  }

  /** The last resort: no goodbye, no close frame. */
  destroy(): void {
    this.ws.terminate();
    this.socket.destroy();
  }

  /** In its place among the frames. */
  ping(): void {
    if (this.out === null && !this.writing && this.peerStatus === 0) this.write(PING_FRAME);
    else this.queue(PING_FRAME, null);
  }

  /** Answers a ping, and the last one only while the socket takes nothing. */
  pong(data: Buffer): void {
    if (this.state === 'closing' || this.state === 'closed' || this.peerStatus > 0) return;
    const frame = encodePong(data);
    if (this.out === null && !this.writing) return this.write(frame);
    (this.out ??= new OutboundQueue()).setPong(frame);
    this.wake();
  }

  private isSlow({ bytes }: OutboundQueue): boolean {
    return this.stuckFor(STALLED_MS) || bytes > this.host.queueBytesMax * QUEUE_LIMITS_MAX;
  }

  private mayWriteRoomData(nowMs: number): boolean {
    return sendsRoomData(this.state)
      ? nowMs < this.deadlineMs && !this.host.isFenced(nowMs)
      : this.state !== 'expired';
  }

  protected written(somethingWaited: boolean): void {
    if (somethingWaited) this.flushing = false;
    this.wake();
  }

  private afterDrop(): void {
    if (this.out === null || this.out.empty) this.emptied();
  }

  private emptied(): void {
    this.out = null;
    if (this.drains === null) return;
    const waiting = this.drains;
    this.drains = null;
    for (const resolve of waiting) resolve();
  }
}
