/**
 * The last minute or two of one room in memory, as Postgres would answer it now, for subscribers
 * that come back. An edit or a deletion changes rows that came before it, so it empties the buffer.
 * Events missing below are read once for everybody who waits for them.
 */
import { LIMITS } from '@wardroom/protocol/limits';
import { NODE_TAILS_BYTES, ROOM_TAIL_BYTES } from '../../budgets/held-bytes.js';
import type { History } from '../../rooms/events/history.js';
import { rewritesRows } from '../../rooms/events/room-event.js';
import type { RoomEvent } from '../../rooms/events/room-event.js';
import type { Metrics } from '../../platform/metrics.js';

const FILL_CHUNK = 100;
/** Above it nothing older is read: one more event would be paid for with a whole chunk. */
const FILLED_BYTES = (ROOM_TAIL_BYTES / 8) * 7;
/** The object and its place in the list, beside the text. */
const OVERHEAD_BYTES = 128;

/** The bytes of all buffers of a node. Beyond the limit the oldest buffer goes first. */
export class ReplayBudget {
  private bytes = 0;
  private readonly tails = new Set<ReplayBuffer>();

  constructor(private readonly bytesMax = NODE_TAILS_BYTES) {}

  take(tail: ReplayBuffer, bytes: number): void {
    this.bytes += bytes;
    this.tails.add(tail);
    for (const oldest of this.tails) {
      if (this.bytes <= this.bytesMax) return;
      oldest.drop();
    }
  }

  /** To be called every minute: a client that was away for longer is served from Postgres. */
  age(): void {
    for (const tail of this.tails) tail.age();
  }

  give(tail: ReplayBuffer, bytes: number): void {
    this.bytes -= bytes;
    if (tail.size === 0) this.tails.delete(tail);
  }
}

export interface TailHost {
  readonly history: Pick<History, 'eventsAfter'>;
  readonly metrics: Pick<Metrics, 'replayReads'>;
  readonly tails: ReplayBudget;
}

export class ReplayBuffer {
  /** Without a gap, up to `last`. */
  private events: RoomEvent[] = [];
  private bytes = 0;
  private last = 0;
  /** The last one when `age` was called. */
  private aged = 0;
  /** How often it was emptied: events read before are not added after. */
  private drops = 0;
  private filling: Promise<void> | null = null;
  private wanted = Infinity;

  constructor(
    private readonly room: string,
    private readonly host: TailHost,
  ) {}

  get size(): number {
    return this.events.length;
  }

  startAfter(seq: number): void {
    this.drop();
    this.last = seq;
  }

  get all(): readonly RoomEvent[] {
    return this.events;
  }

  /** Of an event that is here. */
  markOf(seq: number): string | undefined {
    return this.events[seq - this.first]?.mark;
  }

  /** The next event of the room. */
  push(event: RoomEvent): void {
    if (rewritesRows(event)) this.drop();
    this.events.push(event);
    this.last = event.seq;
    this.take(event);
    while (this.events.length > LIMITS.replayEvents || this.bytes > ROOM_TAIL_BYTES)
      this.give(this.events.shift()!);
  }

  /** Forgets what was here at the call before this one. */
  age(): void {
    for (const event of this.events.splice(0, Math.max(0, this.aged + 1 - this.first)))
      this.give(event);
    this.aged = this.last;
  }

  drop(): void {
    const { bytes } = this;
    this.drops += 1;
    this.events = [];
    this.bytes = 0;
    this.host.tails.give(this, bytes);
  }

  /** Everything after `seq` is here. */
  covers(seq: number): boolean {
    return this.first <= seq + 1;
  }

  /** Only of a tail that covers `seq`. */
  after(seq: number, upTo: number): RoomEvent[] {
    return this.events.slice(seq + 1 - this.first, Math.max(0, upTo + 1 - this.first));
  }

  /** Reads what is missing after `seq`, if there is room for it. Calls while one runs share it. */
  async fill(seq: number): Promise<void> {
    this.wanted = Math.min(this.wanted, seq);
    this.filling ??= this.read().finally(() => {
      this.filling = null;
      this.wanted = Infinity;
    });
    await this.filling;
  }

  private get first(): number {
    return this.last + 1 - this.events.length;
  }

  /** Backwards from what is here, so that what does not fit is the oldest. */
  private async read(): Promise<void> {
    const { drops } = this;
    while (
      this.drops === drops &&
      this.wanted + 1 < this.first &&
      this.wanted + LIMITS.replayEvents >= this.last &&
      this.bytes < FILLED_BYTES
    ) {
      const { first } = this;
      const from = Math.max(this.wanted, first - 1 - FILL_CHUNK);
      this.host.metrics.replayReads.inc({ from: 'postgres' });
      const events = await this.host.history.eventsAfter(this.room, from, first - 1 - from);
      if (this.drops !== drops || this.first !== first || events.length < first - 1 - from) return;
      for (const event of events.reverse())
        if (this.drops === drops && this.bytes < ROOM_TAIL_BYTES) this.unshift(event);
    }
  }

  private unshift(event: RoomEvent): void {
    this.events.unshift(event);
    this.take(event);
  }

  private take(event: RoomEvent): void {
    this.bytes += sizeOf(event);
    this.host.tails.take(this, sizeOf(event));
  }

  private give(event: RoomEvent): void {
    this.bytes -= sizeOf(event);
    this.host.tails.give(this, sizeOf(event));
  }
}

/** At most: text outside Latin-1 takes two bytes a character. */
const sizeOf = ({ frame }: RoomEvent): number => OVERHEAD_BYTES + 2 * frame.length;
