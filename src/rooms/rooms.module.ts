import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { AuthorityModule } from '../authority/authority.module.js';
import { PolicyModule } from '../policy/policy.module.js';
import { RoomTransaction } from './room-transaction.js';
import { ChangeMembers } from './members/change-members.js';
import { ChangeRoom } from './change-room.js';
import { CommitRoomEvents } from './events/commit/commit-room-events.js';
import { CreateRoom } from './create-room.js';
import { FindMessages } from './events/find-messages.js';
import { SearchMessages } from './events/search-messages.js';
import { PinsController } from './events/pins.controller.js';
import { SearchController } from './events/search.controller.js';
import { History } from './events/history.js';
import { InvitesController } from './invites/invites.controller.js';
import { RoomInvitations } from './invites/room-invites.js';
import { MembersController } from './members/members.controller.js';
import { Members } from './members/members.js';
import { MessagesController } from './events/messages.controller.js';
import { ReadMarkers } from './events/read-markers.js';
import { RoomEpochs } from './events/room-epochs.js';
import { RoomEvents } from './events/room-events.js';
import { RoomsController } from './rooms.controller.js';
import { Rooms } from './rooms.js';
import { SidebarController } from './sidebar/sidebar.controller.js';
import { SidebarRooms } from './sidebar/sidebar.js';
import { WatchedRooms } from './sidebar/watched-rooms.js';

@Module({
  imports: [AuthorityModule, AuthModule, PolicyModule],
  controllers: [
    RoomsController,
    SidebarController,
    MembersController,
    InvitesController,
    MessagesController,
    PinsController,
    SearchController,
  ],
  providers: [
    Rooms,
    CreateRoom,
    RoomTransaction,
    ChangeRoom,
    Members,
    ChangeMembers,
    RoomInvitations,
    CommitRoomEvents,
    RoomEvents,
    RoomEpochs,
    History,
    FindMessages,
    SearchMessages,
    ReadMarkers,
    SidebarRooms,
    WatchedRooms,
  ],
  exports: [RoomEvents, RoomEpochs, History, ReadMarkers, SidebarRooms, WatchedRooms],
})
export class RoomsModule {}
