/**
 * `activity`: what a user is told of a room that went on. A message, a deletion or a read marker
 * only marks the room; the counts are read from Postgres when it is told, so they are true whatever
 * was lost on the way. A room and user once a second, the last one always. A node tells a bounded
 * number a second, in the order of asking; what waits is told once, as it is then.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import { LIMITS } from '@wardroom/protocol/limits';
import type { ServerFrames } from '@wardroom/protocol';
import { Lease } from '../../authority/lease/lease.js';
import { monotonicMs } from '../../platform/clock.js';
import { Metrics } from '../../platform/metrics.js';
import { WatchedRooms } from '../../rooms/sidebar/watched-rooms.js';
import type { RoomActivity } from '../../rooms/sidebar/watched-rooms.js';
import type { Connection } from '../connection/connection.js';
import { encodeTextFrame } from '../connection/socket/frame-encoder.js';
import { Ticks } from '../ticks.js';
import { DueRing } from './due-ring.js';
import type { HeadRoom, Round, WatchedUser } from './watched-user.js';

/** In one statement and tick; one statement runs at a time. */
const TOLD_AT_ONCE = 250;
/** Of one user among them. */
const OF_ONE_USER = 50;
/** Users marked in a tick before the event loop goes on. */
const MARKS_AT_ONCE = 10_000;
/** A connection that holds more is told later, and then once. */
const HELD_BYTES = 64 * 1024;
const BEHIND_MS = 1_000;

interface Due {
  user: WatchedUser;
  head: HeadRoom;
}

@Injectable()
export class Activity implements OnModuleDestroy {
  private readonly logger = new Logger(Activity.name);
  private readonly laterRounds = new DueRing<Round>();
  private readonly laterUsers = new DueRing<WatchedUser>();
  private rounds: Round[] = [];
  private users: WatchedUser[] = [];
  /** With connections that could not take all. */
  private readonly behind = new Set<WatchedUser>();
  private telling = false;
  private timer: NodeJS.Timeout | null = null;
  /** The settings of a room changed: its users are told. */
  onUpdated: (head: HeadRoom) => void = () => undefined;

  constructor(
    private readonly rooms: WatchedRooms,
    private readonly lease: Lease,
    private readonly metrics: Metrics,
    private readonly ticks: Ticks,
  ) {}

  start(): void {
    this.ticks.on((nowMs) => this.tick(nowMs));
    this.timer = setInterval(() => this.catchUp(), BEHIND_MS).unref();
  }

  /** For all users of the room. */
  ask(round: Round): void {
    if (round.asked) return;
    round.asked = true;
    this.laterRounds.add(round, round.nextMs);
  }

  /** For one user. */
  mark(user: WatchedUser, head: HeadRoom): void {
    if (user.pending.has(head)) return;
    const nowMs = monotonicMs();
    const dueMs = (user.toldMs.get(head) ?? 0) + LIMITS.activityMs;
    user.pending.set(head, dueMs);
    if (dueMs <= nowMs) this.enqueue(user);
    else this.laterUsers.add(user, dueMs);
  }

  /** May be told of a room now. */
  takes(connection: Connection): boolean {
    const nowMs = monotonicMs();
    return (
      connection.state === 'live' &&
      !connection.pastExpiryAt(nowMs) &&
      !this.lease.isFenced(nowMs) &&
      connection.heldBytes <= HELD_BYTES
    );
  }

  private enqueue(user: WatchedUser): void {
    if (user.queued) return;
    user.queued = true;
    this.users.push(user);
  }

  private tick(nowMs: number): void {
    for (const round of this.laterRounds.take(nowMs)) this.rounds.push(round);
    for (let marks = 0; marks < MARKS_AT_ONCE && this.rounds.length > 0;)
      marks += this.run(this.rounds.shift()!, nowMs);
    for (const user of this.laterUsers.take(nowMs)) this.enqueue(user);
    if (!this.telling && this.users.length > 0 && !this.lease.isFenced(nowMs))
      void this.tell(this.takeDue(nowMs));
  }

  private run(round: Round, nowMs: number): number {
    const { room } = round;
    round.asked = false;
    round.nextMs = nowMs + LIMITS.activityMs;
    if (round.news === 'updated') this.onUpdated(room);
    else for (const user of room.users) this.mark(user, room);
    return room.users.size + 1;
  }

  /** The first that are due. Users with more come again after the others. */
  private takeDue(nowMs: number): Due[] {
    const due: Due[] = [];
    const users = this.users;
    let taken = 0;
    this.users = [];
    for (; taken < users.length && due.length < TOLD_AT_ONCE; taken += 1)
      this.takeDueOf(users[taken]!, nowMs, due);
    this.users = [...users.slice(taken), ...this.users];
    return due;
  }

  private takeDueOf(user: WatchedUser, nowMs: number, due: Due[]): void {
    user.queued = false;
    for (const [head, toldMs] of user.toldMs) {
      if (toldMs + LIMITS.activityMs > nowMs) break;
      user.toldMs.delete(head);
    }
    let left = OF_ONE_USER;
    for (const [head, dueMs] of user.pending) {
      if (dueMs > nowMs) {
        // The ring of a process that stood still may have brought the user too early.
        this.laterUsers.add(user, dueMs);
        continue;
      }
      if (left === 0) return this.enqueue(user);
      left -= 1;
      user.pending.delete(head);
      user.toldMs.set(head, nowMs);
      due.push({ user, head });
    }
  }

  private async tell(due: readonly Due[]): Promise<void> {
    if (due.length === 0) return;
    this.telling = true;
    try {
      const asked = due.map(({ user, head }) => ({ user: user.id, room: head.id }));
      for (const activity of await this.rooms.activityOf(asked))
        this.deliver(due[activity.i]!, activity);
    } catch (error) {
      this.logger.warn({
        msg: 'activity could not be read, trying again',
        error: (error as Error).message,
      });
      for (const { user, head } of due) if (user.rooms.has(head)) this.mark(user, head);
    } finally {
      this.telling = false;
    }
  }

  /** The user may have left the room while Postgres was asked. */
  private deliver({ user, head }: Due, { n, seq, sender, at, unread, mentions }: RoomActivity) {
    if (!user.loaded || !user.rooms.has(head)) return;
    const frame: ServerFrames['activity'] = {
      type: 'activity',
      room: head.id,
      n,
      seq,
      sender,
      unread,
      mentions,
      at: at.toISOString(),
    };
    const buffer = encodeTextFrame(JSON.stringify(frame));
    for (const [connection, missed] of user.connections) {
      if (this.takes(connection)) {
        connection.queue(buffer, head.key);
        this.metrics.deliveries.inc({ kind: 'activity' });
      } else {
        user.connections.set(connection, (missed ?? new Set()).add(head));
        this.behind.add(user);
      }
    }
  }

  /** Connections that could not be told before, and can now. */
  private catchUp(): void {
    for (const user of this.behind) {
      let waits = false;
      for (const [connection, missed] of user.connections) {
        if (missed === null) continue;
        if (!this.takes(connection)) {
          waits = true;
          continue;
        }
        user.connections.set(connection, null);
        for (const head of missed) if (user.rooms.has(head)) this.mark(user, head);
      }
      if (!waits) this.behind.delete(user);
    }
  }

  onModuleDestroy(): void {
    if (this.timer !== null) clearInterval(this.timer);
  }
}
