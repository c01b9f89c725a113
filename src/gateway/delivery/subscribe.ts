/** SUBSCRIBE: decided and inserted in one synchronous step; then `catch-up.ts` replays. */
import { Injectable } from '@nestjs/common';
import type { ClientFrames, ServerFrames } from '@wardroom/protocol';
import { LIMITS } from '@wardroom/protocol/limits';
import { Lease } from '../../authority/lease/lease.js';
import { Config } from '../../platform/config/config.js';
import { DomainError } from '../../platform/errors.js';
import { rightsIn } from '../../policy/decide-room.js';
import type { Allow } from '../../policy/decide-room.js';
import type { Facts } from '../../policy/facts.js';
import { Policy } from '../../policy/policy.js';
import type { Connection } from '../connection/connection.js';
import { CatchUp } from './catch-up.js';
import { Channels } from './channels.js';
import type { RoomChannel } from './room-channel.js';
import { basisOf } from './subscription-rights.js';
import type { Subscription } from './room-channel.js';
import { Subscriptions } from './subscriptions.js';

const DECIDE_AGAIN_MAX = 10;

@Injectable()
export class Subscribe {
  constructor(
    private readonly config: Config,
    private readonly channels: Channels,
    private readonly policy: Policy,
    private readonly lease: Lease,
    private readonly subscriptions: Subscriptions,
    private readonly catchUp: CatchUp,
  ) {}

  async subscribe(
    connection: Connection,
    frame: ClientFrames['subscribe'],
    granted: Allow,
  ): Promise<undefined> {
    const { subscription, facts } = await this.insert(connection, frame, granted);
    const { channel } = subscription;
    connection.timeline.subscribed(connection.ageMs, channel.id);
    const since = frame.since ?? channel.lastSeq;
    // A client may know an event that is committed and not fanned out yet: its `since` is not too
    // high.
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
    this.catchUp.start(subscription);
  }

  unsubscribe(connection: Connection, roomId: string): void {
    const subscription = this.subscriptions.of(connection).get(roomId);
    if (subscription === undefined) return;
    this.subscriptions.remove(subscription);
    connection.timeline.unsubscribed(connection.ageMs, roomId, 'client');
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
        // The position of the client is compared with the events stored now, not with this node's
        // memory.
        if (since !== undefined && channel.subscriptions.size > 0)
          await this.channels.isCurrent(channel);
        // Only an answer that is true in this very step may insert.
        let now = this.policy.authorizeCached(connection.principal, room, 'subscribe');
        if (now === null || now.room.epoch < channel.epoch) {
          granted = await this.policy.authorizeFromDatabase(
            connection.principal,
            room,
            'subscribe',
          );
          now = this.policy.authorizeCached(connection.principal, room, 'subscribe');
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
    this.lease.require();
    if (connection.state !== 'live' || connection.pastExpiry)
      throw new DomainError('token_expired');
    const rooms = this.subscriptions.of(connection);
    if (!rooms.has(channel.id) && rooms.size >= this.config.subscriptionsMax)
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
    this.subscriptions.add(subscription);
    return subscription;
  }
}
