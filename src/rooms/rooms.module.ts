import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { AuthorityModule } from '../authority/authority.module.js';
import { PolicyModule } from '../policy/policy.module.js';
import { ChangeInRoom } from './change-in-room.js';
import { ChangeMembers } from './change-members.js';
import { ChangeRoom } from './change-room.js';
import { CommitRoomEvents } from './commit-room-events.js';
import { CreateRoom } from './create-room.js';
import { History } from './history.js';
import { MembersController } from './members.controller.js';
import { Members } from './members.js';
import { MessagesController } from './messages.controller.js';
import { ReadMarkers } from './read-markers.js';
import { RoomBus } from './room-bus.js';
import { RoomEpochs } from './room-epochs.js';
import { RoomEvents } from './room-events.js';
import { RoomsController } from './rooms.controller.js';
import { Rooms } from './rooms.js';

@Module({
  imports: [AuthorityModule, AuthModule, PolicyModule],
  controllers: [RoomsController, MembersController, MessagesController],
  providers: [Rooms, CreateRoom, ChangeInRoom, ChangeRoom, Members, ChangeMembers, CommitRoomEvents, RoomEvents, RoomEpochs, History, ReadMarkers, RoomBus],
  exports: [RoomEvents, RoomEpochs, History, ReadMarkers, RoomBus],
})
export class RoomsModule {}
