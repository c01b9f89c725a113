/** The chat: who is signed in, their rooms, the open one, and what is told of everything else. */
import { computed, effect, type ReadonlySignal, signal, untracked } from '@preact/signals';
import type {
  Clock,
  ClientEvents,
  Me,
  MyRoom,
  RoomEvents,
  RoomListSnapshot,
} from '@wardroom/client';
import { Announcements, type Politeness } from '../announcements.js';
import { CookieSession } from '../cookie-session.js';
import { troubleOf } from '../trouble.js';
import { type Address, type Link, pathOf } from './address.js';
import { intentsOf, type ChatIntents } from './announced.js';
import { type BannerView, ConnectionView } from './connection.js';
import { Devices } from './devices.js';
import { type Area, Drafts } from './room/drafts.js';
import { follow } from './room/follow.js';
import { type Body, type Message, textOf } from './layout.js';
import { beginningOf } from './room/beginning.js';
import { MessageSearch } from './room/message-search.js';
import { Names } from './names.js';
import { Peers } from './peers.js';
import type { Preferences } from './preferences.js';
import type { RoomContext } from './room/room-context.js';
import { type Lock, readOnlyText } from './room/lock.js';
import { RoomPage } from './room/room-page.js';
import { Roster } from './room/roster.js';
import { nameOfRoom, type Sidebar, sidebarOf, unreadTotal } from './sidebar.js';
import { SignIn } from './sign-in.js';

export interface ChatPort {
  /** The path of the page, e.g. `/chat`. */
  readonly root: string;
  readonly device: string;
  /** Kept over reloads. */
  readonly area: Area;
  /** Changes the address; `push` leaves the one before in the history. */
  go(path: string, how: 'push' | 'replace'): void;
  /** Tells something short, and what can be done about it. */
  tell(text: string, tone: 'plain' | 'bad'): void;
  /** Shows a notification of the browser, where the person wants them. */
  notify(title: string, text: string, open: () => void): void;
  /** The page is in front. */
  isSeen(): boolean;
  /** For tests: another time, and everything that is announced. */
  readonly clock?: Clock;
  readonly announced?: (politeness: Politeness, text: string) => void;
}

export type Pane = 'thread' | 'members' | 'pins' | 'search' | null;
type ListedRooms = ReadonlySignal<RoomListSnapshot>;
const NO_ROOMS = { rooms: [], loading: true, hasMore: false, error: undefined };

export class Chat implements RoomContext {
  readonly client;
  readonly me;
  readonly drafts: Drafts;
  readonly names: Names;
  readonly banner: ReadonlySignal<BannerView>;
  readonly isLive: ReadonlySignal<boolean>;
  readonly connection: ConnectionView;
  readonly signIn: SignIn;
  readonly devices: Devices;
  readonly search: MessageSearch;
  readonly announcements: Announcements<ChatIntents>;
  readonly rooms: ReadonlySignal<RoomListSnapshot>;
  readonly sidebar: ReadonlySignal<Sidebar>;
  readonly unread: ReadonlySignal<number>;
  readonly open = signal<RoomPage | null>(null);
  readonly pane = signal<Pane>(null);
  readonly #rooms = signal<ListedRooms>(signal(NO_ROOMS));
  readonly list;
  readonly #peers: Peers;
  readonly #drafted = signal(0);
  readonly #isListed: ReadonlySignal<boolean>;
  #user: string | null = null;
  #stopList: (() => void) | null = null;
  #link: Link | null = null;
  #wanted: Address;

