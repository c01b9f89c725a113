import type { HistoryPage } from '../room/room.js';
import {
  changedBy,
  type DurableEvent,
  fromEvent,
  fromHistory,
  type Stored,
  type TimelineMessage,
} from './timeline-message.js';

/**
 * A part of a room's messages without a hole: from some message to another, or to the end. Pages
 * say which event they show last (`seq`), so events before it change nothing in them, and later
 * ones that arrived while a page was on its way are applied to it (`since`).
 */
export class MessageWindow<B> {
  #items: Stored<B>[] = [];
  #byId = new Map<string, Stored<B>>();
  /** Events up to here are in; a later message is a new one. */
  #end = 0;
  /** There are messages before the first, or behind the last one. */
  hasOlder = false;
  hasNewer = false;
  isLoaded = false;

  constructor(private readonly me: () => string | undefined) {}

  get messages(): readonly TimelineMessage<B>[] {
    return this.#items.map(({ message }) => message);
  }
  get size(): number {
    return this.#items.length;
  }
  get first(): number | undefined {
    return this.#items[0]?.message.seq;
  }
  get last(): number | undefined {
    return this.#items.at(-1)?.message.seq;
  }
  /** The end is in, up to this event. */
  reaches(seq: number): boolean {
    return this.isLoaded && !this.hasNewer && seq <= this.#end;
  }

  /** Replaces everything by pages that follow each other, the oldest first. */
  show(
    pages: readonly HistoryPage<B>[],
    ends: { hasOlder: boolean; hasNewer: boolean },
    since: readonly DurableEvent<B>[],
  ): void {
    this.#items = [];
    this.#byId.clear();
    this.isLoaded = true;
    this.hasOlder = ends.hasOlder;
    this.hasNewer = ends.hasNewer;
    for (const page of pages) this.#take(page, since);
    // The last page shows the end as of its own last event.
    this.#reach(pages.at(-1)?.seq ?? 0, since);
  }

  addOlder(page: HistoryPage<B>, since: readonly DurableEvent<B>[]): void {
    this.hasOlder = page.next_cursor !== null;
    this.#take(page, since);
  }

  addNewer(page: HistoryPage<B>, since: readonly DurableEvent<B>[]): void {
    this.hasNewer = page.next_cursor !== null;
    this.#take(page, since);
    this.#reach(page.seq ?? 0, since);
  }

  apply(event: DurableEvent<B>): void {
    if (event.type !== 'message') {
      const stored = this.#byId.get(event.message_id);
      if (stored) this.#put(changedBy(stored, event, this.me()));
      return;
    }
    if (!this.isLoaded || this.hasNewer || event.seq <= this.#end) return;
    this.#end = event.seq;
    if (!this.#byId.has(event.message_id)) this.#put(fromEvent(event, this.me()));
  }

  /** These events never were: another past. */
  forgetFrom(seq: number): void {
    this.#drop(({ message }) => message.seq >= seq);
    this.#end = Math.min(this.#end, seq - 1);
  }

  clear(): void {
    this.#drop(() => true);
    this.#end = 0;
    this.isLoaded = this.hasOlder = this.hasNewer = false;
  }

  /** Drops the oldest messages, or the newest ones, beyond `max`. */
  trim(max: number, side: 'oldest' | 'newest'): void {
    const over = this.#items.length - max;
    if (over <= 0) return;
    const kept = side === 'oldest' ? this.#items.slice(over) : this.#items.slice(0, max);
    const ids = new Set(kept.map(({ message }) => message.id));
    this.#drop(({ message }) => !ids.has(message.id));
    if (side === 'oldest') this.hasOlder = true;
    else this.hasNewer = true;
  }

  #reach(seq: number, since: readonly DurableEvent<B>[]): void {
    if (this.hasNewer) return;
    this.#end = seq;
    for (const event of since) if (event.type === 'message') this.apply(event);
    // Changes of messages that came while the page was on its way.
    for (const event of since) if (event.type !== 'message') this.apply(event);
  }

  #take(page: HistoryPage<B>, since: readonly DurableEvent<B>[]): void {
    for (const item of page.items) {
      let stored = fromHistory(item, page.seq ?? item.seq, this.me());
      for (const event of since)
        if (event.type !== 'message' && event.message_id === item.message_id)
          stored = changedBy(stored, event, this.me());
      const known = this.#byId.get(item.message_id);
      if (!known || known.asOf <= stored.asOf) this.#put(stored);
    }
  }

  #put(stored: Stored<B>): void {
    const { id, seq } = stored.message;
    const known = this.#byId.get(id);
    if (known === stored) return;
    this.#byId.set(id, stored);
    // Mostly at one of the ends.
    let at = this.#items.length;
    while (at > 0 && this.#items[at - 1]!.message.seq >= seq) at--;
    this.#items.splice(at, known && this.#items[at] === known ? 1 : 0, stored);
  }

  #drop(is: (stored: Stored<B>) => boolean): void {
    this.#items = this.#items.filter((stored) => {
      if (!is(stored)) return true;
      this.#byId.delete(stored.message.id);
      return false;
    });
  }
}
