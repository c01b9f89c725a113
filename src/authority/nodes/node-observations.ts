/**
 * When this node first saw what of the others, on its own monotonic clock. Every lease round and
 * every waiting receipt looks at `nodes` and the head in one snapshot. A row seen at T was written
 * by a round that began before T; a round that a look did not see yet reads the head after that
 * look. So a node must have stopped serving one lease after this node first saw the event in the
 * log, or first saw the present row of that node, whichever was earlier.
 */
import { Injectable } from '@nestjs/common';
import { monotonicMs } from '../../platform/clock.js';

/** Clocks whose rates differ by less than 1 %, and a margin for timers. */
const fencedAfterMs = (leaseMs: number): number => leaseMs * 1.01 + 50;
/**
 * Longer than the longest lease: a row that was written less long ago is not deleted, so one that
 * is gone is lost.
 */
const SILENT_MS = 60_000;
const EVENTS_KEPT_MS = 60_000;

/**
 * One look: in one snapshot, who answered, the hash of the newest event, and the present version of
 * every node's row, also of those that left.
 */
export interface NodeLook {
  /**
   * Another one means that what was seen before may be lost: another process of Postgres, another
   * history.
   */
  database: string;
  headHash: string;
  versions: ReadonlyMap<string, string>;
}

@Injectable()
export class NodeObservations {
  private database: string | null = null;
  private unsettledSinceMs = -Infinity;
  private readonly rows = new Map<string, { version: string; seenMs: number }>();
  /** By hash: a number may have been given to another event before. */
  private readonly events = new Map<string, number>();

  note({ database, headHash, versions }: NodeLook): void {
    // Taken after the answer: whatever it shows was there before.
    const seenMs = monotonicMs();
    const isForgotten = [...this.rows].some(
      ([node, row]) => !versions.has(node) && row.seenMs > seenMs - SILENT_MS,
    );
    if (database !== this.database || isForgotten) this.startOver(database, seenMs);
    for (const [node, version] of versions)
      if (this.rows.get(node)?.version !== version) this.rows.set(node, { version, seenMs });
    for (const node of this.rows.keys()) if (!versions.has(node)) this.rows.delete(node);
    this.sawEvent(headHash, seenMs);
  }

  /** A look showed that the event with this hash is in the log. */
  sawEvent(hash: string, seenMs = monotonicMs()): void {
    if (!this.events.has(hash)) this.events.set(hash, seenMs);
    for (const [old, oldMs] of this.events) {
      if (this.events.size === 1 || oldMs >= seenMs - EVENTS_KEPT_MS) return;
      this.events.delete(old);
    }
  }

  /**
   * From when on a node that was seen by a look after the commit of this event serves nobody before
   * it has applied it.
   */
  fencedFromMs(node: string, leaseMs: number, hash: string): number {
    const knewMs = this.events.get(hash) ?? Infinity;
    const rowMs = this.rows.get(node)?.seenMs ?? Infinity;
    return Math.min(knewMs, rowMs) + fencedAfterMs(leaseMs);
  }

  /**
   * Before that, the database may have forgotten nodes which still have a lease: their rows are
   * lost, or older than their lease. Observations from before the replacement prove nothing.
   */
  settledFromMs(leaseMs: number): number {
    return this.unsettledSinceMs + fencedAfterMs(leaseMs);
  }

  private startOver(database: string, seenMs: number): void {
    if (this.database !== null) this.unsettledSinceMs = seenMs;
    this.database = database;
    this.rows.clear();
    this.events.clear();
  }
}
