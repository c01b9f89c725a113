/** One room on a node: it takes the steps, and keeps the events that every reader got. */
import { expect } from '@jest/globals';
import type { Connection } from '../../src/gateway/connection/connection.js';
import type { FanOut } from '../../src/gateway/delivery/fan-out/fan-out.js';
import { RoomChannel } from '../../src/gateway/delivery/room-channel.js';
import type { ChannelHost } from '../../src/gateway/delivery/room-channel.js';
import { RoomResets } from '../../src/gateway/delivery/room-resets.js';
import { ReplayBudget } from '../../src/gateway/delivery/replay-buffer.js';
import type { Channels } from '../../src/gateway/delivery/channels.js';
import type { Range, Subscription } from '../../src/gateway/delivery/room-channel.js';
import { monotonicMs } from '../../src/platform/clock.js';
import type { ChangedHead } from '../../src/rooms/events/history.js';
import type { Known } from '../../src/rooms/events/room-epochs.js';
import { Room } from './room-truth.js';

export type Step =
  | {
      do:
        | 'commit'
        | 'publish'
        | 'commit after a shrink'
        | 'apply an epoch'
        | 'fence'
        | 'prove'
        | 'turn'
        | 'subscribe'
        | 'subscribe ahead'
        | 'repair'
        | 'head check'
        | 'answer';
    }
  | {
      do:
        | 'offer'
        | 'rewind'
        | 'rewind and refill'
        | 'late offer'
        | 'hold'
        | 'catch up'
        | 'remove'
        | 'fill'
        | 'piece';
      pick: number;
    }
  | { do: 'signal'; ahead: boolean };

export interface Reader {
  subscription: Subscription;
  /** Its socket takes nothing more. */
  full: boolean;
  /** Step in which it went live. */
  liveAt: number;
  signals: number[];
  /** The last seq it was given; what was there before it came is not its business. */
  last: number;
  /** Marks of what it has, from the first it was given, but for what it was told is lost. */
  has: Map<number, string>;
}

export class Machine {
  readonly room = new Room();
  readonly violations: string[] = [];
  readonly readers: Reader[] = [];
  readonly channel: RoomChannel;
  private fenced = false;
  private dirty = false;
  private signals = 0;
  private steps = 0;
  private fanOut: FanOut | null = null;
  /** Step in which the fan-out was taken. */
  private takenAt = 0;

  /** Answers of Postgres that are still on their way. */
  private answers: (() => void)[] = [];
  private readonly resets: RoomResets;
  private readonly channels = {
    onReplaced: (_channel: RoomChannel, _head: ChangedHead) => Promise.resolve(),
  };
  readonly named: Range[] = [];

  constructor(startAt: number) {
    for (let i = 0; i < startAt; i += 1) this.room.commit();
    const { room } = this;
    const count = { inc: () => undefined };
    const metrics = {
      deliveries: count,
      gapsRepaired: count,
      roomResets: count,
      roomEventsLost: count,
    };
    this.channel = new RoomChannel('r', {
      history: {
        eventsAfter: (_room: string, seq: number, limit: number) =>
          this.later(room.events.slice(seq, seq + limit)),
      },
      lease: { isFenced: () => this.fenced },
      rounds: { round: async () => undefined },
      metrics,
      tails: new ReplayBudget(),
      wantsFanOut: () => (this.dirty = true),
      hasEnded: () => false,
      doubts: () => this.compare(),
    } as unknown as ChannelHost);
    this.resets = new RoomResets(
      this.channels as unknown as Channels,
      {} as never,
      {
        startAnew: (subscription: Subscription, lost: Range | null, start: number) =>
          this.startAnew(subscription, lost, start),
      } as never,
      {
        renew: (_id: string, seen: string) => this.later(room.renew(seen)),
        commonPast: (_id: string, known: Known[]) => this.later(room.commonPast(known)),
      } as never,
      { note: ({ detail }: { detail: Range }) => this.named.push(detail) } as never,
      metrics as never,
    );
    expect(this.resets).toBeDefined();
    this.channel.position({
      seq: startAt,
      mark: room.markAt(startAt),
      epoch: 0,
      roomEpoch: room.roomEpoch,
      before: [],
    });
  }

  private later<T>(answer: T): Promise<T> {
    return new Promise((resolve) => this.answers.push(() => resolve(answer)));
  }

  /** As Channels does once a second and whenever it is in doubt. */
  private compare(): void {
    void this.look();
  }

