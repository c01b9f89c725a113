/**
 * One `RoomChannel` under random news: events offered twice, late, out of order, ahead of the epoch; repairs; fences; fan-outs
 * that stop after every few; subscriptions that come, are held, catch up and leave between two pieces; full sockets. Oracle: the room's own sequence in `Room`, as Postgres would have it.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Connection } from '../../src/gateway/connection.js';
import type { FanOut } from '../../src/gateway/fan-out.js';
import { RoomChannel } from '../../src/gateway/room-channel.js';
import type { ChannelHost } from '../../src/gateway/room-channel.js';
import { TailBudget } from '../../src/gateway/room-tail.js';
import type { Subscription } from '../../src/gateway/subscription.js';
import { monotonicMs } from '../../src/platform/clock.js';
import type { RoomEvent } from '../../src/rooms/room-event.js';

type Step =
  | { do: 'commit' | 'commit after a shrink' | 'apply an epoch' | 'fence' | 'prove' | 'turn' | 'subscribe' | 'subscribe ahead' | 'repair' | 'head check' }
  | { do: 'offer' | 'hold' | 'catch up' | 'remove' | 'fill' | 'piece'; pick: number }
  | { do: 'signal'; ahead: boolean };

/** The truth: what is stored, under which epoch. */
class Room {
  readonly events: RoomEvent[] = [];
  epoch = 0;

  commit(): void {
    const seq = this.events.length + 1;
    this.events.push({ room: 'r', seq, epoch: this.epoch, frame: JSON.stringify({ seq }) });
  }
}

interface Reader {
  subscription: Subscription;
  /** Its socket takes nothing more. */
  full: boolean;
  /** Step in which it went live. */
  liveAt: number;
  signals: number[];
  /** The last seq it was given; what was there before it came is not its business. */
  last: number;
}

class Machine {
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

  constructor(startAt: number) {
    for (let i = 0; i < startAt; i += 1) this.room.commit();
    const count = { inc: () => undefined };
    this.channel = new RoomChannel('r', {
      history: { eventsAfter: async (_room: string, seq: number, limit: number) => this.room.events.slice(seq, seq + limit) },
      lease: { fencedAt: () => this.fenced, round: async () => undefined },
      metrics: { deliveries: count, gapsRepaired: count },
      tails: new TailBudget(),
      wantsFanOut: () => (this.dirty = true),
      hasEnded: () => false,
    } as unknown as ChannelHost);
    this.channel.position(startAt, 0);
  }

