/**
 * SUBSCRIBE: a subscriber gets the events it lacks in order, then it is live. Every way back into a
 * room is this one: after `since`, after grace, after a reload of the node, after a `reset`.
 */
import { Injectable, Logger } from '@nestjs/common';
import { LIMITS } from '@wardroom/protocol/limits';
import { LeaseRounds } from '../../authority/lease/lease-rounds.js';
import { Lease } from '../../authority/lease/lease.js';
import { REPLAY_HELD_BYTES, REPLAY_PIECE_BYTES } from '../../budgets/held-bytes.js';
import { Metrics } from '../../platform/metrics.js';
import { Policy } from '../../policy/policy.js';
import { History } from '../../rooms/events/history.js';
import type { Connection } from '../connection/connection.js';
import { encodeTextFrame } from '../connection/socket/frame-encoder.js';
import { Channels } from './channels.js';
import { SubscriptionRights } from './subscription-rights.js';
import type { Range, Subscription } from './room-channel.js';
import { Subscriptions } from './subscriptions.js';

/**
 * The most that one piece of a replay reads from Postgres, in bodies and in bytes of them: as much
 * as may be held, for any size of messages.
 */
const PIECE = { events: 100, bytes: REPLAY_PIECE_BYTES };

@Injectable()
export class CatchUp {
  private readonly logger = new Logger(CatchUp.name);
  /**
   * Replays under way, by connection and room: each alone there, however often the client
   * subscribes.
   */
  private readonly replaying = new Set<string>();
  /** The last piece that was begun for a connection. */
  private readonly pieces = new WeakMap<Connection, Promise<void>>();

  constructor(
    private readonly channels: Channels,
    private readonly subscriptions: Subscriptions,
    private readonly rights: SubscriptionRights,
    private readonly policy: Policy,
    private readonly history: History,
    private readonly lease: Lease,
    private readonly rounds: LeaseRounds,
    private readonly metrics: Metrics,
  ) {}

  resumeAll(connection: Connection): void {
    for (const subscription of this.subscriptions.of(connection).values()) this.start(subscription);
    connection.wake();
  }

  /** Replays what the subscriber lacks, then goes live; nothing to do where it is or will be. */
  start(subscription: Subscription): void {
    if (subscription.live || subscription.catchingUp || subscription.ended) return;
    this.sendIfReset(subscription);
    if (subscription.deliveredSeq >= subscription.channel.lastSeq) {
      subscription.channel.goLive(subscription);
      return;
    }
    subscription.catchingUp = true;
    const { connection, channel } = subscription;
    const key = connection.id + channel.id;
    // A replay of the old subscription still runs; it stops at its next piece and starts this one.
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
    if (live && subscription.connection.state === 'live') this.start(subscription);
  }

  private sendIfReset(subscription: Subscription): void {
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
        this.sendIfReset(subscription);
        if (subscription.deliveredSeq < channel.lastSeq) await this.sendPiece(subscription);
        else if (this.mayRead(subscription)) break;
        else
          await this.rights.keepIfReadable(
            subscription,
            this.policy.authorizeFromDatabase(connection.principal, channel.id, 'subscribe'),
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
      const next = this.subscriptions.of(connection).get(channel.id);
      if (next?.catchingUp === true) {
        next.catchingUp = false;
        if (connection.state === 'live') this.start(next);
      }
    }
  }

  /**
   * The rights may have changed since the last piece was read: a reload of the node drops what it
   * remembered.
   */
  private mayRead({ connection, channel }: Subscription): boolean {
    const granted = this.policy.authorizeCached(connection.principal, channel.id, 'subscribe');
    return granted !== null && granted.room.epoch >= channel.epoch;
  }

  /** From memory where that is current, else from Postgres. */
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
      // Asked after the reading: the events are then of the past that the channel has.
      await this.channels.isCurrent(channel);
      if (subscription.ended) return;
      if (events === null) return this.rights.revoke(subscription, 'removed');
      for (const event of events) {
        if (event.epoch > channel.epoch) await this.rounds.round();
        if (subscription.ended || connection.state !== 'live' || channel.roomEpoch !== roomEpoch)
          return;
        connection.queue(encodeTextFrame(event.frame), channel.key);
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
    const { tail } = channel;
    const mayGo = this.mayRead(subscription) && !this.lease.isFenced();
    if (!mayGo || !tail.covers(subscription.deliveredSeq)) return false;
    // Replays of other rooms have filled the queue meanwhile.
    if (connection.heldBytes > REPLAY_HELD_BYTES) return true;
    this.metrics.replayReads.inc({ from: 'tail' });
    for (const event of tail.after(subscription.deliveredSeq, channel.lastSeq)) {
      connection.queue(encodeTextFrame(event.frame), channel.key);
      subscription.deliveredSeq = event.seq;
      if (connection.heldBytes > REPLAY_HELD_BYTES) break;
    }
    return true;
  }
}
