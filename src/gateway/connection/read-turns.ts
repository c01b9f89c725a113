/**
 * A connection is read once in each turn of the event loop. Where more has come than one read
 * holds, Node reads on in the same turn, up to 2 MiB of one socket: a few connections that send the
 * largest frames they can would make the turn long in which everybody else waits.
 */
import type { FrameInbox } from './frame-inbox.js';

/** Bytes of a connection in a turn: a read of node:net. */
const BYTES_OF_A_TURN = 65_536;
/** Bytes that cost as much as a frame does by itself. */
const FRAME_BYTES = 1_024;

export class ReadTurns {
  private turn = 0;
  private scheduled = false;
  private resting: FrameInbox[] = [];

  /** Counts a frame that was read. A connection past its part is read on in the next turn. */
  note(inbox: FrameInbox, bytes: number): void {
    if (!this.scheduled) {
      this.scheduled = true;
      setImmediate(() => this.next());
    }
    if (inbox.turn !== this.turn) {
      inbox.turn = this.turn;
      inbox.turnBytes = 0;
    }
    inbox.turnBytes += bytes + FRAME_BYTES;
    if (inbox.turnBytes < BYTES_OF_A_TURN || inbox.rests) return;
    inbox.rest();
    this.resting.push(inbox);
  }

  private next(): void {
    this.scheduled = false;
    this.turn += 1;
    const rested = this.resting;
    this.resting = [];
    for (const inbox of rested) inbox.wake();
  }
}
