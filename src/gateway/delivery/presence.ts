/**
 * Users present in a room, over all nodes. Each node sends its whole state when it changes (at most
 * once a second), every 15 s if there are other nodes, and whenever it is asked. The state of a
 * node is forgotten by the first sweep after 32 s. Nothing is stored. Clients get deltas; above 200
 * present only a count, the more seldom the larger the crowd.
 */
import { Injectable } from '@nestjs/common';
import { LIMITS } from '@wardroom/protocol/limits';
import type { ServerFrames } from '@wardroom/protocol';
import { monotonicMs } from '../../platform/clock.js';
import type { BusMessage, PresenceState } from './bus-message.js';
import { RoomBus } from './room-bus.js';
import { Channels } from './channels.js';
import { encodeTextFrame } from '../connection/socket/frame-encoder.js';
import type { RoomChannel } from './room-channel.js';
import { TICK_MS, Ticks } from '../ticks.js';

/** A room is told at most that often. */
const TELL_MS = 1_000;
/**
 * A count costs a delivery for each who is there: a crowd hears it as often as this many deliveries
 * a second allow.
 */
const COUNTS_PER_SECOND = 1_000;
/**
 * Rooms have their turn at different moments: what many of them have to tell at once would hold up
 * everybody else.
 */
const PHASES = TELL_MS / TICK_MS;
/** A sweep comes by every room in this time. */
const TELL_AGAIN_MS = 15_000;
const SWEPT_AT_ONCE = 16;
/**
 * Two of its messages are overdue by then. With a sweep and a push it is less than two heartbeats
 * of a connection (contract section 8).
 */
const FORGET_MS = 32_000;
/** Long enough for the other nodes to answer. */
const LISTEN_MS = 200;

interface RoomPresence {
  remote: Map<string, PresenceState & { seenMs: number }>;
  /** The presence that the clients of this node got last. */
  told: View;
  /** Before that they are not told a count again. */
  countAgainMs: number;
  phase: number;
  /** Somebody came or went here and the other nodes were not told yet. */
  untold: boolean;
  /** When this node began to listen in the room. */
  sinceMs: number;
  /** Questions that wait for the other nodes. */
  asking: number;
}

/** Users null: too many to list. */
interface View {
  users: Set<string> | null;
  count: number;
}

@Injectable()
export class Presence {
  private readonly rooms = new Map<string, RoomPresence>();
  /** By phase. */
  private readonly changedRooms = Array.from({ length: PHASES }, () => new Set<string>());
  private phase = 0;
  /**
   * The rooms that the sweep under way has not come by yet, and how many of them are due by now.
   */
  private sweep = this.rooms.entries();
  private due = 0;

  constructor(
    private readonly channels: Channels,
    private readonly bus: RoomBus,
    private readonly ticks: Ticks,
  ) {}

  start(): void {
    this.channels.onChange = (channel) => this.changed(channel);
    this.ticks.on((nowMs) => this.tick(nowMs));
  }

  /** Somebody came or went on this node. */
  private changed(channel: RoomChannel): void {
    let room = this.rooms.get(channel.id);
    if (room === undefined) {
      const phase = Math.floor(Math.random() * PHASES);
      room = {
        remote: new Map(),
        told: { users: new Set(), count: 0 },
        countAgainMs: 0,
        phase,
        untold: false,
        sinceMs: monotonicMs(),
        asking: 0,
      };
      this.rooms.set(channel.id, room);
      this.bus.sendPresence(channel.id, null);
    }
    room.untold = true;
    this.changedRooms[room.phase]!.add(channel.id);
  }

  receive(message: Extract<BusMessage, { kind: 'presence' | 'presence_query' }>): void {
    if (message.kind === 'presence_query') {
      if (this.rooms.has(message.room))
        this.bus.sendPresence(message.room, stateOf(message.room, this.here(message.room)));
      return;
    }
    const room = this.rooms.get(message.state.room);
    if (room === undefined) return;
    if (message.state.count === 0) room.remote.delete(message.node);
    else room.remote.set(message.node, { seenMs: monotonicMs(), ...message.state });
    this.changedRooms[room.phase]!.add(message.state.room);
  }

  /**
   * The answer to `presence {room}`: all users when they can be listed. A node that is new to the
   * room asks the others first.
   */
  async ask(room: string): Promise<ServerFrames['presence']> {
    const known = this.rooms.get(room);
    if (known === undefined || monotonicMs() - known.sinceMs < LISTEN_MS) await this.listen(room);
    const { users, count } = this.view(this.here(room), this.rooms.get(room));
    this.forgetIfUnused(room);
    return { type: 'presence', room, count, ...(users === null ? {} : { users: [...users] }) };
  }

