/** What Postgres says of the rooms' heads now: one statement for all rooms that ask at about the same time, however many clients come back. */
import { monotonicMs } from '../platform/clock.js';
import type { Metrics } from '../platform/metrics.js';
import type { History } from '../rooms/history.js';
import type { RoomChannel } from './room-channel.js';

const GATHER_MS = 10;

export class HeadLooks {
  private rooms = new Map<string, number>();
  private next: Promise<ReadonlyMap<string, number>> | null = null;
  private startedMs = -Infinity;

  constructor(
    private readonly history: Pick<History, 'movedHeads'>,
    private readonly metrics: Pick<Metrics, 'replayReads'>,
  ) {}

  /** The room's last seq if the channel does not have it yet, else 0. Postgres is asked after the call. */
  async beyond(channel: RoomChannel): Promise<number> {
    this.rooms.set(channel.id, channel.nextSeq - 1);
    this.next ??= this.look();
    return (await this.next).get(channel.id) ?? 0;
  }

  private async look(): Promise<ReadonlyMap<string, number>> {
    await new Promise((resolve) => setTimeout(resolve, this.startedMs + GATHER_MS - monotonicMs()));
    this.startedMs = monotonicMs();
    const { rooms } = this;
    this.rooms = new Map();
    this.next = null;
    this.metrics.replayReads.inc({ from: 'head' });
    return this.history.movedHeads(rooms);
  }
}
