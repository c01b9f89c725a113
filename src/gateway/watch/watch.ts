/**
 * WATCH: a connection is told about every room of its user. The list of rooms is read from Postgres
 * when the first connection of a user watches, and kept by the authority log: who is removed leaves
 * it in the step in which the removal is applied, and what was queued for them is dropped.
 */
import { Injectable, Logger } from '@nestjs/common';
import { LIMITS } from '@wardroom/protocol/limits';
import type { ServerFrames } from '@wardroom/protocol';
import { AuthorityDispatcher } from '../../authority/authority-dispatcher.js';
import type { AuthorityEvent } from '../../authority/events.js';
import { Lease } from '../../authority/lease/lease.js';
import { DomainError } from '../../platform/errors.js';
import { monotonicMs } from '../../platform/clock.js';
import { Metrics } from '../../platform/metrics.js';
import { WatchedRooms } from '../../rooms/sidebar/watched-rooms.js';
import type { RoomsOfUser } from '../../rooms/sidebar/watched-rooms.js';
import type { Connection } from '../connection/connection.js';
import { ConnectionRegistry } from '../connection/connection-registry.js';
import { encodeTextFrame } from '../connection/socket/frame-encoder.js';
import { Activity } from './activity.js';
import { HeadRooms } from './head-rooms.js';
import { HeadRoom, UNKNOWN_SEQ, WatchedUser } from './watched-user.js';

type Change = ServerFrames['rooms_changed']['change'];
type EventOf<K extends AuthorityEvent['kind']> = Extract<AuthorityEvent, { kind: K }>;

const READ_AGAIN_MAX = 10;
const AGAIN_MS = 500;

@Injectable()
export class Watch {
  private readonly logger = new Logger(Watch.name);
  private readonly users = new Map<string, WatchedUser>();
  /** Grows with every room that closes. */
  private closings = 0;

  constructor(
    private readonly rooms: WatchedRooms,
    private readonly heads: HeadRooms,
    private readonly activity: Activity,
    private readonly lease: Lease,
    private readonly metrics: Metrics,
    connections: ConnectionRegistry,
    dispatcher: AuthorityDispatcher,
  ) {
    activity.onUpdated = (head) => {
      for (const user of head.users) this.tell(user, head, 'updated');
    };
    connections.onEnded((connection) => this.end(connection));
    dispatcher.register('subscriptions', {
      event: (event) => {
        if (event.kind === 'member.changed') this.member(event);
        else if (event.kind === 'room.changed') this.room(event);
        else if (event.kind === 'user.changed') this.user(event);
      },
      reload: () => this.reload(),
    });
  }

  get(user: string): WatchedUser | undefined {
    return this.users.get(user);
  }

  all(): Iterable<WatchedUser> {
    return this.users.values();
  }

  /** Again on the same connection: the same answer, and nothing changes. */
  async watch(connection: Connection): Promise<ServerFrames['watching']> {
    const { userId } = connection.principal;
    let user = this.users.get(userId);
    if (user === undefined) {
      this.heads.requireSpace();
      this.users.set(userId, (user = new WatchedUser(userId)));
    }
    user.waiting += 1;
    try {
      while (!user.loaded) await this.load(user);
      this.lease.require();
      if (connection.state !== 'live' || connection.pastExpiry)
        throw new DomainError('token_expired');
      if (!user.connections.has(connection)) {
        user.connections.set(connection, null);
        this.metrics.watchers.value += 1;
      }
      return {
        type: 'watching',
        rooms: user.rooms.size,
        ...(user.more ? { more: true as const } : {}),
      };
    } finally {
      user.waiting -= 1;
      this.forgetUnused(user);
    }
  }

  /** The user has changed their own settings of a room: their devices read it again. */
  changedOwn(userId: string, room: string): void {
    const user = this.users.get(userId);
    const head = this.heads.get(room);
    if (user?.loaded === true && head !== undefined && user.rooms.has(head))
      this.tell(user, head, 'updated');
  }

  /** The list of a user as Postgres has it; the differences are told. */
  async compare(user: WatchedUser): Promise<void> {
    user.checkedMs = monotonicMs();
    // Which of the many rooms are watched is no news.
    if (user.more) return;
    const { era, closings } = { era: user.era, closings: this.closings };
    const read = await this.rooms.roomsOf(user.id);
    if (user.era === era && this.closings === closings && user.loaded) this.apply(user, read);
  }

  private load(user: WatchedUser): Promise<void> {
    if (user.loaded) return Promise.resolve();
    user.loading ??= this.read(user).finally(() => (user.loading = null));
    return user.loading;
  }

