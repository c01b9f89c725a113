/**
 * The rooms this node has subscribers in, joined to the room bus and repaired by a head check once
 * a second; what they have to say leaves by flush-scheduler.ts.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import { AuthorityState } from '../../authority/authority-state.js';
import { LeaseRounds } from '../../authority/lease/lease-rounds.js';
import { Lease } from '../../authority/lease/lease.js';
import { Batcher } from '../../platform/stores/batcher.js';
import { Metrics } from '../../platform/metrics.js';
import { History } from '../../rooms/events/history.js';
import type { BusMessage, OwnChange, TransientFrame } from './bus-message.js';
import type { ChangedHead } from '../../rooms/events/history.js';
import type { RoomEvent } from '../../rooms/events/room-event.js';
import { RoomBus } from './room-bus.js';
import { RoomEvents } from '../../rooms/events/room-events.js';
import { RoomChannel } from './room-channel.js';
import type { ChannelHost } from './room-channel.js';
import { ReplayBudget } from './replay-buffer.js';
import type { Subscription } from './room-channel.js';
import { FlushScheduler } from './fan-out/flush-scheduler.js';

const HEAD_CHECK_MS = 1_000;
/** Rooms in one statement: the event loop goes on between two. */
const HEADS_AT_ONCE = 200;
const TAILS_AGE_MS = 60_000;

/** The events in Postgres of a room whose channel lacks some. */
interface Behind {
  readonly seq: number;
  readonly restarted: Promise<void>;
}

@Injectable()
export class Channels implements ChannelHost, OnModuleDestroy {
  private readonly logger = new Logger(Channels.name);
  readonly tails = new ReplayBudget();
  private readonly byRoom = new Map<string, RoomChannel>();
  /**
   * One statement for all rooms that ask at about the same time, however many clients come back.
   */
  private readonly looks = new Batcher<RoomChannel, number>((channels) => this.look(channels));
  private readonly timers: NodeJS.Timeout[] = [];
  private checking = false;
  /** Told when a subscription came or went: presence. */
  onChange: (channel: RoomChannel) => void = () => undefined;
  /** Postgres has another past of the room than the channel: room-resets.ts. */
  onReplaced: (channel: RoomChannel, head: ChangedHead) => Promise<void> = () => Promise.resolve();
  /** Called for every event that is committed here or comes from another node: watch. */
  onHeard: (event: RoomEvent) => void = () => undefined;
  /** Called for every transient frame of another node: watch. */
  onHeardTransient: (frame: TransientFrame) => void = () => undefined;
  /** Called for every change of another node that is one user's alone: watch. */
  onHeardOwn: (change: OwnChange) => void = () => undefined;
  /** Told when a subscription is over: typing. */
  onLeft: (subscription: Subscription) => void = () => undefined;

  constructor(
    readonly history: History,
    readonly lease: Lease,
    readonly rounds: LeaseRounds,
    readonly metrics: Metrics,
    private readonly bus: RoomBus,
    private readonly state: AuthorityState,
    private readonly flushes: FlushScheduler,
    events: RoomEvents,
  ) {
    events.onCommitted((event) => {
      this.byRoom.get(event.room)?.offer(event);
      this.bus.sendEvent(event);
      this.onHeard(event);
    });
    lease.onProven(() => this.resume());
  }

  start(
    onPresence: (message: Extract<BusMessage, { kind: 'presence' | 'presence_query' }>) => void,
  ): void {
    this.bus.start((message) => {
      if (message.kind === 'events')
        for (const event of message.events) {
          this.byRoom.get(event.room)?.offer(event);
          this.onHeard(event);
        }
      else if (message.kind === 'transient')
        for (const frame of message.frames) {
          this.byRoom.get(frame.room)?.offerTransient(frame);
          this.onHeardTransient(frame);
        }
      else if (message.kind === 'own') message.changes.forEach((change) => this.onHeardOwn(change));
      else onPresence(message);
    });
    this.timers.push(
      setInterval(() => void this.checkHeads(), HEAD_CHECK_MS).unref(),
      setInterval(() => this.tails.age(), TAILS_AGE_MS).unref(),
    );
  }

  get(room: string): RoomChannel | undefined {
    return this.byRoom.get(room);
  }

  get size(): number {
    return this.byRoom.size;
  }

  all(): Iterable<RoomChannel> {
    return this.byRoom.values();
  }

  /** The room's channel, listening and positioned at the head. */
  async open(room: string): Promise<RoomChannel> {
    let channel = this.byRoom.get(room);
    if (channel === undefined) {
      channel = new RoomChannel(room, this);
      this.byRoom.set(room, channel);
      channel.ready = this.position(channel);
    }
    await channel.ready;
    return channel;
  }

  /** Listens first, reads the head second: nothing falls between. */
  private async position(channel: RoomChannel): Promise<void> {
    try {
      await this.bus.join(channel.id);
      const head = await this.history.headOf(channel.id);
      channel.position(head);
    } catch (error) {
      this.byRoom.delete(channel.id);
      this.bus.leave(channel.id);
      throw error;
    }
  }

  /**
   * After missed authority events: the epoch as Postgres has it now, and its past of the room.
   * Nobody is live in the room meanwhile.
   */
  async reposition(channel: RoomChannel): Promise<void> {
    const lowerEpoch = channel.compareEpoch();
    const head = await this.history.headIfThere(channel.id);
    if (head !== null) {
      lowerEpoch(head.epoch);
      channel.advanceEpoch(head.epoch);
    }
    await this.isCurrent(channel);
  }

