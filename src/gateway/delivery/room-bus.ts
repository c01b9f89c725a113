/**
 * Between nodes: one sharded Redis channel per room, listened to by the nodes that have subscribers
 * there. At most once: durable events carry a seq and are repaired from Postgres, everything else
 * may be lost. Sealed for the room (ADR 0023), once for all that a turn has to say there; late
 * messages and copies of earlier ones are ignored.
 */
import { Injectable } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { NodeRegistry } from '../../authority/nodes/node-registry.js';
import { wallMs } from '../../platform/clock.js';
import { Metrics } from '../../platform/metrics.js';
import { RedisMessages } from '../../platform/stores/redis/redis-messages.js';
import { RedisNames } from '../../platform/stores/redis/redis-names.js';
import { RedisConnections } from '../../platform/stores/redis/redis.js';
import { Repetitions } from '../../platform/repetitions.js';
import { readBusMessage } from './bus-message.js';
import type { BusMessage, OwnChange, PresenceState, TransientFrame } from './bus-message.js';
import type { RoomEvent } from '../../rooms/events/room-event.js';

/** Of one room, waiting for the end of the turn. */
interface Outgoing {
  events: RoomEvent[];
  frames: TransientFrame[];
  own: OwnChange[];
  presence: BusMessage[];
}

/** Two clocks that are each up to 5 s off (authority/clocks.ts), and the way through Redis. */
const LATE_MS = 15_000;
/** In one command. */
const CHANNELS_AT_ONCE = 100;

@Injectable()
export class RoomBus implements OnModuleDestroy {
  /** Joined rooms by channel. */
  private readonly rooms = new Map<string, string>();
  /** Rooms that were joined more than once: how often. */
  private readonly joins = new Map<string, number>();
  private readonly repetitions = new Repetitions();
  private subscriber: Redis | null = null;
  private outbox = new Map<string, Outgoing>();

  constructor(
    private readonly redis: RedisConnections,
    private readonly names: RedisNames,
    private readonly messages: RedisMessages,
    private readonly nodes: NodeRegistry,
    private readonly metrics: Metrics,
  ) {}

  start(onMessage: (message: BusMessage) => void): void {
    const subscriber = (this.subscriber = this.redis.subscriber('rooms', { sharded: true }));
    subscriber.on('smessageBuffer', (channel: Buffer, box: Buffer) => {
      // Our own echo is told by its head, before anything is opened.
      if (!this.messages.isOwn(box)) this.receive(channel.toString('latin1'), box, onMessage);
    });
    // Sharded subscriptions are made again by hand: ioredis restores them only per channel list it
    // knows.
    subscriber.on('ready', () => {
      void this.listen([...this.rooms.keys()]);
    });
    void subscriber.connect().catch(() => undefined);
  }

  private receive(channel: string, box: Buffer, onMessage: (message: BusMessage) => void): void {
    const room = this.rooms.get(channel);
    // Just left, or the probe of this connection.
    if (room === undefined) return;
    const check = (value: unknown) => readBusMessage(value, room);
    this.messages.receive('room', room, box, check, ({ sender, number, atMs, value }) => {
      if (wallMs() - atMs > LATE_MS || !this.repetitions.isNew(sender, number))
        this.messages.ignore('room', 'late');
      else onMessage(value);
    });
  }

  /**
   * Answers when the node listens, or at once when Redis is away: the head check finds what is
   * missed.
   */
  async join(...rooms: string[]): Promise<void> {
    const channels = rooms.map((room) => {
      const channel = this.names.room(room);
      if (this.rooms.has(channel)) this.joins.set(channel, (this.joins.get(channel) ?? 1) + 1);
      else this.rooms.set(channel, room);
      return channel;
    });
    await this.listen(channels);
  }

  /** The last one that leaves ends the subscription of this node. */
  leave(room: string): void {
    const channel = this.names.room(room);
    const joins = this.joins.get(channel) ?? 1;
    if (joins > 2) this.joins.set(channel, joins - 1);
    else this.joins.delete(channel);
    if (joins > 1) return;
    this.rooms.delete(channel);
    if (this.subscriber?.status === 'ready')
      void this.subscriber.sunsubscribe(this.names.room(room)).catch(() => undefined);
  }

  /**
   * Nobody else listens: what is said to all is not sent, questions are asked and answered
   * nevertheless.
   */
  get alone(): boolean {
    return !this.nodes.othersServe;
  }

  /** Queued, unless this node is alone; one message per room and turn. */
  sendEvent(event: RoomEvent): void {
    if (!this.alone) this.outOf(event.room).events.push(event);
  }

  sendTransient(frame: TransientFrame): void {
    if (!this.alone) this.outOf(frame.room).frames.push(frame);
  }

  sendOwn(change: OwnChange): void {
    if (!this.alone) this.outOf(change.room).own.push(change);
  }

  sendPresence(room: string, state: PresenceState | null): void {
    const { id: node } = this.nodes;
    this.outOf(room).presence.push(
      state === null ? { kind: 'presence_query', node, room } : { kind: 'presence', node, state },
    );
  }

  private outOf(room: string): Outgoing {
    if (this.outbox.size === 0) setImmediate(() => this.flush());
    let outgoing = this.outbox.get(room);
    if (outgoing === undefined)
      this.outbox.set(room, (outgoing = { events: [], frames: [], own: [], presence: [] }));
    return outgoing;
  }

  /** One write for all rooms of the turn; nothing is packed for a Redis that is away. */
  private flush(): void {
    const outbox = this.outbox;
    this.outbox = new Map();
    void this.redis.attempt<unknown>('room bus', (redis) => {
      const messages = this.packed(outbox);
      // A pipeline of one costs a third more than the command.
      if (messages.length === 1) return redis.spublish(...messages[0]!);
      const pipeline = redis.pipeline();
      for (const message of messages) pipeline.spublish(...message);
      return pipeline.exec();
    });
  }

  private packed(outbox: ReadonlyMap<string, Outgoing>): [channel: string, box: Buffer][] {
    const messages: [channel: string, box: Buffer][] = [];
    const add = (room: string, message: BusMessage): void => {
      this.metrics.busMessages.inc({ kind: message.kind });
      messages.push([this.names.room(room), this.messages.write('room', room, message)]);
    };
    for (const [room, { events, frames, own, presence }] of outbox) {
      if (events.length > 0) add(room, { kind: 'events', events });
      if (frames.length > 0) add(room, { kind: 'transient', frames });
      if (own.length > 0) add(room, { kind: 'own', changes: own });
      for (const message of presence) add(room, message);
    }
    return messages;
  }

  private async listen(channels: readonly string[]): Promise<void> {
    const { subscriber } = this;
    if (subscriber?.status !== 'ready') return;
    const asked: Promise<unknown>[] = [];
    for (let from = 0; from < channels.length; from += CHANNELS_AT_ONCE)
      asked.push(
        subscriber
          .ssubscribe(...channels.slice(from, from + CHANNELS_AT_ONCE))
          .catch(() => undefined),
      );
    await Promise.race([
      Promise.all(asked),
      new Promise((resolve) => setTimeout(resolve, 500).unref()),
    ]);
  }

  onModuleDestroy(): void {
    this.subscriber?.disconnect();
  }
}
