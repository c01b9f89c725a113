/** The events of a room as Postgres has them: the oracle of the model. */
import type { CommonPast, Known } from '../../src/rooms/events/room-epochs.js';
import type { RoomEvent } from '../../src/rooms/events/room-event.js';

/** The truth: what is stored, under which epoch. */
export class Room {
  readonly events: RoomEvent[] = [];
  /** Of a past that is gone; announcements of them may still be on their way. */
  readonly lost: RoomEvent[] = [];
  epoch = 0;
  roomEpoch = 'e0';
  private count = 0;

  commit(): void {
    const seq = this.events.length + 1;
    const mark = `m${(this.count += 1)}`;
    this.events.push({
      room: 'r',
      seq,
      epoch: this.epoch,
      mark,
      prev: this.markAt(seq - 1),
      frame: JSON.stringify({ seq, mark }),
    });
  }

  markAt(seq: number): string {
    return this.events[seq - 1]?.mark ?? '';
  }

  rewind(to: number): void {
    this.lost.push(...this.events.splice(to));
  }

  renew(seen: string): boolean {
    if (this.roomEpoch !== seen) return false;
    this.roomEpoch = `e${(this.count += 1)}`;
    return true;
  }

  commonPast(known: readonly Known[]): CommonPast {
    const kept = Math.max(
      0,
      ...known
        .filter(({ seq, mark }) => seq > 0 && this.markAt(seq) === mark)
        .map(({ seq }) => seq),
    );
    return {
      tenantId: 't',
      roomEpoch: this.roomEpoch,
      epoch: this.epoch,
      kept,
      start: { seq: kept, mark: this.markAt(kept) },
    };
  }
}
