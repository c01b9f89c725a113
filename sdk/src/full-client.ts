import { CoreClient } from './client.js';
import type { ClientOptions } from './options.js';
import { Api } from './rest/api.js';
import { FullRoom } from './room/full-room.js';
import type { Body, Room } from './room/room.js';
import { RoomList } from './timeline/room-list.js';

/** The client: one connection that is kept up and kept authenticated, and the rooms over it. */
export class WardroomClient extends CoreClient {
  /** The REST calls of an application, typed. */
  readonly api: Api;

  constructor(options: ClientOptions) {
    super(options);
    this.api = new Api((path, call) => this.rest(path, call));
  }

  override room<B = Body>(idOrSlug: string): FullRoom<B> {
    return super.room<B>(idOrSlug) as FullRoom<B>;
  }

  /** The user's own rooms, as a sidebar shows them. A new list each time. */
  rooms(pageSize?: number): RoomList {
    const port = {
      clock: this.clock,
      mine: this.api.rooms.mine,
      live: () => this.state === 'live',
      watch: () => this.watch(),
      on: this.on,
    };
    return new RoomList(port, pageSize);
  }

  protected override newRoom(...parts: ConstructorParameters<typeof Room<Body>>): Room {
    return new FullRoom(...parts);
  }
}
