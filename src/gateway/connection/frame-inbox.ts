/**
 * Frames that a connection has sent and the node has not handled yet, in order. Bounded in bytes:
 * beyond a part of the bound its socket is not read, so that the bytes which the library holds by
 * then still fit. Made with the first frame.
 */
import { LIMITS } from '@wardroom/protocol/limits';
import type { Rates } from '../../budgets/principal-rates.js';
import type { TokenBucket } from '../../budgets/token-bucket.js';

/** A read of node:net, which the library takes apart before it can be stopped. */
const READ_BYTES = 65_536;

interface Pausable {
  pause(): void;
  resume(): void;
}

export class FrameInbox {
  /** A frame is being handled. */
  handling = false;
  invalidFrames = 0;
  /** Frames over the rate, less those within it. */
  overRate = 0;
  bucket: TokenBucket | null = null;
  /** The rates of the connection's user. */
  rates: Rates | null = null;
  bytes = 0;
  /** Turn of the event loop, and bytes read in it, for read-turns.ts. */
  turn = -1;
  turnBytes = 0;
  /** The connection has had its part of this turn. */
  rests = false;
  /** True while too much waits in it. */
  private full = false;
  /** Null while nothing waits, as in the usual case. */
  private frames: Buffer[] | null = null;

  constructor(
    private readonly socket: Pausable,
    private readonly frameBytesMax: number,
  ) {}

  get length(): number {
    return this.frames?.length ?? 0;
  }

  /** True while the socket is not read. */
  get paused(): boolean {
    return this.full || this.rests;
  }

  push(frame: Buffer): void {
    (this.frames ??= []).push(frame);
    this.bytes += frame.length;
    if (this.full || this.bytes <= Math.max(0, LIMITS.inboxBytes - READ_BYTES - this.frameBytesMax))
      return;
    this.full = true;
    this.socket.pause();
  }

  /** Goes on reading when little is left of it: not for each frame. */
  shift(): Buffer | undefined {
    const frame = this.frames?.shift();
    if (frame === undefined) return undefined;
    this.bytes -= frame.length;
    if (this.length === 0) this.frames = null;
    if (this.full && this.bytes <= LIMITS.inboxBytes / 8) this.drained();
    return frame;
  }

  /**
   * Nothing of it will be handled. Later bytes are read and dropped, or the end of the peer would
   * never be seen.
   */
  drop(): void {
    this.frames = null;
    this.bytes = 0;
    if (this.full) this.drained();
  }

  rest(): void {
    this.rests = true;
    this.socket.pause();
  }

  wake(): void {
    this.rests = false;
    if (!this.full) this.socket.resume();
  }

  private drained(): void {
    this.full = false;
    if (!this.rests) this.socket.resume();
  }
}