  /** Everything the channel hands to one connection passes here. */
  private given(reader: Reader, buffer: Buffer): void {
    if (!reader.subscription.live || reader.subscription.ended) this.violations.push('handed to somebody who is not live');
    for (const { seq, signal } of framesOf(buffer)) {
      if (signal !== undefined) {
        if (reader.signals.includes(signal)) this.violations.push(`signal ${signal} twice`);
        if (reader.liveAt > this.takenAt) this.violations.push(`signal ${signal} to somebody who came later`);
        reader.signals.push(signal);
        continue;
      }
      if (seq !== reader.last + 1) this.violations.push(`${seq} after ${reader.last}`);
      if (this.room.events[seq - 1]!.epoch > this.channel.epoch) this.violations.push(`${seq} before its epoch was applied`);
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
        return channel.repair();
      case 'head check':
        return channel.nextSeq <= room.events.length ? channel.repair() : undefined;
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

  /** Nothing of a room is taken while a fan-out of it is under way: turns.ts. */
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
    const reader = { last: since, full: false, liveAt: this.steps, signals: [] } as unknown as Reader;
    const connection = {
      liveIn: 0,
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
      basis: 'member',
      live: false,
      catchingUp: false,
      ended: false,
      sentSeq: since,
      heard: 0,
      index: -1,
    };
    this.readers.push(reader);
    this.channel.goLive(reader.subscription);
  }

  /** What subscribe.ts does: replay up to the channel, then live, in one step. */
  private catchUp(reader: Reader): void {
    const { subscription } = reader;
    if (subscription.live) return;
    if (subscription.sentSeq < this.channel.lastSeq) subscription.sentSeq = reader.last = this.channel.lastSeq;
    reader.liveAt = this.steps;
    this.channel.goLive(subscription);
  }

  /** All news in, the log applied, everybody live: nothing may be missing. */
  async finish(): Promise<void> {
    this.fenced = false;
    this.steps += 1;
    while (this.fanOut !== null) this.piece(1);
    while (this.channel.epoch < this.room.epoch) this.channel.advanceEpoch(this.channel.epoch + 1);
    await this.channel.repair();
    this.turn();
    while (this.fanOut !== null) this.piece(3);
    for (const reader of this.readers) this.catchUp(reader);
  }
}

/** Frames of this test are shorter than 126 bytes. */
function framesOf(data: Buffer): { seq: number; signal?: number }[] {
  const frames = [];
  for (let at = 0; at < data.length; at += 2 + data[at + 1]!) frames.push(JSON.parse(data.toString('utf8', at + 2, at + 2 + data[at + 1]!)));
  return frames;
}

const pick = fc.nat({ max: 1_000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('offer' as const), pick }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('commit', 'commit', 'turn', 'commit after a shrink', 'apply an epoch', 'subscribe') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('fence', 'prove', 'repair', 'head check') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('hold', 'catch up', 'remove', 'fill'), pick }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('piece' as const), pick }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('signal' as const), ahead: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('subscribe', 'subscribe ahead', 'turn') }) },
);

describe('a room on a node', () => {
  test('gives every live subscription each event once, in order, under an applied epoch, and in the end all of them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 3 }), fc.array(step, { maxLength: 120 }), async (startAt, steps) => {
        const machine = new Machine(startAt);
        for (const each of steps) await machine.do(each);
        await machine.finish();
        expect(machine.violations).toEqual([]);
        expect(machine.readers.map(({ last }) => last)).toEqual(machine.readers.map(() => machine.room.events.length));
      }),
      { numRuns: 1_500 },
    );
  });

  test('an event that is ahead of the applied epoch waits, and its followers with it', async () => {
    const machine = new Machine(0);
    for (const each of ['subscribe', 'commit after a shrink', 'commit'] as const) await machine.do({ do: each });
    for (const seq of [1, 0]) await machine.do({ do: 'offer', pick: seq });
    await machine.do({ do: 'turn' });
    expect(machine.readers[0]!.last).toBe(0);
    for (const each of ['apply an epoch', 'turn'] as const) await machine.do({ do: each });
    await machine.do({ do: 'piece', pick: 0 });
    expect(machine.readers[0]!.last).toBe(2);
  });
});

describe('a fan-out that stops on the way', () => {
  const run = async (script: Step[], start = 3): Promise<Machine> => {
    const machine = new Machine(0);
    for (let i = 0; i < start; i += 1) await machine.do({ do: 'subscribe' });
    for (const each of script) await machine.do(each);
    return machine;
  };
  const signal: Step = { do: 'signal', ahead: false };
  const piece: Step = { do: 'piece', pick: 0 };

  test('is not for somebody who was held and came back meanwhile', async () => {
    const machine = await run([signal, { do: 'turn' }, piece, { do: 'hold', pick: 1 }, { do: 'hold', pick: 0 }, { do: 'catch up', pick: 0 }, piece, piece]);
    expect(machine.violations).toEqual([]);
    expect(machine.readers.map(({ signals }) => signals)).toEqual([[], [], [1]]);
  });

  test('leaves nobody out when others leave the list', async () => {
    const machine = await run([signal, { do: 'turn' }, piece, { do: 'hold', pick: 0 }, { do: 'hold', pick: 3 }, piece, piece, piece], 4);
    expect(machine.violations).toEqual([]);
    expect(machine.readers.map(({ signals }) => signals)).toEqual([[], [1], [1], [1]]);
  });
});