  private async look(): Promise<void> {
    const { channel, room } = this;
    const { seq, mark } = channel.known;
    const { roomEpoch } = channel;
    const head = await this.later({
      seq: room.events.length,
      roomEpoch: room.roomEpoch,
      whole: seq <= room.events.length && room.markAt(seq) === mark,
    });
    const isSame = head.whole && head.roomEpoch === roomEpoch;
    if (!isSame && channel.roomEpoch === roomEpoch) await this.channels.onReplaced(channel, head);
    if (channel.nextSeq <= room.events.length) await channel.repair();
  }

  /** As subscribe.ts does. */
  private startAnew(subscription: Subscription, lost: Range | null, start: number): void {
    const reader = this.readers.find((each) => each.subscription === subscription)!;
    const { live } = subscription;
    this.channel.hold(subscription);
    subscription.deliveredSeq = Math.min(subscription.deliveredSeq, start);
    reader.last = subscription.deliveredSeq;
    if (lost !== null)
      for (const seq of reader.has.keys()) if (seq >= lost.from) reader.has.delete(seq);
    if (live) this.catchUp(reader);
  }

  /** Everything the channel hands to one connection passes here. */
  private given(reader: Reader, buffer: Buffer): void {
    if (!reader.subscription.live || reader.subscription.ended)
      this.violations.push('handed to somebody who is not live');
    for (const { seq, mark, signal } of framesOf(buffer)) {
      if (signal !== undefined) {
        if (reader.signals.includes(signal)) this.violations.push(`signal ${signal} twice`);
        if (reader.liveAt > this.takenAt)
          this.violations.push(`signal ${signal} to somebody who came later`);
        reader.signals.push(signal);
        continue;
      }
      if (seq !== reader.last + 1) this.violations.push(`${seq} after ${reader.last}`);
      const event = [...this.room.events, ...this.room.lost].find((each) => each.mark === mark)!;
      if (event.epoch > this.channel.epoch)
        this.violations.push(`${seq} before its epoch was applied`);
      const before = reader.has.get(seq - 1);
      if (before !== undefined && before !== event.prev)
        this.violations.push(`${seq} of one past behind another`);
      reader.has.set(seq, event.mark);
      reader.last = seq;
    }
  }

  async do(step: Step): Promise<void> {
    const { room, channel, readers } = this;
    this.steps += 1;
    const pick = 'pick' in step ? step.pick : 0;
    const reader = readers[pick % Math.max(1, readers.length)];
    switch (step.do) {
      case 'commit':
        return room.commit();
      case 'commit after a shrink':
        room.epoch += 1;
        return room.commit();
      case 'apply an epoch':
        if (channel.epoch < room.epoch) channel.advanceEpoch(channel.epoch + 1);
        return;
      case 'offer':
        if (room.events.length > 0) channel.offer(room.events[pick % room.events.length]!);
        return;
      case 'fence':
        this.fenced = true;
        return;
      case 'prove':
        this.fenced = false;
        this.turn();
        return;
      case 'turn':
        if (this.dirty) this.turn();
        return;
      case 'subscribe':
        return this.subscribe(channel.lastSeq);
      case 'subscribe ahead':
        // Its publisher: acknowledged, and not fanned out yet.
        return this.subscribe(channel.nextSeq - 1);
      case 'repair':
        void channel.repair();
        return;
      case 'head check':
        channel.milestones.add(channel.known);
        return this.compare();
      case 'answer':
        this.answers.shift()?.();
        await new Promise(setImmediate);
        return;
      case 'publish':
        room.commit();
        return channel.offer(room.events.at(-1)!);
      case 'rewind':
      case 'rewind and refill': {
        const end = room.events.length;
        room.rewind(Math.max(0, end - 1 - (pick % 4)));
        // By another node, whose announcements are lost.
        while (step.do === 'rewind and refill' && room.events.length < end) room.commit();
        return;
      }
      case 'late offer':
        if (room.lost.length > 0) channel.offer(room.lost[pick % room.lost.length]!);
        return;
      case 'hold':
        return reader === undefined ? undefined : channel.hold(reader.subscription);
      case 'catch up':
        return reader === undefined ? undefined : this.catchUp(reader);
      case 'piece':
        return this.piece(1 + (pick % 3));
      case 'fill':
        if (reader !== undefined) reader.full = !reader.full;
        return;
      case 'remove':
        if (reader === undefined) return;
        channel.hold(reader.subscription);
        reader.subscription.ended = true;
        channel.subscriptions.delete(reader.subscription);
        readers.splice(pick % readers.length, 1);
        return;
      case 'signal':
        this.signals += 1;
        return channel.offerTransient({
          room: 'r',
          session: 's',
          epoch: channel.epoch + (step.ahead ? 1 : 0),
          frame: JSON.stringify({ signal: this.signals }),
        } as never);
    }
  }