  constructor(
    readonly session: CookieSession,
    readonly preferences: Preferences,
    private readonly port: ChatPort,
    address: Address,
  ) {
    this.client = session.client;
    this.me = session.me;
    this.drafts = new Drafts(port.area);
    this.names = new Names(session.client, () => this.t.nobody);
    this.connection = new ConnectionView(session, preferences.texts, port.clock);
    this.banner = this.connection.banner;
    this.isLive = this.connection.isLive;
    this.signIn = new SignIn(session, port.area, port.device);
    this.devices = new Devices(session);
    this.search = new MessageSearch(session.client);
    this.announcements = new Announcements(() => intentsOf(this.t), port.announced, port.clock);
    this.list = session.client.rooms(100);
    this.#peers = new Peers(session.client);
    this.rooms = computed(() => this.#rooms.value.value);
    this.sidebar = computed(() => {
      void this.#drafted.value;
      const { open } = this;
      return sidebarOf(
        this.session.state.value === 'signed_in'
          ? this.rooms.value.rooms
          : // Whoever stands before the screen now need not be the one who was signed in.
            this.rooms.value.rooms.map((row) => ({ ...row, last_message: null })),
        (room) => open.value?.is(room) !== true && this.drafts.get(room) !== '',
        this.#peers.present.value,
      );
    });
    this.#isListed = computed(() => {
      const { rooms, loading, error } = this.rooms.value;
      return rooms.length > 0 || (!loading && error === undefined);
    });
    this.unread = computed(() => unreadTotal(this.rooms.value.rooms));
    this.#wanted = address;
    this.#link = address.link;
    this.signIn.open(address.link);
    effect(() => this.#follow());
    effect(() => this.#peers.follow(this.rooms.value.rooms));
    effect(() => this.#say(this.banner.value));
    effect(() => this.#sayRoom());
    this.client.on('activity', (news) => this.#news(news));
    this.client.on('rooms_changed', ({ room, change }) => {
      if (change === 'updated' && this.open.value?.is(room) === true) void this.open.value.load();
    });
    this.client.on('connected', () => this.open.value?.renew());
  }

  /** The list of rooms was read once. */
  get isListed(): boolean {
    return this.#isListed.value;
  }

  get t() {
    return this.preferences.texts.value;
  }

  /** The row of a room in the person's own list. */
  mine(room: string): MyRoom | undefined {
    return this.rooms.value.rooms.find(({ room: { id, slug } }) => id === room || slug === room);
  }

  /** The address has changed, by a link or by the back button. */
  visit(address: Address): void {
    this.#wanted = address;
    if (address.link !== null) {
      this.#link = address.link;
      this.signIn.open(address.link);
      if (this.session.state.value === 'signed_in') void this.#acceptInvite();
    }
    if (this.session.state.value === 'signed_in') this.#show(address.room, address.at);
  }

  /** Opens a room, at a message of it if one is given. */
  enter(room: string | null, at: number | null = null): void {
    this.port.go(pathOf(this.port.root, room, at), 'push');
    this.#show(room, at);
  }

  /** The answers to a message, beside the others. */
  openThread(room: RoomPage, root: Message | string): void {
    room.openThread(root);
    this.pane.value = 'thread';
  }

  linkTo(room: string, at: number | null = null): string {
    return pathOf(this.port.root, room, at);
  }

  /** The direct room with a person, made at the first message to them. */
  async writeTo(user: string): Promise<void> {
    await this.doing(async () => {
      const { id } = await this.client.api.rooms.create({ visibility: 'direct', members: [user] });
      await this.list.refresh();
      this.enter(id);
    });
  }

  /** Runs something in the name of its person; a refusal is told. */
  async doing(run: () => Promise<unknown>): Promise<boolean> {
    try {
      await run();
      return true;
    } catch (thrown) {
      this.port.tell(this.why(troubleOf(thrown).code), 'bad');
      return false;
    }
  }
  attempt(run: () => Promise<unknown>): void {
    void this.doing(run);
  }
  tell(text: string): void {
    this.port.tell(text, 'plain');
  }

  /** A code in words. */
  why(code: string): string {
    return this.t.errors[code] ?? `${code.replaceAll('_', ' ')}.`;
  }

  async signOut(): Promise<void> {
    if (await this.doing(() => this.session.signOut())) this.forget();
  }

  /** Nobody is expected back: the page is as for a stranger. */
  forget(): void {
    this.me.value = null;
    this.session.why.value = null;
    this.#leave();
  }

  /** The page went to the back, or came to the front. */
  seen(isSeen: boolean): void {
    if (!isSeen) this.open.value?.away();
  }

  heard({ sender, body }: RoomEvents<Body>['message']): void {
    if (sender === this.me.value?.user_id) return;
    const text = textOf(body);
    this.announcements.say('message', this.names.of(sender), beginningOf(text) ?? text);
  }

  #follow(): void {
    const { state } = this.session;
    const me = this.me.value;
    if (state.value === 'signed_in' && me !== null) untracked(() => this.#entered(me));
  }

  #entered(me: Me): void {
    if (me.user_id !== this.#user) {
      this.#leave();
      this.#user = me.user_id;
      this.drafts.of(me.user_id);
      if (me.name !== null) this.names.learn([[me.user_id, me.name]]);
    }
    void this.client.connect().catch(() => undefined);
    if (this.#stopList === null) [this.#rooms.value, this.#stopList] = follow(this.list);
    void this.#acceptInvite();
    this.#show(this.#wanted.room, this.#wanted.at);
  }

  #show(room: string | null, at: number | null): void {
    const open = this.open.peek();
    this.#wanted = { room, at, link: null };
    if (open !== null && room !== null && open.is(room)) {
      if (at !== null) open.show(at);
      return;
    }
    open?.close();
    this.pane.value = null;
    this.#drafted.value += 1;
    if (room === null) {
      this.open.value = null;
      return;
    }
    const id = this.mine(room)?.room.id ?? room;
    const roster = new Roster(id, this.client, this.names, () => this.me.value?.user_id);
    this.open.value = new RoomPage(id, this, roster, at);
    void roster.load();
  }

  async #acceptInvite(): Promise<void> {
    const link = this.#link;
    if (link?.kind !== 'invite') return;
    this.#link = null;
    this.signIn.open(null);
    this.port.go(pathOf(this.port.root, null), 'replace');
    try {
      const { room_id: room } = await this.client.api.invites.accept(link.code);
      await this.list.refresh();
      this.enter(room);
    } catch (thrown) {
      const { code } = troubleOf(thrown);
      this.port.tell(this.why(code === 'not_found' ? 'link_dead' : code), 'bad');
    }
  }

  #leave(): void {
    this.#stopList?.();
    this.#stopList = null;
    this.#rooms.value = signal(NO_ROOMS);
    this.#user = null;
    this.open.peek()?.close();
    this.open.value = null;
    this.pane.value = null;
  }

  #news({ room, sender, unread, mentions }: ClientEvents['activity']): void {
    const row = this.mine(room);
    if (row === undefined || unread === 0 || row.notify === 'none') return;
    if (row.notify === 'mentions' && mentions === 0) return;
    if (this.open.value?.is(room) === true && this.port.isSeen()) return;
    const [who, where] = [this.names.of(sender), nameOfRoom(row)];
    const intent = mentions > 0 ? 'mentioned' : 'elsewhere';
    this.announcements.say(intent, who, where);
    if (!this.port.isSeen())
      this.port.notify(where, this.t.said[intent](who, where), () => this.enter(room));
  }

