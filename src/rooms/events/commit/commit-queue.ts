/**
 * Events that wait for a commit, by room. Each batch takes the rooms in turns, one event at a time:
 * a room that is flooded takes a part of a batch and no more, so that it stays short for the
 * others, and the order within a room stays. A room that took part and has more comes last in the
 * next batch.
 */
export interface Queued {
  readonly input: { readonly room: string };
}

export class CommitQueue<T extends Queued> {
  size = 0;
  private lanes = new Map<string, T[]>();

  /**
   * `keysOf`: keys that may occur once in a batch. An event that meets its key again waits for the
   * next one, and its room waits with it.
   */
  constructor(private readonly keysOf: (entry: T) => string[]) {}

  push(entry: T): void {
    const lane = this.lanes.get(entry.input.room);
    if (lane === undefined) this.lanes.set(entry.input.room, [entry]);
    else lane.push(entry);
    this.size += 1;
  }

  /** At most `max`, and at most `ofOneRoom` from each. */
  take(max: number, ofOneRoom = max): T[] {
    const batch: T[] = [];
    const keys = new Set<string>();
    const counts = new Map<string, number>();
    let open = [...this.lanes];
    for (let turn = 0; open.length > 0 && batch.length < max && turn < ofOneRoom; turn += 1) {
      open = open.filter(([room, lane]) => {
        const entry = lane[turn];
        if (entry === undefined || batch.length === max) return false;
        const own = this.keysOf(entry);
        if (own.some((key) => keys.has(key))) return false;
        for (const key of own) keys.add(key);
        batch.push(entry);
        counts.set(room, turn + 1);
        return true;
      });
    }
    this.lanes = this.rest(counts);
    this.size -= batch.length;
    return batch;
  }

  /**
   * Without what was taken. A map of its own: one that is filled and emptied for ever is rehashed
   * again and again, each old table leads to the next one, and with the first that reaches the old
   * space of the heap all that were ever in it stay.
   */
  private rest(taken: Map<string, number>): Map<string, T[]> {
    const lanes = new Map<string, T[]>();
    for (const [room, lane] of this.lanes) if (!taken.has(room)) lanes.set(room, lane);
    for (const [room, count] of taken) {
      const left = this.lanes.get(room)!.slice(count);
      if (left.length > 0) lanes.set(room, left);
    }
    return lanes;
  }
}
