/**
 * SUBSCRIBE: decided and inserted in one synchronous step, replayed in order, then live. Every way
 * back into a room (after `since`, after grace) is the same catch-up.
 */
import { Injectable, Logger } from '@nestjs/common';
import { Lease } from '../../authority/lease.js';
import { REPLAY_HELD_BYTES, REPLAY_PIECE_BYTES } from '../../budgets/held-bytes.js';
import { Config } from '../../platform/config/config.js';
import { DomainError } from '../../platform/errors.js';
import { Metrics } from '../../platform/metrics.js';
import { rightsIn } from '../../policy/decide-room.js';
import type { Allow } from '../../policy/decide-room.js';
import { Policy } from '../../policy/policy.js';
import type { Facts } from '../../policy/facts.js';
import { UNSUBSCRIBE_CODES } from '../../protocol/codes.js';
import type { UnsubscribeCode } from '../../protocol/codes.js';
import type { ClientFrames, ServerFrames } from '../../protocol/frames.js';
import { LIMITS } from '../../protocol/limits.js';
import { History } from '../../rooms/events/history.js';
import { Channels } from './channels.js';
import type { Connection } from '../connection/connection.js';
import { encodeTextFrame } from '../connection/frame-encoder.js';
import type { RoomChannel } from './room-channel.js';
import type { Basis, Range, Subscription } from './subscription.js';

/**
 * What one piece of a replay reads from Postgres, in bodies and in bytes of them: as much as may be
 * held, whatever the size of messages.
 */
const PIECE = { events: 100, bytes: REPLAY_PIECE_BYTES };
const DECIDE_AGAIN_MAX = 10;

@Injectable()
export class Subscribe {
  private readonly logger = new Logger(Subscribe.name);
  /**
   * Replays under way, by connection and room: each alone there, however often the client
   * subscribes.
   */
  private readonly replaying = new Set<string>();
  /** The last piece that was begun for a connection. */
  private readonly pieces = new WeakMap<Connection, Promise<void>>();

  constructor(
    private readonly config: Config,
    private readonly channels: Channels,
    private readonly policy: Policy,
    private readonly history: History,
    private readonly lease: Lease,
    private readonly metrics: Metrics,
  ) {}

  async subscribe(
    connection: Connection,
    frame: ClientFrames['subscribe'],
    granted: Allow,
  ): Promise<undefined> {
    const { subscription, facts } = await this.insert(connection, frame, granted);
    const { channel } = subscription;
    const since = frame.since ?? channel.lastSeq;
    // An acknowledged event may still wait for its fan-out: who has it is not ahead of the room.
    const head = Math.min(Math.max(since, channel.lastSeq), channel.nextSeq - 1);
    const reset =
      frame.since !== undefined && frame.epoch !== undefined && frame.epoch !== channel.roomEpoch;
    const recovered = !reset && since <= head && head - since <= LIMITS.replayEvents;
    const replayed = recovered ? head - since : 0;
    subscription.deliveredSeq = recovered ? since : head;
    const answer: ServerFrames['subscribed'] = {
      type: 'subscribed',
      ...(frame.id === undefined ? {} : { id: frame.id }),
      room: channel.id,
      seq: head,
      epoch: channel.roomEpoch,
      role: subscription.role,
      can: rightsIn(facts),
      recovered,
      replayed,
      ...(reset ? { reset } : {}),
    };
    connection.send(answer);
    this.catchUp(subscription);
  }

  unsubscribe(connection: Connection, roomId: string): void {
    const subscription = connection.subscriptions.get(roomId);
    if (subscription === undefined) return;
    this.remove(subscription);
  }

  /**
   * A right was lost: out of the list first, what was not written yet is taken back, then the
   * client is told.
   */
  revoke(subscription: Subscription, code: UnsubscribeCode): void {
    this.remove(subscription);
    subscription.connection.dropQueued(subscription.channel);
    subscription.connection.send({
      type: 'unsubscribed',
      room: subscription.channel.id,
      code,
      action: UNSUBSCRIBE_CODES[code].action,
    });
  }

  /** Before a new context starts: what it may no longer read ends first. */
  async recheck(connection: Connection): Promise<void> {
    for (const subscription of [...connection.subscriptions.values()]) {
      await this.keepIfReadable(
        subscription,
        this.policy.authorize(connection.principal, subscription.channel.id, 'read'),
      );
    }
  }

  private async keepIfReadable(
    subscription: Subscription,
    authorized: Promise<Allow>,
  ): Promise<void> {
    try {
      const granted = await authorized;
      subscription.role = granted.role;
      subscription.accessBasis = basisOf(granted.facts);
    } catch (error) {
      if (!(error instanceof DomainError) || error.code !== 'not_found') throw error;
      if (!subscription.ended) this.revoke(subscription, 'removed');
    }
  }

  resumeAll(connection: Connection): void {
    for (const subscription of connection.subscriptions.values()) this.catchUp(subscription);
    connection.wake();
  }