  /** Asks at once, together with the doubts of other channels, and reads what is missing. */
  doubts(channel: RoomChannel): void {
    this.isCurrent(channel).catch((error: Error) =>
      this.logger.debug({ msg: 'a room could not be compared', error: error.message }),
    );
  }

  /**
   * False: something was committed before the call that the channel does not have. Of a past that
   * is gone nothing is left after it.
   */
  async isCurrent(channel: RoomChannel): Promise<boolean> {
    const beyond = await this.looks.ask(channel);
    if (channel.nextSeq <= beyond) await channel.repair();
    return channel.nextSeq > beyond;
  }

  /** The last seq of each room whose channel does not have it yet, else 0. */
  private async look(channels: RoomChannel[]): Promise<(number | Promise<number>)[]> {
    this.metrics.replayReads.inc({ from: 'head' });
    const behind = await this.findBehind(channels);
    return channels.map((channel) => {
      const found = behind.get(channel);
      return found === undefined ? 0 : found.restarted.then(() => found.seq);
    });
  }

  add(subscription: Subscription): void {
    subscription.channel.subscriptions.add(subscription);
    this.metrics.subscriptions.value += 1;
    this.onChange(subscription.channel);
  }

  /** `replaced`: the same connection goes on in the room with another subscription. */
  remove(subscription: Subscription, why: 'replaced' | 'over'): void {
    if (subscription.ended) return;
    const { channel } = subscription;
    channel.hold(subscription);
    subscription.ended = true;
    channel.subscriptions.delete(subscription);
    this.metrics.subscriptions.value -= 1;
    if (why === 'over') this.onLeft(subscription);
    this.onChange(channel);
    this.closeIfEmpty(channel);
  }

  /** Deliveries to it wait in Postgres until it catches up. */
  pause(subscription: Subscription): void {
    subscription.channel.hold(subscription);
  }

  closeIfEmpty(channel: RoomChannel): void {
    if (channel.subscriptions.size > 0 || this.byRoom.get(channel.id) !== channel) return;
    this.byRoom.delete(channel.id);
    channel.tail.drop();
    this.bus.leave(channel.id);
  }

  /** To everybody live in the room on every node, judged under this node's epoch of the room. */
  sendTransient(frame: TransientFrame): void {
    // Others first: theirs is the longer way.
    this.bus.sendTransient(frame);
    this.byRoom.get(frame.room)?.offerTransient(frame);
  }

  hasEnded(session: string): boolean {
    return this.state.hasEnded(session);
  }

  wantsFanOut(channel: RoomChannel): void {
    this.flushes.wantsFanOut(channel);
  }

  private resume(): void {
    for (const channel of this.byRoom.values()) this.wantsFanOut(channel);
    void this.checkHeads();
  }

  /**
   * Finds lost last events, and gaps whose missing part never comes. Rooms are repaired beside each
   * other: none waits for another.
   */
  private async checkHeads(): Promise<void> {
    if (this.checking) return;
    this.checking = true;
    try {
      const inUse = [...this.byRoom.values()].filter(({ subscriptions }) => subscriptions.size > 0);
      for (let from = 0; from < inUse.length; from += HEADS_AT_ONCE)
        await this.checkHeadsOf(inUse.slice(from, from + HEADS_AT_ONCE));
    } catch (error) {
      this.logger.warn({
        msg: 'room heads could not be read, asking again',
        error: (error as Error).message,
      });
    } finally {
      this.checking = false;
    }
  }

  private async checkHeadsOf(channels: RoomChannel[]): Promise<void> {
    for (const { milestones, known } of channels) milestones.add(known);
    for (const [channel, { seq, restarted }] of await this.findBehind(channels)) {
      restarted
        .then(() => this.repairUpTo(channel, seq))
        .catch((error: Error) =>
          this.logger.warn({
            msg: 'a room could not be repaired, trying again',
            room: channel.id,
            error: error.message,
          }),
        );
    }
  }

  private async repairUpTo(channel: RoomChannel, seq: number): Promise<void> {
    if (channel.nextSeq <= seq && this.byRoom.get(channel.id) === channel) await channel.repair();
  }

  /**
   * Those that do not have everything: where they stand in Postgres, and when those with another
   * past have started anew.
   */
  private async findBehind(channels: readonly RoomChannel[]): Promise<Map<RoomChannel, Behind>> {
    const asked = channels.map((channel) => ({
      channel,
      id: channel.id,
      roomEpoch: channel.roomEpoch,
      ...channel.known,
    }));
    const heads = await this.history.changedHeads(asked);
    const behind = new Map<RoomChannel, Behind>();
    for (const { channel, roomEpoch } of asked) {
      const head = heads.get(channel.id);
      if (head === undefined) continue;
      const isSame = head.whole && head.roomEpoch === roomEpoch;
      // Another look may have been faster.
      const isOutdated =
        !isSame && channel.roomEpoch === roomEpoch && this.byRoom.get(channel.id) === channel;
      behind.set(channel, {
        seq: head.seq,
        restarted: isOutdated ? this.onReplaced(channel, head) : Promise.resolve(),
      });
    }
    return behind;
  }

  onModuleDestroy(): void {
    for (const timer of this.timers) clearInterval(timer);
  }
}
