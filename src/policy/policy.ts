/**
 * The one question REST and WebSocket ask: may this principal do this in that room, as things are
 * now? A denial from remembered facts is read again from Postgres once before it is spoken, so a
 * right that was just given is seen at once.
 */
import { Injectable } from '@nestjs/common';
import type { Principal } from '../sessions/principal.js';
import { decideRoom } from './decide-room.js';
import type { ActionTarget, Allow, RoomAction } from './decide-room.js';
import { Decisions } from './decisions.js';
import type { Facts } from './facts.js';
import { MembershipCache } from './membership-cache.js';

@Injectable()
export class Policy {
  constructor(
    private readonly cache: MembershipCache,
    private readonly decisions: Decisions,
  ) {}

  /** Refuses with the ladder's code and a `decision_id`. */
  async authorize(
    principal: Principal,
    room: string,
    action: RoomAction,
    target?: ActionTarget,
  ): Promise<Allow> {
    const remembered = this.cache.peek(principal.tenantId, room, principal.userId);
    if (remembered !== undefined) {
      const decision = decideRoom(principal.userId, remembered, action, target);
      if (decision.allow) return decision;
    }
    return this.authorizeFromDatabase(principal, room, action, target);
  }

  /**
   * The same from Postgres: after `stale`, when the remembered facts were older than the commit.
   */
  async authorizeFromDatabase(
    principal: Principal,
    room: string,
    action: RoomAction,
    target?: ActionTarget,
  ): Promise<Allow> {
    const facts = await this.cache.load(principal.tenantId, room, principal.userId);
    const decision = decideRoom(principal.userId, facts, action, target);
    if (decision.allow) return decision;
    return this.decisions.refuse(principal, room, action, decision, facts);
  }

  /**
   * The same from memory, within one synchronous step: null when the facts are not at hand or the
   * answer is no. A caller that acts on an `authorize` after an `await` asks this first and goes
   * back to `authorize` on null.
   */
  authorizeCached(
    principal: Principal,
    room: string,
    action: RoomAction,
    target?: ActionTarget,
  ): Allow | null {
    const facts = this.cache.peek(principal.tenantId, room, principal.userId);
    if (facts === undefined) return null;
    const decision = decideRoom(principal.userId, facts, action, target);
    return decision.allow ? decision : null;
  }

  /** Facts from memory or Postgres, without a decision: for `access` frames and explanations. */
  async facts(principal: Principal, room: string): Promise<Facts> {
    return (
      this.cache.peek(principal.tenantId, room, principal.userId) ??
      (await this.cache.load(principal.tenantId, room, principal.userId))
    );
  }
}
