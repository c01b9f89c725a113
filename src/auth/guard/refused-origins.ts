/**
 * Which refused origins were named in the log within the last minute. Bounded: whoever makes up
 * origins is named this often a minute.
 */
import { monotonicMs } from '../../platform/clock.js';

const MINUTE_MS = 60_000;
const NAMED_MAX = 50;

export class RefusedOrigins {
  private readonly namedMs = new Map<string, number>();

  /** True once for each origin and minute. */
  isNew(origin: string, nowMs = monotonicMs()): boolean {
    const last = this.namedMs.get(origin);
    if (last !== undefined && nowMs - last < MINUTE_MS) return false;
    // The oldest stands first.
    for (const [old, atMs] of this.namedMs) {
      if (nowMs - atMs < MINUTE_MS) break;
      this.namedMs.delete(old);
    }
    if (this.namedMs.size >= NAMED_MAX) return false;
    this.namedMs.set(origin, nowMs);
    return true;
  }
}
