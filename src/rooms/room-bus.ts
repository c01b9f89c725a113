/**
 * Between nodes: one sharded Redis channel per room, listened to by the nodes that have subscribers there. At most once:
 * durable events carry a seq and are repaired from Postgres, everything else may be lost.
 */
import { Injectable } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { NodeRegistry } from '../authority/node-registry.js';
import { newId } from '../platform/ids.js';
import { Metrics } from '../platform/metrics.js';
import { RedisConnections } from '../platform/redis.js';
import type { RoomEvent } from './room-event.js';

/** A frame for whoever is there, judged by the sender's node at `epoch`. */
export interface TransientFrame {
  room: string;
  /** The sender's: nobody hears from a session that has ended, however long the frame was on its way. */
  session: string;
  epoch: number;
  frame: string;
}

/** Who is present through one node: its whole state, so a lost message heals with the next. */
export interface PresenceState {
  room: string;
  /** Null when there are too many to list. */
  users: string[] | null;
  count: number;
}

export type BusMessage =
  | { kind: 'events'; events: RoomEvent[] }
  | { kind: 'transient'; frames: TransientFrame[] }
  | { kind: 'presence'; node: string; state: PresenceState }
  | { kind: 'presence_query'; node: string; room: string };

/** Of one room, waiting for the end of the turn. */
interface Outgoing {
  events: RoomEvent[];
  frames: TransientFrame[];
  presence: BusMessage[];
}

const PREFIX = 'wardroom:room:{';
const channelOf = (room: string): string => `${PREFIX}${room}}`;

@Injectable()
export class RoomBus implements OnModuleDestroy {
  readonly node = newId();
  private readonly rooms = new Set<string>();
  private subscriber: Redis | null = null;
  private outbox = new Map<string, Outgoing>();

  constructor(
    private readonly redis: RedisConnections,
    private readonly nodes: NodeRegistry,
    private readonly metrics: Metrics,
  ) {}

  start(onMessage: (message: BusMessage) => void): void {
    const subscriber = (this.subscriber = this.redis.subscriber('rooms'));
    subscriber.on('smessage', (_channel: string, text: string) => {
      // Our own echo is told by its first characters, before anything is parsed.
      if (!text.startsWith(this.node)) onMessage(JSON.parse(text.slice(this.node.length)) as BusMessage);
    });
    // Sharded subscriptions are made again by hand: ioredis restores them only per channel list it knows.
    subscriber.on('ready', () => {
      for (const room of this.rooms) void this.send(room);
    });
    void subscriber.connect().catch(() => undefined);
  }

  /** Answers when the node listens, or at once when Redis is away: the head check finds what is missed. */
  async join(room: string): Promise<void> {
    this.rooms.add(room);
    await this.send(room);
  }

  leave(room: string): void {
    this.rooms.delete(room);
    if (this.subscriber?.status === 'ready') void this.subscriber.sunsubscribe(channelOf(room)).catch(() => undefined);
  }

  /** Nobody else listens: what is said to all is not sent, questions are asked and answered nevertheless. */
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

  sendPresence(room: string, state: PresenceState | null): void {
    const { node } = this;
    this.outOf(room).presence.push(state === null ? { kind: 'presence_query', node, room } : { kind: 'presence', node, state });
  }

  private outOf(room: string): Outgoing {
    if (this.outbox.size === 0) setImmediate(() => this.flush());
    let outgoing = this.outbox.get(room);
    if (outgoing === undefined) this.outbox.set(room, (outgoing = { events: [], frames: [], presence: [] }));
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

  private packed(outbox: ReadonlyMap<string, Outgoing>): [channel: string, text: string][] {
    const messages: [channel: string, text: string][] = [];
    const add = (room: string, message: BusMessage): void => {
      this.metrics.busMessages.inc({ kind: message.kind });
      messages.push([channelOf(room), this.node + JSON.stringify(message)]);
    };
    for (const [room, { events, frames, presence }] of outbox) {
      if (events.length > 0) add(room, { kind: 'events', events });
      if (frames.length > 0) add(room, { kind: 'transient', frames });
      for (const message of presence) add(room, message);
    }
    return messages;
  }

  private async send(room: string): Promise<void> {
    if (this.subscriber?.status !== 'ready') return;
    await Promise.race([this.subscriber.ssubscribe(channelOf(room)).catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 500).unref())]);
  }

  onModuleDestroy(): void {
    this.subscriber?.disconnect();
  }
}
