/**
 * Items by the moment at which they are due: a timing wheel of one turn. An item waits in several
 * slots at most, and once in each.
 */
import { monotonicMs } from '../../platform/clock.js';
import { TICK_MS } from '../ticks.js';

/** A little more than a second. */
const SLOTS = 24;

export class DueRing<T> {
  private readonly slots: Set<T>[] = Array.from({ length: SLOTS }, () => new Set());
  private tick = Math.floor(monotonicMs() / TICK_MS);

  /** Due at the latest one tick after `atMs`; later than the ring reaches: at its end. */
  add(item: T, atMs: number): void {
    const wanted = Math.max(this.tick + 1, Math.ceil(atMs / TICK_MS));
    this.slots[Math.min(wanted, this.tick + SLOTS - 1) % SLOTS]!.add(item);
  }

  /** Those that are due, in their order. */
  take(nowMs: number): T[] {
    const until = Math.floor(nowMs / TICK_MS);
    if (until - this.tick > SLOTS) this.tick = until - SLOTS;
    const due: T[] = [];
    while (this.tick < until) {
      this.tick += 1;
      const slot = this.slots[this.tick % SLOTS]!;
      if (slot.size === 0) continue;
      for (const item of slot) due.push(item);
      slot.clear();
    }
    return due;
  }
}
