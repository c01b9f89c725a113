import type { Clock } from '../clock.js';
import { toWardroomError, type WardroomError } from '../errors.js';
import type { MyRoom, Page, PageQuery } from '../rest/types.js';
import { Store } from './store.js';

export interface RoomListSnapshot {
  /** Newest activity first. */
  readonly rooms: readonly MyRoom[];
  readonly loading: boolean;
  readonly hasMore: boolean;
  /** Why the last loading failed. */
  readonly error: WardroomError | undefined;
}

export interface RoomListPort {
  readonly clock: Clock;
  mine(query: PageQuery): Promise<Page<MyRoom>>;
  onConnected(listener: () => void): () => void;
}

/**
 * The user's own rooms with their unread counts, as a sidebar shows them. Loaded at the start,
 * after each reconnect and by `refresh`.
 */
export class RoomList extends Store<RoomListSnapshot> {
  #rooms: readonly MyRoom[] = [];
  #cursor: string | null = null;
  #loading = false;
  #error: WardroomError | undefined;
  #round = 0;
  #off: (() => void) | undefined;

  constructor(
    private readonly port: RoomListPort,
    private readonly pageSize = 50,
  ) {
    super(port.clock);
  }

  /** Loads what is shown once more. */
  async refresh(): Promise<void> {
    const wanted = Math.max(this.#rooms.length, this.pageSize);
    await this.#load(async () => {
      let rooms: MyRoom[] = [];
      let cursor: string | undefined;
      do {
        const limit = Math.min(200, wanted - rooms.length);
        const page = await this.port.mine({ limit, ...(cursor !== undefined && { cursor }) });
        rooms = [...rooms, ...page.items];
        cursor = page.next_cursor ?? undefined;
      } while (cursor !== undefined && rooms.length < wanted);
      return { rooms, cursor: cursor ?? null };
    });
  }

  async loadMore(): Promise<void> {
    const cursor = this.#cursor;
    if (cursor === null || this.#loading) return;
    await this.#load(async () => {
      const page = await this.port.mine({ limit: this.pageSize, cursor });
      const known = new Set(this.#rooms.map(({ room }) => room.id));
      const more = page.items.filter(({ room }) => !known.has(room.id));
      return { rooms: [...this.#rooms, ...more], cursor: page.next_cursor };
    });
  }

  protected read(): RoomListSnapshot {
    return {
      rooms: this.#rooms,
      loading: this.#loading,
      hasMore: this.#cursor !== null,
      error: this.#error,
    };
  }

  protected start(): void {
    this.#off = this.port.onConnected(() => void this.refresh());
    void this.refresh();
  }

  protected stop(): void {
    this.#off?.();
    this.#round++;
    this.#loading = false;
  }

  async #load(load: () => Promise<{ rooms: MyRoom[]; cursor: string | null }>): Promise<void> {
    const round = ++this.#round;
    this.#loading = true;
    this.changed();
    try {
      const { rooms, cursor } = await load();
      if (round !== this.#round) return;
      this.#rooms = rooms;
      this.#cursor = cursor;
      this.#error = undefined;
    } catch (thrown) {
      if (round !== this.#round) return;
      this.#error = toWardroomError(thrown, 'bad_answer');
    }
    this.#loading = false;
    this.changed();
  }
}
