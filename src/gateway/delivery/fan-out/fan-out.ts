/**
 * DELIVER, on this node (other nodes: room-bus.ts): what one turn produced in a room, as one buffer
 * for everybody who was live when it was taken. Written at once where nothing waits, queued
 * elsewhere. It may stop after a number of subscriptions and go on later: who leaves, is held or
 * comes in between is neither served twice nor left out.
 */
import { LIMITS } from '@wardroom/protocol/limits';
import type { RoomKey, Source } from '../../connection/socket/outbound-queue.js';
import type { Connection } from '../../connection/connection.js';

/** One frame of a fan-out. */
export interface Entry {
  /** 0: transient. */
  readonly seq: number;
  readonly buffer: Buffer;
  /** The session that sent a transient frame. */
  readonly session: string | null;
}

/** The receivers of a fan-out. */
export interface Recipient {
  // First what every delivery touches: it shares a cache line.
  readonly connection: Connection;
  /** Everything up to here was written or queued for the connection. */
  deliveredSeq: number;
  /** Number of the last fan-out of the room that it has had, or need not have. */
  lastFanOut: number;
}

interface Run {
  readonly buffer: Buffer;
  readonly from: Source;
}

export class FanOut {
  private readonly runs: readonly Run[];
  /** Null: too much for one write. */
  private readonly whole: Buffer | null;
  private next: number;

  /**
   * `live`: the channel's own list. `after`: the last seq before the entries. `number` counts the
   * fan-outs of the room; a recipient whose `lastFanOut` is at least `number` is skipped.
   */
  constructor(
    private readonly entries: readonly Entry[],
    private readonly live: readonly Recipient[],
    private readonly after: number,
    private readonly lastSeq: number,
    private readonly number: number,
    private readonly key: RoomKey,
  ) {
    this.runs = this.runsOf(entries);
    this.whole =
      this.runs.length === 1 || bytesOf(this.runs) <= LIMITS.socketBytes ? joined(this.runs) : null;
    this.next = live.length;
  }

  /** How many it began with. */
  get size(): number {
    return this.live.length;
  }

  /**
   * To the next `count`. False: that was all. `joins`: other rooms speak in this turn too, so who
   * is in several rooms gets what they say in one write.
   */
  deliver(count: number, joins: boolean): boolean {
    // Iterate backwards: a removal swaps in the last element, which was already served or is new.
    for (let left = count; left > 0; left -= 1) {
      this.next = Math.min(this.next, this.live.length) - 1;
      if (this.next < 0) return false;
      this.deliverTo(this.live[this.next]!, joins);
    }
    return this.next > 0;
  }

  private deliverTo(recipient: Recipient, joins: boolean): void {
    if (recipient.lastFanOut >= this.number) return;
    recipient.lastFanOut = this.number;
    const { connection, deliveredSeq } = recipient;
    if (deliveredSeq > this.after) this.deliverRest(recipient);
    else if (
      this.whole === null ||
      (joins && connection.liveRooms > 1) ||
      !connection.writeNow(this.whole)
    ) {
      for (const { buffer, from } of this.runs) connection.queue(buffer, from);
    }
    if (deliveredSeq < this.lastSeq) recipient.deliveredSeq = this.lastSeq;
  }

  /** A replay has brought some of it already. */
  private deliverRest({ connection, deliveredSeq }: Recipient): void {
    for (const { seq, buffer } of this.entries)
      if (seq === 0 || seq > deliveredSeq) connection.queue(buffer, this.sourceOf(seq));
  }

  private sourceOf(seq: number): Source {
    return seq === 0 ? this.key.transient : this.key;
  }

  /**
   * Neighbours of one kind joined, up to what one write should have. Events and transient frames
   * part, because the one may wait in a queue and the other may not.
   */
  private runsOf(entries: readonly Entry[]): Run[] {
    const runs: Run[] = [];
    for (let start = 0, end = 1; start < entries.length; start = end++) {
      const from = this.sourceOf(entries[start]!.seq);
      let bytes = entries[start]!.buffer.length;
      while (
        end < entries.length &&
        this.sourceOf(entries[end]!.seq) === from &&
        bytes + entries[end]!.buffer.length <= LIMITS.socketBytes
      ) {
        bytes += entries[end++]!.buffer.length;
      }
      runs.push({
        buffer: joined(start === 0 && end === entries.length ? entries : entries.slice(start, end)),
        from,
      });
    }
    return runs;
  }
}

const bytesOf = (parts: readonly { readonly buffer: Buffer }[]): number =>
  parts.reduce((sum, { buffer }) => sum + buffer.length, 0);

/** One is the usual case, and costs nothing. */
function joined(parts: readonly { readonly buffer: Buffer }[]): Buffer {
  return parts.length === 1 ? parts[0]!.buffer : Buffer.concat(parts.map(({ buffer }) => buffer));
}