  /** Nothing of a room is taken while a fan-out of it is under way: flush-scheduler.ts. */
  private turn(): void {
    if (this.fanOut !== null) return;
    this.dirty = false;
    this.fanOut = this.channel.take(monotonicMs());
    this.takenAt = this.steps;
    if (this.fanOut !== null && this.fenced) this.violations.push('taken while fenced');
  }

  private piece(count: number): void {
    if (this.fanOut !== null && !this.fanOut.deliver(count, count === 3)) this.fanOut = null;
  }

  private subscribe(since: number): void {
    const reader = {
      last: since,
      full: false,
      liveAt: this.steps,
      signals: [],
      has: new Map(),
    } as unknown as Reader;
    const connection = {
      liveRooms: 0,
      queue: (buffer: Buffer) => this.given(reader, buffer),
      writeNow: (buffer: Buffer) => {
        if (reader.full || this.fenced) return false;
        this.given(reader, buffer);
        return true;
      },
    } as unknown as Connection;
    reader.subscription = {
      connection,
      channel: this.channel,
      role: 'member',
      accessBasis: 'member',
      live: false,
      catchingUp: false,
      ended: false,
      roomEpoch: this.channel.roomEpoch,
      lost: null,
      deliveredSeq: since,
      lastFanOut: 0,
      index: -1,
    };
    this.readers.push(reader);
    this.channel.subscriptions.add(reader.subscription);
    this.channel.goLive(reader.subscription);
  }

  /**
   * As subscribe.ts does: replay up to the channel from what Postgres has, then live, in one step.
   */
  private catchUp(reader: Reader): void {
    const { subscription } = reader;
    if (subscription.live) return;
    const { known, roomEpoch, lastSeq } = this.channel;
    // Both are asked of Postgres after what is replayed was read.
    const isCurrent =
      known.seq <= this.room.events.length &&
      this.room.markAt(known.seq) === known.mark &&
      this.room.roomEpoch === roomEpoch;
    if (subscription.deliveredSeq < lastSeq && !isCurrent) return this.compare();
    for (const { seq, mark } of this.room.events.slice(
      subscription.deliveredSeq,
      this.channel.lastSeq,
    )) {
      reader.has.set(seq, mark);
      subscription.deliveredSeq = reader.last = seq;
    }
    reader.liveAt = this.steps;
    this.channel.goLive(subscription);
  }

  /** All news in, the log applied, everybody live: nothing may be missing. */
  async finish(): Promise<void> {
    this.fenced = false;
    this.steps += 1;
    for (let round = 0; round < 6; round += 1) {
      while (this.fanOut !== null) this.piece(1);
      while (this.channel.epoch < this.room.epoch)
        this.channel.advanceEpoch(this.channel.epoch + 1);
      this.compare();
      while (this.answers.length > 0) await this.do({ do: 'answer' });
      this.turn();
      while (this.fanOut !== null) this.piece(3);
      for (const reader of this.readers) this.catchUp(reader);
    }
  }

  /** Events that somebody has and Postgres does not, or the other way round. */
  wrong(): string[] {
    return this.readers.flatMap(({ has }) => {
      const first = Math.min(...has.keys());
      const stored = this.room.events.filter(({ seq }) => seq >= first);
      const missing = stored
        .filter(({ seq, mark }) => has.get(seq) !== mark)
        .map(({ seq }) => `${seq} is missing`);
      return [
        ...missing,
        ...[...has.keys()]
          .filter((seq) => seq > this.room.events.length)
          .map((seq) => `${seq} is lost and not told`),
      ];
    });
  }
}

/** Frames of this test are shorter than 126 bytes. */
function framesOf(data: Buffer): { seq: number; mark: string; signal?: number }[] {
  const frames = [];
  for (let at = 0; at < data.length; at += 2 + data[at + 1]!)
    frames.push(JSON.parse(data.toString('utf8', at + 2, at + 2 + data[at + 1]!)));
  return frames;
}