  /** Until no change came between the reading and its use. Answers when this node listens. */
  private async read(user: WatchedUser): Promise<void> {
    for (let attempt = 0; attempt < READ_AGAIN_MAX; attempt += 1) {
      const { era } = user;
      const { closings } = this;
      const read = await this.rooms.roomsOf(user.id);
      if (user.era !== era || this.closings !== closings) continue;
      if (!read.allowed) throw new DomainError('scope_required');
      user.loaded = true;
      user.checkedMs = monotonicMs();
      this.apply(user, read);
      await Promise.all(new Set([...user.rooms].map(({ listening }) => listening)));
      return;
    }
    throw new DomainError('overloaded', {
      detail: 'the rooms change faster than they can be read',
    });
  }

  private apply(user: WatchedUser, { rooms, more }: RoomsOfUser): void {
    const ids = new Set(rooms.map(({ id }) => id));
    for (const head of [...user.rooms]) if (!ids.has(head.id)) this.remove(user, head);
    user.more = more;
    for (const head of this.heads.enter(user, rooms)) this.tell(user, head, 'added');
  }

  private member(event: EventOf<'member.changed'>): void {
    const user = this.users.get(event.user);
    if (user === undefined) return;
    user.era += 1;
    if (!user.loaded) return;
    const head = this.heads.get(event.room);
    const isListed = head !== undefined && user.rooms.has(head);
    if (event.role === null || event.banned) {
      if (isListed) this.remove(user, head);
    } else if (isListed) this.tell(user, head, 'role');
    else void this.add(user, event.room);
  }

  /** Told when this node listens: nothing falls between the news and the first message. */
  private async add(user: WatchedUser, room: string): Promise<void> {
    if (user.rooms.size >= LIMITS.watchedRooms) {
      user.more = true;
      return this.tell(user, new HeadRoom(room), 'added');
    }
    for (const head of this.heads.enter(user, [{ id: room, seq: UNKNOWN_SEQ }])) {
      await head.listening;
      if (user.rooms.has(head)) this.tell(user, head, 'added');
    }
  }

  private room(event: EventOf<'room.changed'>): void {
    const isClosed = event.state === 'closed';
    if (isClosed) this.closings += 1;
    const head = this.heads.get(event.room);
    if (head === undefined) return;
    if (!isClosed) return this.activity.ask(head.updates);
    for (const user of [...head.users]) this.remove(user, head);
  }

  /** The scopes of a service account may have changed: it asks again. */
  private user(event: EventOf<'user.changed'>): void {
    const user = event.role === 'service' ? this.users.get(event.user) : undefined;
    if (user === undefined) return;
    user.era += 1;
    user.loaded = false;
    for (const head of [...user.rooms]) this.remove(user, head);
    this.metrics.watchers.value -= user.connections.size;
    user.connections.clear();
    this.forgetUnused(user);
  }

  /** Nothing of the room follows, and nothing that waits is sent. */
  private remove(user: WatchedUser, head: HeadRoom): void {
    this.heads.leave(user, head);
    for (const connection of user.connections.keys()) connection.dropQueued(head.key);
    this.tell(user, head, 'removed');
  }

  private tell(user: WatchedUser, head: HeadRoom, change: Change): void {
    if (user.connections.size === 0) return;
    const frame: ServerFrames['rooms_changed'] = { type: 'rooms_changed', room: head.id, change };
    const buffer = encodeTextFrame(JSON.stringify(frame));
    for (const connection of user.connections.keys()) connection.queue(buffer, head.key);
  }

  /** Events were missed: nobody is told anything before their list was read again. */
  private reload(): void {
    for (const user of this.users.values()) {
      user.era += 1;
      user.loaded = false;
      for (const head of user.rooms)
        for (const connection of user.connections.keys()) connection.dropQueued(head.key);
    }
    for (const head of this.heads.all()) head.seq = UNKNOWN_SEQ;
    for (const user of [...this.users.values()]) void this.loadAgain(user);
  }

  private async loadAgain(user: WatchedUser): Promise<void> {
    while (user.inUse && !user.loaded) {
      try {
        await this.load(user);
      } catch (error) {
        this.logger.warn({
          msg: 'the rooms of a user could not be read again yet',
          user: user.id,
          error: (error as Error).message,
        });
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  private end(connection: Connection): void {
    if (connection.token === null) return;
    const user = this.users.get(connection.principal.userId);
    if (user === undefined) return;
    if (user.connections.delete(connection)) this.metrics.watchers.value -= 1;
    this.forgetUnused(user);
  }

  private forgetUnused(user: WatchedUser): void {
    if (user.inUse || this.users.get(user.id) !== user) return;
    this.users.delete(user.id);
    this.heads.leaveAll(user);
  }
}
