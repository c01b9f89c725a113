/** `member`: subscribers of a room are told who joins, leaves, has another role or another name. */
import { Injectable, Logger } from '@nestjs/common';
import type { ServerFrames } from '@wardroom/protocol';
import { AuthorityDispatcher } from '../../authority/authority-dispatcher.js';
import type { AuthorityEvent } from '../../authority/events.js';
import { WatchedRooms } from '../../rooms/sidebar/watched-rooms.js';
import { NO_SESSION } from '../delivery/bus-message.js';
import { Channels } from '../delivery/channels.js';
import { Activity } from './activity.js';
import { HeadRooms } from './head-rooms.js';

type MemberFrame = ServerFrames['member'];
type MemberChanged = Extract<AuthorityEvent, { kind: 'member.changed' }>;

@Injectable()
export class MemberFrames {
  private readonly logger = new Logger(MemberFrames.name);

  constructor(
    private readonly channels: Channels,
    private readonly rooms: WatchedRooms,
    private readonly heads: HeadRooms,
    private readonly activity: Activity,
    dispatcher: AuthorityDispatcher,
  ) {
    dispatcher.register('subscriptions', {
      event: (event) => {
        if (event.kind === 'member.changed') this.member(event);
        else if (event.kind === 'user.changed' && event.onlyShown === true)
          void this.renamed(event.user);
      },
    });
  }

  /** A mute is nobody's business; a ban is a leave. */
  private member({ room, user, role, banned, was, epoch }: MemberChanged): void {
    if (this.channels.get(room) === undefined) return;
    const present = banned ? null : role;
    if (present === was) return;
    const change = was === null ? 'joined' : present === null ? 'left' : 'role';
    const frame: MemberFrame = { type: 'member', room, user, change, role: present };
    // When all listeners have applied the event: whoever lost the room is not told.
    setImmediate(() => this.send(frame, epoch));
  }

  /** The other user of a direct room gives it its name. */
  private async renamed(user: string): Promise<void> {
    try {
      const found = await this.rooms.renamed(user);
      if (found === null) return;
      for (const { id, role, direct } of found.rooms) {
        const epoch = this.channels.get(id)?.epoch;
        const { name } = found;
        if (epoch !== undefined)
          this.send({ type: 'member', room: id, user, change: 'renamed', role, name }, epoch);
        const head = direct ? this.heads.get(id) : undefined;
        if (head !== undefined) this.activity.ask(head.updates);
      }
    } catch (error) {
      this.logger.warn({ msg: 'a new name was not told', error: (error as Error).message });
    }
  }

  private send(frame: MemberFrame, epoch: number): void {
    this.channels.get(frame.room)?.offerTransient({
      room: frame.room,
      session: NO_SESSION,
      epoch,
      frame: JSON.stringify(frame),
    });
  }
}
