/**
 * Every frame that acts passes here: lease, expiry, rate, then the policy, with the facts as they
 * are now.
 */
import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { ClientFrame, ClientFrameType } from '@wardroom/protocol';
import { FRAME_BUDGETS, isOfPrincipal } from '../../budgets/budgets.js';
import type { PrincipalBucket } from '../../budgets/budgets.js';
import { PrincipalRates } from '../../budgets/principal-rates.js';
import { LeaseRounds } from '../../authority/lease/lease-rounds.js';
import { Lease } from '../../authority/lease/lease.js';
import { monotonicMs } from '../../platform/clock.js';
import { DomainError } from '../../platform/errors.js';
import type { RoomAction } from '../../policy/decide-room.js';
import { Policy } from '../../policy/policy.js';
import { RoomEvents } from '../../rooms/events/room-events.js';
import { SessionActivity } from '../../sessions/session-activity.js';
import type { Connection } from '../connection/connection.js';
import type { FrameRequest } from '../connection/frame-request.js';

/**
 * The action to authorize for each frame; null: the frame acts on no room that it names.
 */
const ACTION_OF: Record<ClientFrameType, RoomAction | null> = {
  auth: null,
  auth_refresh: null,
  ping: null,
  unsubscribe: null,
  watch: null,
  subscribe: 'subscribe',
  presence: 'presence',
  read: 'mark_read',
  publish: 'publish',
  signal: 'signal',
  typing: 'typing',
  react: 'react',
  edit: 'edit',
  delete: 'delete',
};

@Injectable()
export class FrameGuard implements CanActivate {
  constructor(
    private readonly rates: PrincipalRates,
    private readonly lease: Lease,
    private readonly rounds: LeaseRounds,
    private readonly policy: Policy,
    private readonly events: RoomEvents,
    private readonly activity: SessionActivity,
  ) {}

  /** In one step where lease and facts are at hand: nothing is waited for that need not be. */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const [connection, request] = context.getArgs<[Connection, FrameRequest]>();
    if (request.frame.type === 'ping') return true;
    const nowMs = monotonicMs();
    return this.lease.isFenced(nowMs)
      ? this.rounds.prove().then(() => this.admit(connection, request, monotonicMs()))
      : this.admit(connection, request, nowMs);
  }

  private admit(
    connection: Connection,
    request: FrameRequest,
    nowMs: number,
  ): boolean | Promise<boolean> {
    const { frame } = request;
    if (connection.state !== 'live' || connection.pastExpiryAt(nowMs))
      throw new DomainError('token_expired');
    this.activity.touch(connection.principal.sessionId);
    const { bucket, cost } = FRAME_BUDGETS[frame.type];
    if (isOfPrincipal(bucket)) this.spend(connection, bucket, cost, nowMs);
    const action = ACTION_OF[frame.type];
    if (action === null || !('room' in frame)) return true;
    if (frame.type !== 'edit' && frame.type !== 'delete') {
      const granted = this.policy.authorizeCached(connection.principal, frame.room, action);
      if (granted !== null) {
        request.granted = granted;
        return true;
      }
    }
    return this.ask(connection, request, frame, action);
  }

  /** The question may take a while: its answer counts only for a connection that may still act. */
  private async ask(
    connection: Connection,
    request: FrameRequest,
    frame: Extract<ClientFrame, { room: string }>,
    action: RoomAction,
  ): Promise<boolean> {
    const target =
      frame.type === 'edit' || frame.type === 'delete'
        ? { author: await this.events.authorOf(connection.principal, frame.room, frame.message_id) }
        : undefined;
    request.granted = await this.policy.authorize(connection.principal, frame.room, action, target);
    this.lease.require();
    if (connection.state !== 'live' || connection.pastExpiry)
      throw new DomainError('token_expired');
    return true;
  }

  private spend(
    connection: Connection,
    bucket: PrincipalBucket,
    cost: number,
    nowMs: number,
  ): void {
    const inbox = connection.inbox!;
    let { rates } = inbox;
    if (rates === null || rates.forgotten)
      rates = inbox.rates = this.rates.of(connection.principal.userId, nowMs);
    this.rates.spend(rates, bucket, cost, nowMs);
  }
}
