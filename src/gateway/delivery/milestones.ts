/**
 * A few events of a room's past as this node saw them: close together at the end, further and
 * further apart before it. When Postgres comes back without its newest commits they bound what is
 * lost, however long ago that was.
 */
import type { Known } from '../../rooms/events/room-epochs.js';

const MAX = 32;

export class Milestones {
  private list: Known[] = [];

  get all(): readonly Known[] {
    return this.list;
  }

  /** In the order of seq. */
  startWith(events: readonly Known[]): void {
    this.list = [];
    for (const event of events) this.add(event);
  }

  /** To be called now and then with the last event. */
  add(event: Known): void {
    if (event.seq <= (this.list.at(-1)?.seq ?? 0)) return;
    this.list.push({ seq: event.seq, mark: event.mark });
    // Of the older half every second one goes: each time it is thinned it is twice as far apart.
    // The first one stays.
    if (this.list.length > MAX) this.list = this.list.filter((_, i) => i % 2 === 0 || i > MAX / 2);
  }
}
