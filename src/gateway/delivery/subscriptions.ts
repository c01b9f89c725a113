/** Every subscription of this node, by connection and room. A connection itself knows no rooms. */
import { Injectable } from '@nestjs/common';
import type { Connection } from '../connection/connection.js';
import { ConnectionRegistry } from '../connection/connection-registry.js';
import { ConnectionTimers } from '../connection/timers/connection-timers.js';
import { Channels } from './channels.js';
import type { Subscription } from './room-channel.js';

const NONE: ReadonlyMap<string, Subscription> = new Map();

@Injectable()
export class Subscriptions {
  private readonly byConnection = new Map<Connection, Map<string, Subscription>>();

  constructor(
    private readonly channels: Channels,
    connections: ConnectionRegistry,
    timers: ConnectionTimers,
  ) {
    connections.onEnded((connection) => this.removeAll(connection));
    timers.onExpired((connection) => this.hold(connection));
  }

  /** By room id. A copy is needed where the loop ends subscriptions. */
  of(connection: Connection): ReadonlyMap<string, Subscription> {
    return this.byConnection.get(connection) ?? NONE;
  }

  /** Replaces the one before of the same room; the room is told of no gap between the two. */
  add(subscription: Subscription): void {
    const { connection, channel } = subscription;
    let rooms = this.byConnection.get(connection);
    if (rooms === undefined) this.byConnection.set(connection, (rooms = new Map()));
    const before = rooms.get(channel.id);
    this.channels.add(subscription);
    rooms.set(channel.id, subscription);
    if (before !== undefined) this.channels.remove(before, 'replaced');
  }

  remove(subscription: Subscription): void {
    const { connection, channel } = subscription;
    const rooms = this.byConnection.get(connection);
    if (rooms?.get(channel.id) === subscription) {
      rooms.delete(channel.id);
      if (rooms.size === 0) this.byConnection.delete(connection);
    }
    this.channels.remove(subscription, 'over');
  }

  /** Their events wait in Postgres from here. */
  private hold(connection: Connection): void {
    for (const subscription of this.of(connection).values()) this.channels.pause(subscription);
  }

  private removeAll(connection: Connection): void {
    const rooms = this.byConnection.get(connection);
    if (rooms === undefined) return;
    this.byConnection.delete(connection);
    for (const subscription of rooms.values()) this.channels.remove(subscription, 'over');
  }
}
