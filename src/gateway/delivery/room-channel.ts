/**
 * One room on this node: its live subscriptions and the order of its events. Events are accepted by
 * seq, only behind the event that was before them when they were committed, and only when the node
 * has applied the epoch they were committed under (new-enemy rule); gaps are closed from Postgres.
 * Every event passes `offer`, from an own commit, Redis or a repair.
 */
import type { Role } from '@wardroom/protocol';
import type { LeaseRounds } from '../../authority/lease/lease-rounds.js';
import type { Lease } from '../../authority/lease/lease.js';
import type { History, RoomHead } from '../../rooms/events/history.js';
import type { Known } from '../../rooms/events/room-epochs.js';
import type { RoomEvent } from '../../rooms/events/room-event.js';
import type { TransientFrame } from './bus-message.js';
import { monotonicMs } from '../../platform/clock.js';
import type { Metrics } from '../../platform/metrics.js';
import type { FanOutThrottle } from './fan-out/fan-out-throttle.js';
import { FanOut } from './fan-out/fan-out.js';
import type { Entry, Recipient } from './fan-out/fan-out.js';
import { encodeTextFrame } from '../connection/socket/frame-encoder.js';
import { RoomKey } from '../connection/socket/outbound-queue.js';
import { Milestones } from './milestones.js';
import { ReplayBuffer } from './replay-buffer.js';
import type { TailHost } from './replay-buffer.js';

const HELD_MAX = 2_000;
const PENDING_MAX = 2_000;
const REPAIR_CHUNK = 500;
const REPAIR_BYTES = 1024 * 1024;
const HELD_TRANSIENT_MS = 1_000;
/** Another node's event may just be on its way. */
const GAP_PATIENCE_MS = 100;

/** Why the subscriber may read: the right that a later event must take away to end it. */
export type Basis = 'member' | 'public' | 'admin';

/** Both included. */
export interface Range {
  from: number;
  to: number;
}

/**
 * One connection in one room. Ended by replacement, by the client, by a lost right or with the
 * connection.
 */
export interface Subscription extends Recipient {
  readonly channel: RoomChannel;
  role: Role | null;
  accessBasis: Basis;
  /** False: replaying or held; events wait in Postgres. */
  live: boolean;
  catchingUp: boolean;
  ended: boolean;
  /** The epoch of the room that the client knows of. */
  roomEpoch: string;
  /** Lost since then. */
  lost: Range | null;
  /** Place in the channel's list of live ones, or -1. */
  index: number;
}

export interface ChannelHost extends TailHost {
  readonly history: History;
  readonly lease: Lease;
  readonly rounds: LeaseRounds;
  readonly metrics: Metrics;
  wantsFanOut(channel: RoomChannel): void;
  hasEnded(session: string): boolean;
  /**
   * An event does not go with what the channel has: Postgres is to be asked which of the two is
   * true.
   */
  doubts(channel: RoomChannel): void;
}

export class RoomChannel {
  /** All of this node, live or not, by connection. */
  readonly subscriptions = new Set<Subscription>();
  private readonly live: Subscription[] = [];
  /**
   * The last seq that was given to a fan-out; a later subscriber gets it by replay.
   */
  lastSeq = 0;
  /** Highest authz_epoch of this room that this node has applied. */
  epoch = 0;
  /** Which past of the room `lastSeq` belongs to. */
  roomEpoch = '';
  /** Those it has had before. */
  readonly pastEpochs = new Set<string>();
  readonly milestones = new Milestones();
  ready: Promise<void> = Promise.resolve();
  fanOutAsked = false;
  /** The newest accepted events, for subscribers that come back. */
  readonly tail: ReplayBuffer;
  /** Null until the room was too large for one slice of writes. */
  pace: FanOutThrottle | null = null;
  restTimer: NodeJS.Timeout | null = null;
  /** Highest that the log has said since `compareEpoch` was called. */
  private saidEpoch = 0;
  private positioned = false;
  /** Of the last event that was accepted. */
  private mark = '';
  private gapTimer: NodeJS.Timeout | null = null;
  /** The content of the next fan-out, in order: events, and transient frames between them. */
  private pending: Entry[] | null = null;
  private pendingEvents = 0;
  private held = new Map<number, RoomEvent>();
  private heldTransient: { frame: TransientFrame; untilMs: number }[] = [];
  private repairing: Promise<void> | null = null;
  /** Begun so far. */
  private fanOuts = 0;
  /** Marks this room's frames in the queues of connections. */
  readonly key = new RoomKey();

