/**
 * Frames that wait to be written to one socket. At most 64 KiB leave in one write; the rest stays
 * here, where it can still be taken back. It has no bound of its own: `Connection.queue` closes the
 * connection at MAX_QUEUE_BYTES. One buffer is the usual case and costs no array.
 */
import { LIMITS } from '@wardroom/protocol/limits';

/** Marks the frames of one room, so that they can be taken back together. Delivery makes it. */
export class RoomKey {
  /** Marks the room's transient frames: signals, typing, presence, read markers. */
  readonly transient: Transient = new Transient(this);
}

/** Frames that are delivered at once or dropped. */
export class Transient {
  constructor(readonly room: RoomKey) {}
}

/**
 * Where a frame came from. `answer`: a reply about a room; it waits while room data is held. Null:
 * a frame about the connection itself; it never waits for that.
 */
export type Source = RoomKey | Transient | 'answer' | null;

interface Rest {
  buffers: Buffer[];
  from: Source[];
}

export class OutboundQueue {
  bytes = 0;
  private first: Buffer | null = null;
  private firstFrom: Source = null;
  private rest: Rest | null = null;
  /** The answer to the last ping; it goes before everything else. */
  private pong: Buffer | null = null;

  get empty(): boolean {
    return this.first === null && this.pong === null;
  }

  /** `from`: its source, by which it is held or dropped. */
  push(buffer: Buffer, from: Source): void {
    this.bytes += buffer.length;
    if (this.first === null) {
      this.first = buffer;
      this.firstFrom = from;
      return;
    }
    this.rest ??= { buffers: [], from: [] };
    this.rest.buffers.push(buffer);
    this.rest.from.push(from);
  }

  /** In place of one that waits: only the last ping need be answered (RFC 6455, section 5.5.3). */
  setPong(buffer: Buffer): void {
    this.bytes += buffer.length - (this.pong?.length ?? 0);
    this.pong = buffer;
  }

  /**
   * As much as one write should have, joined; null when nothing waits. The first frame goes however
   * large it is.
   */
  take(): Buffer | null {
    const pong = this.takePong();
    const { first } = this;
    if (first === null || this.rest === null) {
      this.clear();
      return joined(pong, first);
    }
    const all = [first, ...this.rest.buffers];
    let count = 1;
    let bytes = first.length;
    while (count < all.length && bytes + all[count]!.length <= LIMITS.socketBytes)
      bytes += all[count++]!.length;
    if (count === all.length) this.clear();
    else this.keep((index) => index >= count);
    return joined(pong, count === 1 ? first : Buffer.concat(all.slice(0, count), bytes));
  }

  /** Frames about the connection itself, joined; frames of rooms stay. */
  takeOwn(): Buffer | null {
    const pong = this.takePong();
    const own = this.entries().filter(({ from }) => from === null);
    if (own.length === 0) return pong;
    this.keep((_, from) => from !== null);
    return joined(pong, Buffer.concat(own.map(({ buffer }) => buffer)));
  }

  /** Takes back what came from a room. */
  drop(room: RoomKey): void {
    if (this.first !== null)
      this.keep((_, from) => from !== room && !(from instanceof Transient && from.room === room));
  }

  dropTransient(): void {
    if (this.first !== null) this.keep((_, from) => !(from instanceof Transient));
  }

  private takePong(): Buffer | null {
    const { pong } = this;
    if (pong === null) return null;
    this.pong = null;
    this.bytes -= pong.length;
    return pong;
  }

  private clear(): void {
    this.first = null;
    this.firstFrom = null;
    this.rest = null;
    this.bytes = this.pong?.length ?? 0;
  }

  private keep(keeps: (index: number, from: Source) => boolean): void {
    const kept = this.entries().filter(({ from }, index) => keeps(index, from));
    this.clear();
    for (const { buffer, from } of kept) this.push(buffer, from);
  }

  private entries(): { buffer: Buffer; from: Source }[] {
    if (this.first === null) return [];
    const rest =
      this.rest?.buffers.map((buffer, i) => ({ buffer, from: this.rest!.from[i] ?? null })) ?? [];
    return [{ buffer: this.first, from: this.firstFrom }, ...rest];
  }
}

function joined(pong: Buffer | null, rest: Buffer | null): Buffer | null {
  return pong === null ? rest : rest === null ? pong : Buffer.concat([pong, rest]);
}
