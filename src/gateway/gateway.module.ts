import { Module } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { BudgetsModule } from '../budgets/budgets.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { AuthorityModule } from '../authority/authority.module.js';
import { LeaseRounds } from '../authority/lease/lease-rounds.js';
import { Receipts } from '../authority/receipts.js';
import { PolicyModule } from '../policy/policy.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { StatsModule } from '../stats/stats.module.js';
import { Authenticate } from './frames/authenticate.js';
import { Channels } from './delivery/channels.js';
import { ChatGateway } from './frames/chat.gateway.js';
import { CloseLog } from './connection/ends/close-log.js';
import { ConnectionAudit } from './connection/ends/connection-audit.js';
import { ConnectionCounts } from './connection/counts/connection-counts.js';
import { Reconnects } from './connection/counts/reconnects.js';
import { ConnectionEnds } from './connection/ends/connection-ends.js';
import { ConnectionTimers } from './connection/timers/connection-timers.js';
import { ConnectionRegistry } from './connection/connection-registry.js';
import { Drain } from './handshake/drain.js';
import { FrameFilter } from './frames/frame.filter.js';
import { FrameGuard } from './frames/frame.guard.js';
import { FrameQueue } from './frames/frame-queue.js';
import { handshakeGuards } from './handshake/handshake-guards.js';
import { Handshake } from './handshake/handshake.js';
import { LiveConnections } from './live/live-connections.js';
import { NodeBus } from './live/node-bus.js';
import { NodeStatus } from './live/node-status.js';
import { PolicyChanges } from './delivery/policy-changes.js';
import { Presence } from './delivery/presence.js';
import { RoomBus } from './delivery/room-bus.js';
import { RoomResets } from './delivery/room-resets.js';
import { Strangers } from './connection/strangers.js';
import { CatchUp } from './delivery/catch-up.js';
import { Subscribe } from './delivery/subscribe.js';
import { SubscriptionRights } from './delivery/subscription-rights.js';
import { Subscriptions } from './delivery/subscriptions.js';
import { TcpGate } from './handshake/tcp-gate.js';
import { FlushScheduler } from './delivery/fan-out/flush-scheduler.js';
import { TypingEnds } from './delivery/typing-ends.js';
import { Ticks } from './ticks.js';
import { Activity } from './watch/activity.js';
import { HeadRooms } from './watch/head-rooms.js';
import { MemberFrames } from './watch/member-frames.js';
import { Watch } from './watch/watch.js';
import { WatchNews } from './watch/watch-news.js';
import { WatchRepairs } from './watch/watch-repairs.js';

@Module({
  imports: [
    BudgetsModule,
    StatsModule,
    AuthorityModule,
    SessionsModule,
    AuthModule,
    PolicyModule,
    RoomsModule,
  ],
  providers: [
    Ticks,
    FlushScheduler,
    Strangers,
    RoomBus,
    Channels,
    ConnectionRegistry,
    ConnectionAudit,
    CloseLog,
    Reconnects,
    ConnectionCounts,
    ConnectionEnds,
    ConnectionTimers,
    Subscriptions,
    SubscriptionRights,
    CatchUp,
    Subscribe,
    PolicyChanges,
    Presence,
    RoomResets,
    TypingEnds,
    HeadRooms,
    Activity,
    Watch,
    WatchNews,
    WatchRepairs,
    MemberFrames,
    TcpGate,
    Authenticate,
    FrameQueue,
    FrameGuard,
    FrameFilter,
    ...handshakeGuards,
    Handshake,
    ChatGateway,
    Drain,
    NodeBus,
    NodeStatus,
    LiveConnections,
  ],
  exports: [Handshake, ConnectionRegistry, Drain, FrameQueue, NodeStatus, LiveConnections],
})
export class GatewayModule implements OnApplicationBootstrap {
  constructor(
    private readonly channels: Channels,
    private readonly presence: Presence,
    private readonly activity: Activity,
    private readonly watchRepairs: WatchRepairs,
    private readonly rounds: LeaseRounds,
    private readonly receipts: Receipts,
  ) {}

  /**
   * Everything that listens to the authority log is in place: read it to its head. Ready after
   * that.
   */
  async onApplicationBootstrap(): Promise<void> {
    this.channels.start((message) => this.presence.receive(message));
    this.presence.start();
    this.activity.start();
    this.watchRepairs.start();
    await this.rounds.start((confirmation) => this.receipts.onConfirmation(confirmation));
  }
}