  constructor(
    readonly id: string,
    private readonly host: ChannelHost,
  ) {
    this.tail = new ReplayBuffer(id, host);
  }

  get nextSeq(): number {
    return this.lastSeq + this.pendingEvents + 1;
  }

  /** Frames that the next fan-out will carry. */
  get waiting(): number {
    return this.pending?.length ?? 0;
  }

  /** Any order, any number of times. */
  offer(event: RoomEvent): void {
    if (this.positioned && event.seq < this.nextSeq) {
      if (!this.has(event)) this.host.doubts(this);
      return;
    }
    if (this.isNext(event)) this.append(event);
    // A window, not a number of entries: the event that closes the gap must always find its place.
    else if (this.positioned ? event.seq < this.nextSeq + HELD_MAX : this.held.size < HELD_MAX)
      this.held.set(event.seq, event);
    this.accept();
    if (this.held.size === 0 || !this.positioned) return;
    if (!this.held.has(this.nextSeq))
      this.gapTimer ??= setTimeout(() => this.closeGap(), GAP_PATIENCE_MS).unref();
    else if (event.epoch > this.epoch) void this.host.rounds.round();
  }

  /** Where this room starts on this node; earlier arrivals are kept or dropped by their seq. */
  position({ seq, mark, epoch, roomEpoch, before }: RoomHead): void {
    this.positioned = true;
    for (const held of this.held.keys()) if (held <= seq) this.held.delete(held);
    this.epoch = Math.max(this.epoch, epoch);
    this.rename(roomEpoch);
    this.milestones.startWith([...before, { seq, mark }]);
    this.startAfter({ seq, mark });
    this.accept();
  }

  /**
   * Events accepted after `start` are of a past that is gone. Nobody is live meanwhile, and events
   * of the new past follow by repair.
   */
  restart(start: Known, roomEpoch: string): void {
    const transients = this.pending?.filter(({ seq }) => seq === 0) ?? [];
    this.pending = transients.length === 0 ? null : transients;
    this.pendingEvents = 0;
    this.held.clear();
    // It reads from where the old past ended.
    this.repairing = null;
    this.rename(roomEpoch);
    this.milestones.startWith(this.remembered().filter(({ seq }) => seq <= start.seq));
    this.startAfter(start);
  }

  /** Everything that the channel has is also of the past with this name. */
  rename(roomEpoch: string): void {
    if (this.roomEpoch !== '') this.pastEpochs.add(this.roomEpoch);
    this.roomEpoch = roomEpoch;
  }

  private startAfter(start: Known): void {
    this.lastSeq = start.seq;
    this.mark = start.mark;
    this.tail.startAfter(start.seq);
  }

  /** The last event that was accepted. */
  get known(): Known {
    return { seq: this.nextSeq - 1, mark: this.mark };
  }

  /** This node's knowledge of the past of the room, event by event in their order. */
  remembered(): Known[] {
    return [...this.milestones.all, ...this.tail.all, this.known].sort((a, b) => a.seq - b.seq);
  }

  private has({ seq, mark }: RoomEvent): boolean {
    return mark === (seq === this.nextSeq - 1 ? this.mark : this.tail.markOf(seq));
  }

  private closeGap(): void {
    this.gapTimer = null;
    if (this.held.size > 0 && !this.held.has(this.nextSeq))
      void this.repair().catch(() => undefined);
  }

  private accept(): void {
    if (!this.positioned) return;
    for (
      let event = this.held.get(this.nextSeq);
      event !== undefined && this.isNext(event);
      event = this.held.get(this.nextSeq)
    ) {
      if (!this.append(event)) break;
    }
    if (this.waiting > 0) this.host.wantsFanOut(this);
  }

  private isNext({ seq, epoch }: RoomEvent): boolean {
    return (
      this.positioned &&
      seq === this.nextSeq &&
      epoch <= this.epoch &&
      this.pendingEvents < PENDING_MAX
    );
  }

  private append(event: RoomEvent): boolean {
    if (this.held.size > 0) this.held.delete(event.seq);
    if (event.prev !== this.mark) {
      this.host.doubts(this);
      return false;
    }
    this.mark = event.mark;
    this.add({ seq: event.seq, buffer: encodeTextFrame(event.frame), session: null });
    this.pendingEvents += 1;
    this.tail.push(event);
    return true;
  }

