import type { ClientEvents } from '../client.js';
import type { Clock } from '../clock.js';
import { toWardroomError, type WardroomError } from '../errors.js';
import type { MyRoom, Page, PageQuery } from '../rest/types.js';
import { Store } from './store.js';

export interface RoomListSnapshot {
  /** Newest activity first. */
  readonly rooms: readonly MyRoom[];
  /** Rooms are being loaded. */
  readonly loading: boolean;
  /** There are rooms with older activity. */
  readonly hasMore: boolean;
  /** Why the last loading failed. */
  readonly error: WardroomError | undefined;
}

export interface RoomListPort {
  readonly clock: Clock;
  mine(query: PageQuery): Promise<Page<MyRoom>>;
  live(): boolean;
  /** Asks for news of all rooms. */
  watch(): Promise<unknown>;
  on<K extends 'connected' | 'activity' | 'rooms_changed' | 'read'>(
    name: K,
    listener: (event: ClientEvents[K]) => void,
  ): () => void;
}

/** Counts are known at once; the last messages are read again so long after. */
const SOON_MS = 250;
const LATER_MS = 3000;

/**
 * The user's own rooms with their unread counts, as a sidebar shows them: loaded at the start and
 * after each reconnect, and kept up by `watch`.
 */
export class RoomList extends Store<RoomListSnapshot> {
  #rooms: readonly MyRoom[] = [];
  #cursor: string | null = null;
  #loading = false;
  #error: WardroomError | undefined;
  #round = 0;
  #offs: (() => void)[] = [];
  #due = Infinity;
  #timer: unknown;

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

  /** A page of rooms with older activity. Does nothing when there are none. */
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
    const { port } = this;
    this.#offs = [
      port.on('connected', () => void this.#watch()),
      port.on('activity', (news) => this.#count(news)),
      port.on('read', () => this.#refreshIn(SOON_MS)),
      port.on('rooms_changed', ({ room, change }) => {
        if (change === 'removed') this.#rooms = this.#rooms.filter((row) => row.room.id !== room);
        this.changed();
        this.#refreshIn(SOON_MS);
      }),
    ];
    if (port.live()) void this.#watch();
    else void this.refresh();
  }

  protected stop(): void {
    for (const off of this.#offs.splice(0)) off();
    this.clock.clearTimeout(this.#timer);
    this.#due = Infinity;
    this.#round++;
    this.#loading = false;
  }

  async #watch(): Promise<void> {
    try {
      await this.port.watch();
    } catch {
      // Without news the list is still right when it is loaded; `connected` asks again.
    }
    if (this.running) await this.refresh();
  }

  #count({ room, n, seq, unread, mentions }: ClientEvents['activity']): void {
    const row = this.#rooms.find((each) => each.room.id === room);
    if (!row) return this.#refreshIn(SOON_MS);
    const counted = { ...row, last_n: n, unread, mentions, room: { ...row.room, seq } };
    // News without a message (read elsewhere) is no activity of the room.
    this.#rooms =
      n > row.last_n
        ? [counted, ...this.#rooms.filter((each) => each !== row)]
        : this.#rooms.map((each) => (each === row ? counted : each));
    this.changed();
    this.#refreshIn(LATER_MS);
  }

  #refreshIn(ms: number): void {
    const due = this.clock.now() + ms;
    if (due >= this.#due) return;
    this.#due = due;
    this.clock.clearTimeout(this.#timer);
    this.#timer = this.clock.setTimeout(() => {
      this.#due = Infinity;
      void this.refresh();
    }, ms);
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