  private async listen(room: string): Promise<void> {
    const channel = await this.channels.open(room);
    this.changed(channel);
    const presence = this.rooms.get(room)!;
    presence.asking += 1;
    await new Promise((resolve) => setTimeout(resolve, LISTEN_MS));
    presence.asking -= 1;
    this.channels.closeIfEmpty(channel);
  }

  private forgetIfUnused(id: string): void {
    const room = this.rooms.get(id);
    if (
      room !== undefined &&
      room.asking === 0 &&
      (this.channels.get(id)?.subscriptions.size ?? 0) === 0
    )
      this.rooms.delete(id);
  }

  private tick(nowMs: number): void {
    this.phase = (this.phase + 1) % PHASES;
    this.goOnSweeping(nowMs);
    const changed = this.changedRooms[this.phase]!;
    this.changedRooms[this.phase] = new Set();
    for (const id of changed) {
      const room = this.rooms.get(id);
      if (room !== undefined) this.tell(id, room);
    }
  }

  /**
   * So many rooms a tick that all of them have had their turn in time; several at once, because a
   * message costs each node a wake-up.
   */
  private goOnSweeping(now: number): void {
    const { size } = this.rooms;
    this.due = Math.min(this.due + (size * TICK_MS) / TELL_AGAIN_MS, size);
    if (this.due < Math.min(SWEPT_AT_ONCE, size)) return;
    for (; this.due >= 1; this.due -= 1) {
      const { value } = this.sweep.next();
      if (value === undefined) {
        this.sweep = this.rooms.entries();
        return;
      }
      this.refresh(...value, now);
    }
  }

  /** Forgets nodes that fell silent, and tells the others what they may have missed. */
  private refresh(id: string, room: RoomPresence, now: number): void {
    for (const [node, state] of room.remote) {
      if (now - state.seenMs < FORGET_MS) continue;
      room.remote.delete(node);
      this.changedRooms[room.phase]!.add(id);
    }
    if (!this.bus.alone) this.bus.sendPresence(id, stateOf(id, this.here(id)));
  }

  private tell(id: string, room: RoomPresence): void {
    const here = this.here(id);
    // The state of another node is for the clients here. An answer with our own state would be
    // answered with theirs, for ever.
    if (room.untold && !this.bus.alone) {
      room.untold = false;
      this.bus.sendPresence(id, stateOf(id, here));
    }
    const view = this.view(here, room);
    const before = room.told;
    const channel = this.channels.get(id);
    if (here.size === 0 || channel === undefined) {
      room.told = view;
      this.forgetIfUnused(id);
      return;
    }
    if (view.users === null || before.users === null) {
      this.tellCount(channel, room, view);
      return;
    }
    room.told = view;
    const joined = [...view.users].filter((user) => !before.users!.has(user));
    const left = [...before.users].filter((user) => !view.users!.has(user));
    if (joined.length + left.length > 0)
      this.push(channel, { type: 'presence', room: id, count: view.count, joined, left });
  }

  private tellCount(channel: RoomChannel, room: RoomPresence, view: View): void {
    const now = monotonicMs();
    const changed = view.count !== room.told.count;
    if (changed && now < room.countAgainMs) {
      this.changedRooms[room.phase]!.add(channel.id);
      return;
    }
    room.told = view;
    if (!changed) return;
    room.countAgainMs = now + (channel.subscriptions.size / COUNTS_PER_SECOND) * 1000;
    this.push(channel, { type: 'presence', room: channel.id, count: view.count });
  }

  private push(channel: RoomChannel, frame: ServerFrames['presence']): void {
    channel.broadcast(encodeTextFrame(JSON.stringify(frame)));
  }

  /** Users with a subscription on this node. */
  private here(id: string): Set<string> {
    const users = new Set<string>();
    for (const subscription of this.channels.get(id)?.subscriptions ?? [])
      users.add(subscription.connection.principal.userId);
    return users;
  }

  private view(here: Set<string>, room: RoomPresence | undefined): View {
    const states = [...(room?.remote.values() ?? [])];
    if (here.size > LIMITS.presenceListed || states.some((state) => state.users === null)) {
      return { users: null, count: states.reduce((sum, state) => sum + state.count, here.size) };
    }
    const users =
      states.length === 0
        ? here
        : new Set([...here, ...states.flatMap((state) => state.users ?? [])]);
    return users.size > LIMITS.presenceListed
      ? { users: null, count: users.size }
      : { users, count: users.size };
  }
}

const stateOf = (room: string, here: Set<string>): PresenceState => ({
  room,
  users: here.size > LIMITS.presenceListed ? null : [...here],
  count: here.size,
});