  /** From the authority log: the list is true as of `epoch` now, so what waited for it may go. */
  advanceEpoch(epoch: number): void {
    this.saidEpoch = Math.max(this.saidEpoch, epoch);
    if (epoch <= this.epoch) return;
    this.epoch = epoch;
    this.accept();
    const transients = this.heldTransient;
    this.heldTransient = [];
    for (const { frame, untilMs } of transients)
      if (monotonicMs() < untilMs) this.offerTransient(frame);
  }

  /**
   * To be called before the epoch is read from Postgres, which may have gone back. Answers a
   * function that lowers our epoch to the stored one, but not below what the log has said since.
   */
  compareEpoch(): (stored: number) => void {
    this.saidEpoch = 0;
    return (stored) => {
      this.epoch = Math.min(this.epoch, Math.max(this.saidEpoch, stored));
    };
  }

  /**
   * Takes what is there for a fan-out; null when there is nothing to say or nobody to hear it.
   * While fenced events stay, the rest is dropped; so is what somebody said whose session ended
   * before it could be heard.
   */
  take(nowMs: number): FanOut | null {
    const fenced = this.host.lease.isFenced(nowMs);
    if (this.waiting > this.pendingEvents) this.dropUnheard(fenced);
    const entries = this.pending;
    if (entries === null || entries.length === 0 || fenced) return null;
    const after = this.lastSeq;
    this.lastSeq += this.pendingEvents;
    this.count('event', this.pendingEvents);
    this.count('transient', entries.length - this.pendingEvents);
    this.pending = null;
    this.pendingEvents = 0;
    this.fanOuts += 1;
    this.accept();
    return this.live.length === 0
      ? null
      : new FanOut(entries, this.live, after, this.lastSeq, this.fanOuts, this.key);
  }

  private count(kind: 'event' | 'transient', frames: number): void {
    if (frames > 0 && this.live.length > 0)
      this.host.metrics.deliveries.inc({ kind }, frames * this.live.length);
  }

  private dropUnheard(fenced: boolean): void {
    const isHeard = ({ seq, session }: Entry): boolean =>
      seq > 0 || (!fenced && (session === null || !this.host.hasEnded(session)));
    if (!this.pending!.every(isHeard)) this.pending = this.pending!.filter(isHeard);
  }

  /** Once, to who is live now; dropped where it cannot be delivered. */
  offerTransient(frame: TransientFrame): void {
    if (this.host.hasEnded(frame.session)) return;
    if (frame.epoch > this.epoch) {
      if (this.heldTransient.length < HELD_MAX)
        this.heldTransient.push({ frame, untilMs: monotonicMs() + HELD_TRANSIENT_MS });
      void this.host.rounds.round();
      return;
    }
    this.broadcast(encodeTextFrame(frame.frame), frame.session);
  }

  /** A frame that nobody will miss who is not there now. */
  broadcast(buffer: Buffer, session: string | null = null): void {
    if (this.waiting >= PENDING_MAX) return;
    this.add({ seq: 0, buffer, session });
    this.host.wantsFanOut(this);
  }

  private add(entry: Entry): void {
    if (this.pending === null) this.pending = [entry];
    else this.pending.push(entry);
  }

  goLive(subscription: Subscription): void {
    if (subscription.live || subscription.ended) return;
    subscription.live = true;
    subscription.connection.liveRooms += 1;
    // Skip the fan-out in progress: the replay already delivered those events.
    subscription.lastFanOut = this.fanOuts;
    subscription.index = this.live.push(subscription) - 1;
  }

  hold(subscription: Subscription): void {
    if (!subscription.live) return;
    subscription.live = false;
    subscription.connection.liveRooms -= 1;
    const last = this.live.pop()!;
    if (last !== subscription) {
      this.live[subscription.index] = last;
      last.index = subscription.index;
    }
    subscription.index = -1;
  }

  /** Reads what is missing from Postgres. Calls while one runs share it. */
  repair(): Promise<void> {
    this.repairing ??= this.readMissing().finally(() => (this.repairing = null));
    return this.repairing;
  }

  private async readMissing(): Promise<void> {
    for (;;) {
      const from = this.nextSeq;
      const events = await this.host.history.eventsAfter(
        this.id,
        from - 1,
        REPAIR_CHUNK,
        REPAIR_BYTES,
      );
      if (events.length === 0) return;
      this.host.metrics.gapsRepaired.inc();
      for (const event of events) this.offer(event);
      if (this.nextSeq === from) return;
    }
  }
}
