/**
 * DELIVER: decides when sockets are written. The events of one turn of the event loop leave
 * together: the fan-outs of its rooms, then the queues of connections. In slices, each after a
 * check of the clocks, so that a room of thousands delays neither timers nor other rooms.
 */
import { Injectable } from '@nestjs/common';
import { LeaseRounds } from '../../../authority/lease/lease-rounds.js';
import { monotonicMs } from '../../../platform/clock.js';
import type { Connection } from '../../connection/connection.js';
import { ConnectionRegistry } from '../../connection/connection-registry.js';
import { FanOutThrottle } from './fan-out-throttle.js';
import type { FanOut } from './fan-out.js';
import type { RoomChannel } from '../room-channel.js';

/** Sockets written before the event loop is let go on. */
const SLICE = 256;

@Injectable()
export class FlushScheduler {
  private waitingRooms: RoomChannel[] = [];
  private waitingConnections: Connection[] = [];
  private scheduled = false;
  /** Rooms of the present turn whose fan-out is still to come, the first one last. */
  private rooms: RoomChannel[] = [];
  /** Several rooms speak in this turn. */
  private joins = false;
  /** Connections on which rooms of this turn have queued. */
  private joined: Connection[] = [];

  /** Made once: a message at a time is a turn each. */
  private readonly turn = (): void => this.slice(this.rounds.beat());

  constructor(
    private readonly rounds: LeaseRounds,
    connections: ConnectionRegistry,
  ) {
    connections.flushBy((connection) => this.wantsFlush(connection));
  }

  /** At the end of this turn, once for all that asked. */
  wantsFanOut(room: RoomChannel): void {
    if (room.fanOutAsked) return;
    room.fanOutAsked = true;
    this.waitingRooms.push(room);
    this.schedule();
  }

  wantsFlush(connection: Connection): void {
    this.waitingConnections.push(connection);
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.turn);
  }

  /** The rest of something larger. */
  private later(work: () => void): void {
    setImmediate(() => {
      this.rounds.beat();
      work();
    });
  }

  /**
   * Fan-outs, then the queues of connections. Frames of several rooms for one connection leave in
   * one write after the last of these rooms; rooms that come meanwhile belong to the next turn.
   */
  private slice(nowMs: number): void {
    const own = this.takeConnections();
    if (this.rooms.length === 0) this.begin();
    this.fanOuts(nowMs);
    for (const connection of this.takeConnections()) this.joined.push(connection);
    this.write(own);
    if (this.rooms.length === 0) {
      this.write(this.joined);
      this.joined = [];
    }
    this.scheduled = false;
    if (this.rooms.length + this.waitingRooms.length + this.waitingConnections.length > 0)
      this.schedule();
  }

  private begin(): void {
    this.rooms = this.waitingRooms.reverse();
    this.waitingRooms = [];
    this.joins = this.rooms.length > 1;
  }

  private fanOuts(nowMs: number): void {
    for (let deliveries = 0; deliveries < SLICE && this.rooms.length > 0;) {
      const room = this.rooms.pop()!;
      room.fanOutAsked = false;
      if (!this.rests(room, nowMs)) deliveries += this.fanOut(room, nowMs);
    }
  }

  /**
   * To the first slice of a room now; a larger one goes on in slices of its own, and rests
   * afterwards. Answers to how many.
   */
  private fanOut(room: RoomChannel, nowMs: number): number {
    const { waiting } = room;
    const fanOut = room.take(nowMs);
    if (fanOut === null) return 0;
    const { size } = fanOut;
    const pace = size > SLICE ? (room.pace ??= new FanOutThrottle()) : null;
    pace?.begin(nowMs, waiting);
    this.deliver(room, fanOut, this.joins, pace);
    return Math.min(size, SLICE);
  }

  private deliver(
    room: RoomChannel,
    fanOut: FanOut,
    joins: boolean,
    pace: FanOutThrottle | null,
  ): void {
    if (fanOut.deliver(SLICE, joins)) {
      this.later(() => this.deliver(room, fanOut, joins, pace));
    } else if (pace !== null) {
      pace.end(monotonicMs(), room.waiting);
      if (room.waiting > 0) this.wantsFanOut(room);
    }
  }

  /** True: it comes again by itself. */
  private rests(room: RoomChannel, nowMs: number): boolean {
    const waitMs = room.pace?.waitMs(nowMs, room.waiting) ?? 0;
    if (waitMs === 0) return false;
    if (waitMs !== Infinity)
      room.restTimer ??= setTimeout(() => this.wake(room), Math.ceil(waitMs)).unref();
    return true;
  }

  private wake(room: RoomChannel): void {
    room.restTimer = null;
    if (room.waiting > 0) this.wantsFanOut(room);
  }

  private write(connections: readonly Connection[], from = 0): void {
    if (from === connections.length) return;
    const to = Math.min(from + SLICE, connections.length);
    for (let i = from; i < to; i += 1) connections[i]!.flush();
    if (to < connections.length) this.later(() => this.write(connections, to));
  }

  private takeConnections(): Connection[] {
    const connections = this.waitingConnections;
    this.waitingConnections = [];
    return connections;
  }
}
