/**
 * One timer for all connections of a node: a hashed timing wheel. An entry is a connection with its
 * `dueMs`; moving `dueMs` later costs nothing (the old slot finds it not due and passes it on).
 */
import { monotonicMs } from '../../../platform/clock.js';
import { TICK_MS } from '../../ticks.js';
import type { Connection } from '../connection.js';

const SLOTS = 1_024;

export class TimingWheel {
  private readonly slots: Set<Connection>[] = Array.from({ length: SLOTS }, () => new Set());
  private tick = Math.floor(monotonicMs() / TICK_MS);

  constructor(private readonly onDue: (connection: Connection, nowMs: number) => void) {}

  /**
   * At the latest one tick after `atMs`; an earlier appointment of the same connection stays and is
   * checked first.
   */
  schedule(connection: Connection, atMs: number): void {
    connection.times.dueMs = atMs;
    const wanted = Math.max(this.tick + 1, Math.ceil(atMs / TICK_MS));
    const slot = Math.min(wanted, this.tick + SLOTS - 1);
    this.slots[slot % SLOTS]!.add(connection);
  }

  turn(now: number): void {
    const until = Math.floor(now / TICK_MS);
    if (until - this.tick > SLOTS) this.tick = until - SLOTS;
    while (this.tick < until) {
      this.tick += 1;
      const slot = this.slots[this.tick % SLOTS]!;
      if (slot.size === 0) continue;
      const due = [...slot];
      slot.clear();
      for (const connection of due) {
        if (connection.state === 'closed') continue;
        if (connection.times.dueMs <= now) this.onDue(connection, now);
        else this.schedule(connection, connection.times.dueMs);
      }
    }
  }
}
