/** News of rooms, from this node and from the others, reaches those who watch them. */
import { Injectable } from '@nestjs/common';
import type { ServerFrames } from '@wardroom/protocol';
import { countsChanged } from '../../rooms/events/room-event.js';
import type { RoomEvent } from '../../rooms/events/room-event.js';
import { SidebarRooms } from '../../rooms/sidebar/sidebar.js';
import type { TransientFrame } from '../delivery/bus-message.js';
import { Channels } from '../delivery/channels.js';
import { RoomBus } from '../delivery/room-bus.js';
import { Subscriptions } from '../delivery/subscriptions.js';
import type { Connection } from '../connection/connection.js';
import { encodeTextFrame } from '../connection/socket/frame-encoder.js';
import { Activity } from './activity.js';
import { HeadRooms } from './head-rooms.js';
import { Watch } from './watch.js';

const READ_FRAME = '{"type":"read"';

@Injectable()
export class WatchNews {
  constructor(
    private readonly watch: Watch,
    private readonly heads: HeadRooms,
    private readonly activity: Activity,
    private readonly channels: Channels,
    private readonly subscriptions: Subscriptions,
    bus: RoomBus,
    sidebar: SidebarRooms,
  ) {
    channels.onHeard = (event) => this.event(event);
    channels.onHeardTransient = (frame) => this.transient(frame);
    channels.onHeardOwn = ({ user, room }) => watch.changedOwn(user, room);
    sidebar.onChanged((user, room) => {
      bus.sendOwn({ user, room });
      watch.changedOwn(user, room);
    });
  }

  /** `connection` read the room up to `seq`: the user's other devices are told, on all nodes. */
  read(connection: Connection, room: string, seq: number): void {
    this.tellRead(connection.principal.userId, room, seq, connection);
  }

  private event(event: RoomEvent): void {
    const head = this.heads.get(event.room);
    if (head === undefined) return;
    head.seq = Math.max(head.seq, event.seq);
    if (countsChanged(event)) this.activity.ask(head.activity);
  }

  private transient({ room, session, frame }: TransientFrame): void {
    if (!frame.startsWith(READ_FRAME) || this.heads.get(room) === undefined) return;
    if (this.channels.hasEnded(session)) return;
    const { sender, seq } = JSON.parse(frame) as ServerFrames['read'];
    this.tellRead(sender, room, seq, null);
  }

  /** Those that are subscribed have it as members of the room. */
  private tellRead(userId: string, room: string, seq: number, by: Connection | null): void {
    const user = this.watch.get(userId);
    const head = this.heads.get(room);
    if (user === undefined || head === undefined || !user.rooms.has(head)) return;
    const frame: ServerFrames['read'] = { type: 'read', room, sender: userId, seq };
    const buffer = encodeTextFrame(JSON.stringify(frame));
    for (const connection of user.connections.keys()) {
      if (connection === by || this.subscriptions.of(connection).has(room)) continue;
      if (this.activity.takes(connection)) connection.queue(buffer, head.key.transient);
    }
    this.activity.mark(user, head);
  }
}
