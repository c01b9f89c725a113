/** Rights of subscriptions that exist: asked again, announced to the client, ended when lost. */
import { Injectable } from '@nestjs/common';
import type { ErrorCode } from '@wardroom/protocol/codes';
import { UNSUBSCRIBE_CODES } from '@wardroom/protocol/codes';
import type { UnsubscribeCode } from '@wardroom/protocol/codes';
import { DomainError } from '../../platform/errors.js';
import { ownsRooms, rightsIn } from '../../policy/decide-room.js';
import type { Allow } from '../../policy/decide-room.js';
import type { Facts } from '../../policy/facts.js';
import { Policy } from '../../policy/policy.js';
import type { Connection } from '../connection/connection.js';
import type { Basis, Subscription } from './room-channel.js';
import { Subscriptions } from './subscriptions.js';

/** Refusals of `subscribe` that end a subscription. */
const ENDS: ReadonlySet<ErrorCode> = new Set(['not_found', 'scope_required']);

@Injectable()
export class SubscriptionRights {
  constructor(
    private readonly subscriptions: Subscriptions,
    private readonly policy: Policy,
  ) {}

  /**
   * A right was lost. The subscription leaves the list first; frames not written yet are dropped;
   * then the client receives `unsubscribed`.
   */
  revoke(subscription: Subscription, code: UnsubscribeCode): void {
    const { connection, channel } = subscription;
    this.subscriptions.remove(subscription);
    connection.timeline.unsubscribed(connection.ageMs, channel.id, code);
    connection.dropQueued(channel.key);
    connection.send({
      type: 'unsubscribed',
      room: channel.id,
      code,
      action: UNSUBSCRIBE_CODES[code].action,
    });
  }

  /** Asks the policy again about every room of a connection, and ends what it may not read. */
  async recheck(connection: Connection): Promise<void> {
    for (const subscription of [...this.subscriptions.of(connection).values()]) {
      await this.keepIfReadable(
        subscription,
        this.policy.authorize(connection.principal, subscription.channel.id, 'subscribe'),
      );
    }
  }

  /** Ends the subscription when the answer is that the room may not be read. */
  async keepIfReadable(subscription: Subscription, authorized: Promise<Allow>): Promise<void> {
    try {
      const granted = await authorized;
      subscription.role = granted.role;
      subscription.accessBasis = basisOf(granted.facts);
    } catch (error) {
      if (!(error instanceof DomainError) || !ENDS.has(error.code)) throw error;
      if (!subscription.ended) this.revoke(subscription, 'removed');
    }
  }

  /** Sends a subscriber what it may do now. */
  async sendAccess(subscription: Subscription): Promise<void> {
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
}

function roleOf({ member, user, room }: Facts) {
  return ownsRooms(user.role) && room?.visibility !== 'direct' ? 'owner' : member.role;
}

/** The weakest reason that holds: the one whose loss has to end the subscription. */
export function basisOf({ member, room }: Facts): Basis {
  if (member.role !== null) return 'member';
  return room?.visibility === 'public' ? 'public' : 'admin';
}
