/**
 * Finds what the bus lost: rooms that went on unheard, and memberships that were added unheard (an
 * addition of rights is not in the log). A bounded number of rooms a second, each in turn.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import { monotonicMs } from '../../platform/clock.js';
import { WatchedRooms } from '../../rooms/sidebar/watched-rooms.js';
import { Activity } from './activity.js';
import { HeadRooms } from './head-rooms.js';
import { Watch } from './watch.js';
import type { HeadRoom, WatchedUser } from './watched-user.js';

const SWEEP_MS = 1_000;
/** Compared in a second; a statement compares so many, too. */
const ROOMS_A_SECOND = 2_000;
const ROOMS_AT_ONCE = 500;
/** A list is compared at most this often, and as many as have this many rooms in a second. */
const COMPARE_MS = 30_000;
const LISTED_A_SECOND = 2_000;

@Injectable()
export class WatchRepairs implements OnModuleDestroy {
  private readonly logger = new Logger(WatchRepairs.name);
  private sweep: Iterator<HeadRoom> | null = null;
  private users: Iterator<WatchedUser> | null = null;
  private sweeping = false;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly rooms: WatchedRooms,
    private readonly heads: HeadRooms,
    private readonly activity: Activity,
    private readonly watch: Watch,
  ) {}

  start(): void {
    this.timer = setInterval(() => void this.repair(), SWEEP_MS).unref();
  }

  private async repair(): Promise<void> {
    if (this.sweeping) return;
    this.sweeping = true;
    try {
      const heads = this.nextHeads();
      for (let from = 0; from < heads.length; from += ROOMS_AT_ONCE)
        await this.compareHeads(heads.slice(from, from + ROOMS_AT_ONCE));
      await Promise.all(this.nextUsers().map((user) => this.watch.compare(user)));
    } catch (error) {
      this.logger.warn({
        msg: 'watched rooms could not be compared, asking again',
        error: (error as Error).message,
      });
    } finally {
      this.sweeping = false;
    }
  }

  private async compareHeads(heads: readonly HeadRoom[]): Promise<void> {
    for (const { id, seq } of await this.rooms.beyond(heads)) {
      const head = this.heads.get(id);
      if (head === undefined || head.seq >= seq) continue;
      head.seq = seq;
      this.activity.ask(head.activity);
    }
  }

  private nextHeads(): HeadRoom[] {
    const heads: HeadRoom[] = [];
    const wanted = Math.min(ROOMS_A_SECOND, this.heads.size);
    while (heads.length < wanted) {
      const next = (this.sweep ??= this.heads.all()).next();
      if (next.done === true) {
        this.sweep = null;
        break;
      }
      heads.push(next.value);
    }
    return heads;
  }

  private nextUsers(): WatchedUser[] {
    const users: WatchedUser[] = [];
    const before = monotonicMs() - COMPARE_MS;
    for (let rooms = 0; rooms < LISTED_A_SECOND;) {
      const next = (this.users ??= this.watch.all()[Symbol.iterator]()).next();
      if (next.done === true) {
        this.users = null;
        break;
      }
      rooms += 1;
      if (next.value.checkedMs > before) continue;
      users.push(next.value);
      rooms += next.value.rooms.size;
    }
    return users;
  }

  onModuleDestroy(): void {
    if (this.timer !== null) clearInterval(this.timer);
  }
}
