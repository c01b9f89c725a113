/**
 * Writes the bytes of a connection: one write at a time. While the kernel has not taken all of the
 * last one, later bytes wait with the caller, where they can still be taken back; `written` is
 * called when the caller may go on.
 */
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { monotonicMs } from '../../../platform/clock.js';

type Done = (error?: Error | null) => void;
/** Hands one buffer to a socket and answers when the kernel has taken it. */
export type Put = (socket: Socket, buffer: Buffer, done: Done) => void;

/**
 * Below the stream's own bookkeeping, which costs more than ours and knows less (ADR 0016). Mostly
 * done before it returns.
 */
export const belowStream: Put = (socket, buffer, done) =>
  socket._write(buffer, 'buffer' as BufferEncoding, done);
export const throughStream: Put = (socket, buffer, done) => void socket.write(buffer, done);

/** `_write` is no promise of Node's. */
const hasBelow = typeof Socket.prototype._write === 'function';
/** Never below TLS, which ends the process at a second write under way (ADR 0028). */
const putFor = (socket: Socket): Put =>
  hasBelow && !(socket instanceof TLSSocket) ? belowStream : throughStream;

export abstract class SocketWriter {
  /** The kernel has not taken all of the last write yet. */
  protected writing = false;
  /** Monotonic, whole ms, since which something waits for the write under way; 0: nothing does. */
  private stuckSinceMs = 0;
  private done: Done | null = null;
  /** A close, ours or the answer to the peer's, that waits for the write under way. */
  private lastWord: (() => void) | null = null;

  constructor(
    protected readonly socket: Socket,
    private readonly put: Put = putFor(socket),
  ) {}

  /** The last write is done and there may be another; `somethingWaited` as `waits` was told. */
  protected abstract written(somethingWaited: boolean): void;

  /**
   * Only while nothing is being written. The first takes its place in the stream, behind the answer
   * to the upgrade.
   */
  protected write(buffer: Buffer): void {
    this.writing = true;
    if (this.done === null)
      throughStream(this.socket, buffer, (this.done = this.onDone.bind(this)));
    else this.put(this.socket, buffer, this.done);
  }

  /**
   * The last bytes, sent when the kernel has taken all earlier ones. A peer that never takes them
   * is cut off by its heartbeat.
   */
  protected finish(lastWord: () => void): void {
    if (this.writing) this.lastWord ??= lastWord;
    else lastWord();
  }

  /** Something waits for the write under way. */
  protected waits(nowMs: number): void {
    if (this.stuckSinceMs === 0) this.stuckSinceMs = Math.floor(nowMs);
  }

  protected stuckFor(ms: number): boolean {
    return this.stuckSinceMs > 0 && monotonicMs() - this.stuckSinceMs > ms;
  }

  private onDone(error?: Error | null): void {
    const somethingWaited = this.stuckSinceMs > 0;
    this.writing = false;
    this.stuckSinceMs = 0;
    if (error) this.socket.destroy(error);
    else if (this.lastWord === null) this.written(somethingWaited);
    else this.lastWord();
  }
}
