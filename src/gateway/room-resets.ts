/**
 * A room whose past was replaced in Postgres: it gets a new epoch, once on all nodes; its channel goes on where both pasts
 * are the same; every subscriber is told `reset`; what was acknowledged and is gone is named in the audit and in the log.
 */
import { Injectable, Logger } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { Metrics } from '../platform/metrics.js';
import { RoomEpochs } from '../rooms/room-epochs.js';
import type { CommonPast } from '../rooms/room-epochs.js';
import { Channels } from './channels.js';
import type { RoomChannel } from './room-channel.js';
import { Subscribe } from './subscribe.js';
import type { Range } from './subscription.js';

@Injectable()
export class RoomResets {
  private readonly logger = new Logger(RoomResets.name);
  private readonly running = new Map<RoomChannel, Promise<void>>();

  constructor(
    private readonly channels: Channels,
    private readonly subscribe: Subscribe,
    private readonly epochs: RoomEpochs,
    private readonly audit: AuditTrail,
    private readonly metrics: Metrics,
  ) {
    channels.onReplaced = (channel) => this.reset(channel);
  }

  /** Whoever asks meanwhile waits for the one that is under way. */
  private reset(channel: RoomChannel): Promise<void> {
    let running = this.running.get(channel);
    if (running === undefined) {
      running = this.compare(channel).finally(() => this.running.delete(channel));
      this.running.set(channel, running);
    }
    return running;
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

  /** A node that sees an epoch that it knew before sees a past that went back further: nobody may go on with that name. */
  private async readPast(channel: RoomChannel): Promise<CommonPast | null> {
    const remembered = channel.remembered();
    const { seq } = channel.known;
    let past = await this.epochs.commonPast(channel.id, remembered);
    const isKnown = past !== null && (channel.pastEpochs.has(past.roomEpoch) || (past.roomEpoch === channel.roomEpoch && past.kept < seq));
    if (isKnown) {
      await this.epochs.renew(channel.id, past!.roomEpoch);
      past = await this.epochs.commonPast(channel.id, remembered);
    }
    return past;
  }

  /** Synchronous: nobody hears anything between the two pasts. `asked`: the last seq that was compared. */
  private startAnew(channel: RoomChannel, past: CommonPast, asked: number): void {
    const isLost = past.kept < asked;
    const lost = isLost ? { from: past.kept + 1, to: channel.known.seq } : null;
    if (isLost) channel.restart(past.start, past.roomEpoch);
    else channel.rename(past.roomEpoch);
    this.metrics.roomResets.inc();
    if (lost === null) this.logger.log({ msg: 'room has a new epoch', room: channel.id, epoch: past.roomEpoch });
    else this.name(channel, lost, past.roomEpoch, past.tenantId);
    for (const subscription of [...channel.subscriptions]) this.subscribe.startAnew(subscription, lost, isLost ? past.kept : Infinity);
  }

  private gone(channel: RoomChannel): void {
    const { seq } = channel.known;
    this.metrics.roomResets.inc();
    if (seq > 0) this.name(channel, { from: 1, to: seq }, null, null);
    for (const subscription of [...channel.subscriptions]) this.subscribe.revoke(subscription, 'not_found');
  }

  private name(channel: RoomChannel, { from, to }: Range, epoch: string | null, tenant: string | null): void {
    this.metrics.roomEventsLost.inc(to - from + 1);
    this.logger.error({ msg: 'acknowledged room events are lost', room: channel.id, from, to, epoch });
    this.audit.note({ event: 'room_events_lost', tenant, actor: null, detail: { room: channel.id, from, to, epoch } });
  }
}
