/**
 * When this node first saw what of the others, on its own monotonic clock. Every lease round and every waiting receipt
 * looks at `nodes` and the head in one snapshot. A row seen at T was written by a round that began before T; a round that
 * a look did not see yet reads the head after that look. So who is to be fenced for event `n` is so by the clock alone:
 * one lease after the first look that knew `n`, or after its present row was first seen, whichever was earlier.
 */
import { Injectable } from '@nestjs/common';
import { monotonicMs } from '../platform/clock.js';

/** Clocks whose rates differ by less than 1 %, and a margin for timers. */
const fencedAfterMs = (leaseMs: number): number => leaseMs * 1.01 + 50;
/** Longer than the longest lease. */
const HEADS_KEPT_MS = 60_000;

@Injectable()
export class Sightings {
  private readonly rows = new Map<string, { version: string; seenMs: number }>();
  private readonly heads: { n: number; seenMs: number }[] = [];

  /** After every look: the head, and the present version of each node's row. */
  note(head: number, versions: ReadonlyMap<string, string>): void {
    // Taken after the answer: whatever it shows was there before.
    const seenMs = monotonicMs();
    for (const [node, version] of versions) if (this.rows.get(node)?.version !== version) this.rows.set(node, { version, seenMs });
    for (const node of this.rows.keys()) if (!versions.has(node)) this.rows.delete(node);
    if (head > (this.heads.at(-1)?.n ?? -1)) this.heads.push({ n: head, seenMs });
    while (this.heads.length > 1 && this.heads[1]!.seenMs < seenMs - HEADS_KEPT_MS) this.heads.shift();
  }

  /** From when on a node that was seen by a look after the commit of `n` serves nobody before it has applied `n`. */
  fencedFromMs(node: string, leaseMs: number, n: number): number {
    const knewMs = this.heads.find((head) => head.n >= n)?.seenMs ?? Infinity;
    const rowMs = this.rows.get(node)?.seenMs ?? Infinity;
    return Math.min(knewMs, rowMs) + fencedAfterMs(leaseMs);
  }
}
