/**
 * Applies an authority event about rights to the subscriptions of this node, synchronously; then
 * sends their `access`.
 */
import { Injectable, Logger } from '@nestjs/common';
import { AuthorityDispatcher } from '../../authority/authority-dispatcher.js';
import type { AuthorityEvent } from '../../authority/events.js';
import { CatchUp } from './catch-up.js';
import { Channels } from './channels.js';
import { ConnectionRegistry } from '../connection/connection-registry.js';
import type { RoomChannel } from './room-channel.js';
import { SubscriptionRights } from './subscription-rights.js';
import type { Subscription } from './room-channel.js';
import { Subscriptions } from './subscriptions.js';

type EventOf<K extends AuthorityEvent['kind']> = Extract<AuthorityEvent, { kind: K }>;

const AGAIN_MS = 200;

@Injectable()
export class PolicyChanges {
  private readonly logger = new Logger(PolicyChanges.name);

  constructor(
    private readonly channels: Channels,
    private readonly connections: ConnectionRegistry,
    private readonly rights: SubscriptionRights,
    private readonly catchUp: CatchUp,
    private readonly subscriptions: Subscriptions,
    dispatcher: AuthorityDispatcher,
  ) {
    dispatcher.register('subscriptions', {
      event: (event, n) => {
        if ('onlyShown' in event && event.onlyShown === true) return;
        if (event.kind === 'member.changed') this.member(event, n);
        else if (event.kind === 'room.changed') this.room(event, n);
        else if (event.kind === 'user.changed') this.user(event);
      },
      reload: () => void this.askAnew(),
    });
  }

  /**
   * Every subscription is held in this step; each comes back only after the policy was asked again.
   */
  private async askAnew(): Promise<void> {
    const channels = [...this.channels.all()];
    for (const channel of channels)
      for (const subscription of channel.subscriptions) this.channels.pause(subscription);
    await Promise.all(channels.map((channel) => this.reposition(channel)));
    for (const connection of [...this.connections.values()]) {
      if (!connection.authenticated) continue;
      try {
        await this.rights.recheck(connection);
        if (connection.state === 'live') this.catchUp.resumeAll(connection);
      } catch (error) {
        this.logger.warn({
          msg: 'rights could not be asked anew',
          connection: connection.id,
          error: (error as Error).message,
        });
        connection.end('auth_unavailable', 5_000);
      }
    }
  }

  /**
   * Nobody in the room is served before: a Postgres that has just come back may need several tries.
   */
  private async reposition(channel: RoomChannel): Promise<void> {
    while (this.channels.get(channel.id) === channel) {
      try {
        await this.channels.reposition(channel);
        return;
      } catch (error) {
        this.logger.warn({
          msg: 'a room could not be read anew yet',
          room: channel.id,
          error: (error as Error).message,
        });
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  private member(event: EventOf<'member.changed'>, n: number | null): void {
    for (const connection of this.connections.ofUser(event.user)) {
      const subscription = this.subscriptions.of(connection).get(event.room);
      if (subscription === undefined) continue;
      if (event.banned) this.rights.revoke(subscription, 'banned');
      else if (event.role === null) this.rights.revoke(subscription, 'removed');
      else this.tell(subscription);
    }
    if (n !== null) this.channels.get(event.room)?.advanceEpoch(event.epoch);
  }

  private room(event: EventOf<'room.changed'>, n: number | null): void {
    const channel = this.channels.get(event.room);
    if (channel === undefined) return;
    for (const subscription of [...channel.subscriptions]) {
      if (event.state === 'closed') this.rights.revoke(subscription, 'room_closed');
      else if (event.visibility === 'private' && subscription.accessBasis === 'public')
        this.rights.revoke(subscription, 'not_found');
      else this.tell(subscription);
    }
    if (n !== null) channel.advanceEpoch(event.epoch);
  }

  private user(event: EventOf<'user.changed'>): void {
    for (const connection of this.connections.ofUser(event.user)) {
      for (const subscription of [...this.subscriptions.of(connection).values()]) {
        // The scopes of a service account may have changed: it asks again.
        if (
          event.role === 'service' ||
          (event.role !== 'admin' && subscription.accessBasis === 'admin')
        )
          this.rights.revoke(subscription, 'removed');
        else this.tell(subscription);
      }
    }
  }

  private tell(subscription: Subscription): void {
    this.rights
      .sendAccess(subscription)
      .catch((error: Error) =>
        this.logger.warn({ msg: 'access was not told', error: error.message }),
      );
  }
}