  /** Tells a subscriber what it may do now. */
  async tellAccess(subscription: Subscription): Promise<void> {
    const { connection, channel } = subscription;
    if (!connection.authenticated) return;
    const facts = await this.policy.facts(connection.principal, channel.id);
    if (subscription.ended) return;
    subscription.role = roleOf(facts);
    subscription.accessBasis = basisOf(facts);
    connection.send({
      type: 'access',
      room: channel.id,
      role: subscription.role,
      can: rightsIn(facts),
    });
  }

  private async insert(
    connection: Connection,
    { room, since }: ClientFrames['subscribe'],
    guard: Allow,
  ): Promise<{ subscription: Subscription; facts: Facts }> {
    let granted = guard;
    for (let attempt = 0; attempt < DECIDE_AGAIN_MAX; attempt += 1) {
      const channel: RoomChannel = await this.channels.open(granted.room.id);
      try {
        // What the client has is compared with what is stored now, not with what this node
        // remembers.
        if (since !== undefined && channel.subscriptions.size > 0)
          await this.channels.isCurrent(channel);
        // Only an answer that is true in this very step may insert.
        let now = this.policy.authorizeCached(connection.principal, room, 'read');
        if (now === null || now.room.epoch < channel.epoch) {
          granted = await this.policy.authorizeFromDatabase(connection.principal, room, 'read');
          now = this.policy.authorizeCached(connection.principal, room, 'read');
        } else granted = now;
        if (
          now === null ||
          now.room.id !== channel.id ||
          now.room.epoch < channel.epoch ||
          this.channels.get(channel.id) !== channel
        )
          continue;
        return { subscription: this.insertNow(connection, channel, now), facts: now.facts };
      } finally {
        this.channels.closeIfEmpty(channel);
      }
    }
    throw new DomainError('overloaded', {
      detail: 'the room changes faster than its facts can be read',
    });
  }

  private insertNow(connection: Connection, channel: RoomChannel, granted: Allow): Subscription {
    this.lease.requireLease();
    if (connection.state !== 'live' || connection.pastExpiry)
      throw new DomainError('token_expired');
    const before = connection.subscriptions.get(channel.id);
    if (before === undefined && connection.subscriptions.size >= this.config.subscriptionsMax)
      throw new DomainError('too_many_subscriptions');
    const subscription: Subscription = {
      connection,
      deliveredSeq: channel.lastSeq,
      lastFanOut: 0,
      channel,
      role: granted.role,
      accessBasis: basisOf(granted.facts),
      live: false,
      catchingUp: false,
      ended: false,
      roomEpoch: channel.roomEpoch,
      lost: null,
      index: -1,
    };
    this.channels.add(subscription);
    connection.subscriptions.set(channel.id, subscription);
    if (before !== undefined) this.channels.remove(before);
    return subscription;
  }

  private remove(subscription: Subscription): void {
    const { connection, channel } = subscription;
    if (connection.subscriptions.get(channel.id) === subscription)
      connection.subscriptions.delete(channel.id);
    this.channels.remove(subscription);
  }

  private catchUp(subscription: Subscription): void {
    if (subscription.live || subscription.catchingUp || subscription.ended) return;
    this.tellIfReset(subscription);
    if (subscription.deliveredSeq >= subscription.channel.lastSeq) {
      subscription.channel.goLive(subscription);
      return;
    }
    subscription.catchingUp = true;
    const { connection, channel } = subscription;
    const key = connection.id + channel.id;
    // The one under way is over when its next piece is due, and begins this one.
    if (this.replaying.has(key)) return;
    this.replaying.add(key);
    void this.replay(subscription, key);
  }

  /**
   * The room has another past: its subscriber is told before anything of that past, and goes on
   * where both are the same. One that is held for another reason is told when it comes back, one
   * that is replaying by its replay.
   */
  startAnew(subscription: Subscription, lost: Range | null, start: number): void {
    const { live } = subscription;
    subscription.channel.hold(subscription);
    subscription.deliveredSeq = Math.min(subscription.deliveredSeq, start);
    const before = subscription.lost;
    if (lost !== null)
      subscription.lost =
        before === null
          ? lost
          : { from: Math.min(before.from, lost.from), to: Math.max(before.to, lost.to) };
    if (live && subscription.connection.state === 'live') this.catchUp(subscription);
  }

  private tellIfReset(subscription: Subscription): void {
    const { channel, connection, lost } = subscription;
    if (subscription.roomEpoch === channel.roomEpoch) return;
    subscription.roomEpoch = channel.roomEpoch;
    subscription.lost = null;
    if (channel.lastSeq - subscription.deliveredSeq > LIMITS.replayEvents)
      subscription.deliveredSeq = channel.lastSeq;
    connection.send({
      type: 'reset',
      room: channel.id,
      epoch: channel.roomEpoch,
      seq: subscription.deliveredSeq,
      ...(lost === null ? {} : { lost }),
    });
  }

