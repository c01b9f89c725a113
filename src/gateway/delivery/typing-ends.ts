/**
 * Ends `typing`: `on` holds for ten seconds after the last one, and no longer than the subscription
 * or the connection it came from. The end goes to all nodes like the beginning, from the node that
 * accepted the `on`.
 */
import { Injectable } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import { LIMITS } from '@wardroom/protocol/limits';
import type { ServerFrame } from '@wardroom/protocol';
import { monotonicMs } from '../../platform/clock.js';
import { NO_SESSION } from './bus-message.js';
import { Channels } from './channels.js';
import type { Connection } from '../connection/connection.js';
import { ConnectionRegistry } from '../connection/connection-registry.js';
import type { Subscription } from './room-channel.js';

interface Typing {
  /** That said it last. */
  readonly connection: Connection;
  readonly room: string;
  readonly user: string;
  readonly untilMs: number;
}

@Injectable()
export class TypingEnds implements OnModuleDestroy {
  /** By room and user. All have the same life, so the first ends first. */
  private readonly typing = new Map<string, Typing>();
  private readonly ofConnection = new Map<Connection, Set<string>>();
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly channels: Channels,
    connections: ConnectionRegistry,
  ) {
    connections.onEnded((connection) => {
      for (const key of [...(this.ofConnection.get(connection) ?? [])]) this.end(key);
    });
    channels.onLeft = (subscription) => this.left(subscription);
  }

  /** After the frame was sent. */
  said(connection: Connection, room: string, on: boolean): void {
    const user = connection.principal.userId;
    const key = keyOf(room, user);
    this.forget(key);
    if (!on) return;
    this.typing.set(key, { connection, room, user, untilMs: monotonicMs() + LIMITS.typingMs });
    const keys = this.ofConnection.get(connection);
    if (keys === undefined) this.ofConnection.set(connection, new Set([key]));
    else keys.add(key);
    this.waitForFirst();
  }

  private left(subscription: Subscription): void {
    const { connection, channel } = subscription;
    if (!this.ofConnection.has(connection)) return;
    const key = keyOf(channel.id, connection.principal.userId);
    if (this.typing.get(key)?.connection === connection) this.end(key);
  }

  private end(key: string): void {
    const ended = this.forget(key);
    if (ended === undefined) return;
    const { room, user } = ended;
    const frame: ServerFrame = { type: 'typing', room, sender: user, on: false };
    this.channels.sendTransient({
      room,
      session: NO_SESSION,
      epoch: this.channels.get(room)?.epoch ?? 0,
      frame: JSON.stringify(frame),
    });
  }

  private forget(key: string): Typing | undefined {
    const one = this.typing.get(key);
    if (one === undefined) return undefined;
    this.typing.delete(key);
    const keys = this.ofConnection.get(one.connection)!;
    keys.delete(key);
    if (keys.size === 0) this.ofConnection.delete(one.connection);
    return one;
  }

  private waitForFirst(): void {
    if (this.timer !== null) return;
    const first = this.typing.values().next().value;
    if (first !== undefined)
      this.timer = setTimeout(
        () => this.endOld(),
        Math.max(1, Math.ceil(first.untilMs - monotonicMs())),
      ).unref();
  }

  private endOld(): void {
    this.timer = null;
    const nowMs = monotonicMs();
    for (const [key, { untilMs }] of this.typing) {
      if (untilMs > nowMs) break;
      this.end(key);
    }
    this.waitForFirst();
  }

  onModuleDestroy(): void {
    if (this.timer !== null) clearTimeout(this.timer);
  }
}

const keyOf = (room: string, user: string): string => `${room} ${user}`;
