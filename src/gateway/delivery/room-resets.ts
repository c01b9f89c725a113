/**
 * A room whose past was replaced in Postgres: it gets a new epoch, once on all nodes; its channel
 * goes on where both pasts are the same; every subscriber is told `reset`; what was acknowledged
 * and is gone is named in the audit and in the log.
 */
import { Injectable, Logger } from '@nestjs/common';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Metrics } from '../../platform/metrics.js';
import { RoomEpochs } from '../../rooms/events/room-epochs.js';
import type { CommonPast } from '../../rooms/events/room-epochs.js';
import type { ChangedHead } from '../../rooms/events/history.js';
import { CatchUp } from './catch-up.js';
import { Channels } from './channels.js';
import type { RoomChannel } from './room-channel.js';
import { SubscriptionRights } from './subscription-rights.js';
import type { Range } from './room-channel.js';

@Injectable()
export class RoomResets {
  private readonly logger = new Logger(RoomResets.name);
  private readonly running = new Map<RoomChannel, Promise<void>>();

  constructor(
    private readonly channels: Channels,
    private readonly rights: SubscriptionRights,
    private readonly catchUp: CatchUp,
    private readonly epochs: RoomEpochs,
    private readonly audit: AuditTrail,
    private readonly metrics: Metrics,
  ) {
    channels.onReplaced = (channel, head) => this.reset(channel, head);
  }

  /** A caller that asks meanwhile waits for the one under way. */
  private async reset(channel: RoomChannel, { roomEpoch, whole }: ChangedHead): Promise<void> {
    let running = this.running.get(channel);
    if (running === undefined) {
      if (whole && roomEpoch !== null && !channel.pastEpochs.has(roomEpoch))
        return this.rename(channel, roomEpoch);
      running = this.compare(channel).finally(() => this.running.delete(channel));
      this.running.set(channel, running);
    }
    return running;
  }

  /**
   * The usual case after the authority log was replaced: nothing that this node knows of the room
   * is lost.
   */
  private rename(channel: RoomChannel, roomEpoch: string): void {
    channel.rename(roomEpoch);
    this.metrics.roomResets.inc();
    for (const subscription of [...channel.subscriptions])
      this.catchUp.startAnew(subscription, null, Infinity);
  }

  private async compare(channel: RoomChannel): Promise<void> {
    const { seq } = channel.known;
    const lowerEpoch = channel.compareEpoch();
    const past = await this.readPast(channel);
    if (past === null) return this.gone(channel);
    if (past.roomEpoch === channel.roomEpoch) return;
    lowerEpoch(past.epoch);
    this.startAnew(channel, past, seq);
    await channel.repair();
  }

  /**
   * A node that sees an epoch that it knew before sees a past that went back further: nobody may go
   * on with that name.
   */
  private async readPast(channel: RoomChannel): Promise<CommonPast | null> {
    const remembered = channel.remembered();
    const { seq } = channel.known;
    let past = await this.epochs.commonPast(channel.id, remembered);
    const isKnown =
      past !== null &&
      (channel.pastEpochs.has(past.roomEpoch) ||
        (past.roomEpoch === channel.roomEpoch && past.kept < seq));
    if (isKnown) {
      await this.epochs.renew(channel.id, past!.roomEpoch);
      past = await this.epochs.commonPast(channel.id, remembered);
    }
    return past;
  }

  /**
   * Synchronous: nobody hears anything between the two pasts. `asked`: the last seq that was
   * compared.
   */
  private startAnew(channel: RoomChannel, past: CommonPast, asked: number): void {
    if (past.kept === asked) return this.rename(channel, past.roomEpoch);
    const lost = { from: past.kept + 1, to: channel.known.seq };
    channel.restart(past.start, past.roomEpoch);
    this.metrics.roomResets.inc();
    this.name(channel, lost, past.roomEpoch, past.tenantId);
    for (const subscription of [...channel.subscriptions])
      this.catchUp.startAnew(subscription, lost, past.kept);
  }

  private gone(channel: RoomChannel): void {
    const { seq } = channel.known;
    this.metrics.roomResets.inc();
    if (seq > 0) this.name(channel, { from: 1, to: seq }, null, null);
    for (const subscription of [...channel.subscriptions])
      this.rights.revoke(subscription, 'not_found');
  }

  private name(
    channel: RoomChannel,
    { from, to }: Range,
    epoch: string | null,
    tenant: string | null,
  ): void {
    this.metrics.roomEventsLost.inc(to - from + 1);
    this.logger.error({
      msg: 'acknowledged room events are lost',
      room: channel.id,
      from,
      to,
      epoch,
    });
    this.audit.note({
      event: 'room_events_lost',
      tenant,
      actor: null,
      detail: { room: channel.id, from, to, epoch },
    });
  }
}
