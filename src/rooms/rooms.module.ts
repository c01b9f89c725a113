import { Module } from '@nestjs/common';
import { AuthorityModule } from '../authority/authority.module.js';
import { PolicyModule } from '../policy/policy.module.js';
import { CommitRoomEvents } from './commit-room-events.js';
import { History } from './history.js';
import { ReadMarkers } from './read-markers.js';
import { RoomBus } from './room-bus.js';
import { RoomEvents } from './room-events.js';

@Module({
  imports: [AuthorityModule, PolicyModule],
  providers: [CommitRoomEvents, RoomEvents, History, ReadMarkers, RoomBus],
  exports: [RoomEvents, History, ReadMarkers, RoomBus],
})
export class RoomsModule {}