  /** The room that was opened, and that nothing may be written in it any more. */
  #sayRoom(): void {
    const open = this.open.value;
    const [name, lock] = [open?.name ?? '', open?.lock.value ?? 'loading'];
    if (open === null || name === '') return;
    untracked(() => {
      if (this.#opened !== open) this.announcements.say('opened', name);
      const why = lock === this.#lock ? undefined : readOnlyText(lock, this.t.banner);
      if (why !== undefined) this.announcements.say('read_only', this.t.banner.readOnly, why);
      if (lock === 'ended' && this.#lock !== lock) {
        const { title, text } = this.t.banner.ended;
        this.announcements.say('ended', title, text);
      }
    });
    this.#opened = open;
    this.#lock = lock;
  }
  #opened: RoomPage | null = null;
  #lock: Lock = 'loading';

  failed(code: string): void {
    this.announcements.say('failed', this.why(code));
  }

  #said = 'none';
  #say({ kind, title, text }: BannerView): void {
    if (kind === this.#said) return;
    const before = this.#said;
    this.#said = kind;
    if (kind === 'signed_out' || kind === 'stopped')
      // Nobody was here: there is nothing to tell.
      return this.me.peek() === null ? undefined : this.announcements.say('ended', title, text);
    if (kind !== 'none') this.announcements.say('banner', title, text);
    else if (before !== 'signed_out' && before !== 'connecting') this.announcements.say('live');
  }
}
