/** The rooms that watchers of this node are told about, joined to the room bus. */
import { Injectable } from '@nestjs/common';
import { DomainError } from '../../platform/errors.js';
import { Metrics } from '../../platform/metrics.js';
import type { RoomPosition } from '../../rooms/sidebar/watched-rooms.js';
import { RoomBus } from '../delivery/room-bus.js';
import { HeadRoom } from './watched-user.js';
import type { WatchedUser } from './watched-user.js';

/** Users times their rooms, on one node: 200 to 350 bytes each (bench/watch). */
const ENTRIES_MAX = 1_000_000;

@Injectable()
export class HeadRooms {
  private readonly byId = new Map<string, HeadRoom>();

  constructor(
    private readonly bus: RoomBus,
    private readonly metrics: Metrics,
  ) {}

  get(room: string): HeadRoom | undefined {
    return this.byId.get(room);
  }

  get size(): number {
    return this.byId.size;
  }

  all(): MapIterator<HeadRoom> {
    return this.byId.values();
  }

  requireSpace(): void {
    if (this.metrics.watchedRooms.value >= ENTRIES_MAX)
      throw new DomainError('overloaded', { detail: 'this node watches as many rooms as it may' });
  }

  /** Answers those that are new to the user. */
  enter(user: WatchedUser, rooms: readonly RoomPosition[]): HeadRoom[] {
    const entered: HeadRoom[] = [];
    const unheard: HeadRoom[] = [];
    for (const { id, seq } of rooms) {
      let head = this.byId.get(id);
      if (head === undefined) {
        head = new HeadRoom(id);
        head.seq = seq;
        this.byId.set(id, head);
        unheard.push(head);
      }
      if (user.rooms.has(head)) continue;
      user.rooms.add(head);
      head.users.add(user);
      entered.push(head);
    }
    this.metrics.watchedRooms.value += entered.length;
    if (unheard.length > 0) {
      const listening = this.bus.join(...unheard.map(({ id }) => id));
      for (const head of unheard) head.listening = listening;
    }
    return entered;
  }

  /** Synchronous: after it the user is told nothing of the room. */
  leave(user: WatchedUser, head: HeadRoom): void {
    if (!user.rooms.delete(head)) return;
    head.users.delete(user);
    user.pending.delete(head);
    user.toldMs.delete(head);
    this.metrics.watchedRooms.value -= 1;
    if (head.users.size > 0) return;
    this.byId.delete(head.id);
    this.bus.leave(head.id);
  }

  leaveAll(user: WatchedUser): void {
    for (const head of [...user.rooms]) this.leave(user, head);
  }
}