  /**
   * Pieces until the channel is reached. Each piece checks again that it may be sent, and that it
   * is of the room's present past. The end and its bookkeeping are one synchronous step: whoever
   * asks for a catch-up later starts a new one.
   */
  private async replay(subscription: Subscription, key: string): Promise<void> {
    const { connection, channel } = subscription;
    try {
      for (;;) {
        this.tellIfReset(subscription);
        if (subscription.deliveredSeq < channel.lastSeq) await this.sendPiece(subscription);
        else if (this.mayRead(subscription)) break;
        else
          await this.keepIfReadable(
            subscription,
            this.policy.authorizeFromDatabase(connection.principal, channel.id, 'read'),
          );
        if (subscription.ended || connection.state !== 'live') return;
      }
      channel.goLive(subscription);
    } catch (error) {
      this.logger.warn({
        msg: 'replay failed',
        connection: connection.id,
        error: (error as Error).message,
      });
      connection.end('internal', 1_000);
    } finally {
      this.replaying.delete(key);
      subscription.catchingUp = false;
      const next = connection.subscriptions.get(channel.id);
      if (next?.catchingUp === true) {
        next.catchingUp = false;
        if (connection.state === 'live') this.catchUp(next);
      }
    }
  }

  /**
   * The rights may have changed since the last piece was read: a reload of the node drops what it
   * remembered.
   */
  private mayRead({ connection, channel }: Subscription): boolean {
    const granted = this.policy.authorizeCached(connection.principal, channel.id, 'read');
    return granted !== null && granted.room.epoch >= channel.epoch;
  }

  /** From memory where that is true, else from Postgres. */
  private async sendPiece(subscription: Subscription): Promise<void> {
    const { connection, channel } = subscription;
    const { roomEpoch } = channel;
    await this.untilTaken(connection);
    const fromTail = await this.tailIsTrue(subscription);
    if (subscription.ended || connection.state !== 'live') return;
    if (channel.roomEpoch !== roomEpoch || (fromTail && this.sendFromTail(subscription))) return;
    const done = await this.turnToRead(connection);
    try {
      if (subscription.ended || connection.state !== 'live' || channel.roomEpoch !== roomEpoch)
        return;
      this.metrics.replayReads.inc({ from: 'postgres' });
      const upTo = channel.lastSeq;
      const events = await this.history.replay(
        connection.principal,
        channel.id,
        subscription.deliveredSeq,
        upTo,
        PIECE,
      );
      // Asked after the reading: what was read is of the past that the channel has.
      await this.channels.isCurrent(channel);
      if (subscription.ended) return;
      if (events === null) return this.revoke(subscription, 'removed');
      for (const event of events) {
        if (event.epoch > channel.epoch) await this.lease.round();
        if (subscription.ended || connection.state !== 'live' || channel.roomEpoch !== roomEpoch)
          return;
        connection.queue(encodeTextFrame(event.frame), channel);
        subscription.deliveredSeq = event.seq;
      }
      // Nothing is left up to there.
      if (events.length === 0 && channel.roomEpoch === roomEpoch) subscription.deliveredSeq = upTo;
    } finally {
      done();
    }
  }

  /** A client that does not read costs no more: nothing is read for it, however often it asks. */
  private async untilTaken(connection: Connection): Promise<void> {
    if (connection.heldBytes > REPLAY_HELD_BYTES) await connection.drained();
  }

  /**
   * Of all replays of a connection one reads at a time, and when what was read before is on its
   * way. Answers what ends the turn.
   */
  private async turnToRead(connection: Connection): Promise<() => void> {
    const before = this.pieces.get(connection);
    let done = (): void => undefined;
    this.pieces.set(connection, new Promise((resolve) => (done = resolve)));
    await before;
    await this.untilTaken(connection);
    return done;
  }

  /** Nothing was committed before this call that the tail does not show as it is. */
  private async tailIsTrue({ channel, deliveredSeq }: Subscription): Promise<boolean> {
    if (!channel.tail.covers(deliveredSeq)) await channel.tail.fill(deliveredSeq);
    return channel.tail.covers(deliveredSeq) && this.channels.isCurrent(channel);
  }

  /** A piece from memory, decided and queued in one step. False: Postgres has to be asked. */
  private sendFromTail(subscription: Subscription): boolean {
    const { connection, channel } = subscription;
    const granted = this.policy.authorizeCached(connection.principal, channel.id, 'read');
    if (
      granted === null ||
      granted.room.epoch < channel.epoch ||
      this.lease.fenced ||
      !channel.tail.covers(subscription.deliveredSeq)
    )
      return false;
    // Replays of other rooms have filled the queue meanwhile.
    if (connection.heldBytes > REPLAY_HELD_BYTES) return true;
    this.metrics.replayReads.inc({ from: 'tail' });
    for (const event of channel.tail.after(subscription.deliveredSeq, channel.lastSeq)) {
      connection.queue(encodeTextFrame(event.frame), channel);
      subscription.deliveredSeq = event.seq;
      if (connection.heldBytes > REPLAY_HELD_BYTES) break;
    }
    return true;
  }
}

function roleOf({ member, user, room }: Facts) {
  return user.role === 'admin' && room?.visibility !== 'direct' ? 'owner' : member.role;
}

/** The weakest reason that holds: the one whose loss has to end the subscription. */
function basisOf({ member, room }: Facts): Basis {
  if (member.role !== null) return 'member';
  return room?.visibility === 'public' ? 'public' : 'admin';
}
