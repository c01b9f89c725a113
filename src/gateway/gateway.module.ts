import { Module } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { BudgetsModule } from '../budgets/budgets.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { AuthorityModule } from '../authority/authority.module.js';
import { Lease } from '../authority/lease.js';
import { Receipts } from '../authority/receipts.js';
import { PolicyModule } from '../policy/policy.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { Authenticate } from './authenticate.js';
import { Channels } from './channels.js';
import { ChatGateway } from './chat.gateway.js';
import { ConnectionAudit } from './connection-audit.js';
import { ConnectionEnds } from './connection-ends.js';
import { ConnectionLife } from './connection-life.js';
import { Connections } from './connections.js';
import { Drain } from './drain.js';
import { FrameFilter } from './frame.filter.js';
import { FrameGuard } from './frame.guard.js';
import { FrameQueue } from './frame-queue.js';
import { Handshake } from './handshake.js';
import { PolicyChanges } from './policy-changes.js';
import { Presence } from './presence.js';
import { RoomResets } from './room-resets.js';
import { Strangers } from './strangers.js';
import { Subscribe } from './subscribe.js';
import { TcpGate } from './tcp-gate.js';
import { Turns } from './turns.js';
import { TypingEnds } from './typing-ends.js';

@Module({
  imports: [BudgetsModule, AuthorityModule, SessionsModule, AuthModule, PolicyModule, RoomsModule],
  providers: [
    Turns,
    Strangers,
    Channels,
    Connections,
    ConnectionAudit,
    ConnectionEnds,
    ConnectionLife,
    Subscribe,
    PolicyChanges,
    Presence,
    RoomResets,
    TypingEnds,
    TcpGate,
    Authenticate,
    FrameQueue,
    FrameGuard,
    FrameFilter,
    Handshake,
    ChatGateway,
    Drain,
  ],
  exports: [Handshake, Connections, Drain, FrameQueue],
})
export class GatewayModule implements OnApplicationBootstrap {
  constructor(
    private readonly channels: Channels,
    private readonly presence: Presence,
    private readonly lease: Lease,
    private readonly receipts: Receipts,
  ) {}

  /** Everything that listens to the authority log is in place: read it to its head. Ready after that. */
  async onApplicationBootstrap(): Promise<void> {
    this.channels.start((message) => this.presence.receive(message));
    this.presence.start();
    await this.lease.start((confirmation) => this.receipts.onConfirmation(confirmation));
  }
}
