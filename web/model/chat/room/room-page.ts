/** The open room: its messages as rows, who is here, what its person may do, and what is locked. */
import { batch, computed, effect, type ReadonlySignal, signal } from '@preact/signals';
import type {
  MyRoom,
  PeopleSnapshot,
  People,
  Room,
  RoomPatch,
  RoomView,
  Timeline,
  TimelineSnapshot,
} from '@wardroom/client';
import { troubleOf } from '../../trouble.js';
import { Composer } from './composer.js';
import { follow } from './follow.js';
import { type Body, layOut, reuse, type Message, type Row } from '../layout.js';
import type { Lock } from './lock.js';
import { EVERYBODY, type Person } from './mentions.js';
import type { Roster } from './roster.js';
import type { RoomContext } from './room-context.js';
import { nameOfRoom } from '../sidebar.js';
import { type Thread, openThread } from './thread.js';

/** More than a screen shows, and few enough to be laid out within a frame. */
const KEPT_MAX = 150;

export class RoomPage {
  readonly timeline: Timeline<Body>;
  readonly people: People;
  readonly composer: Composer;
  readonly snapshot: ReadonlySignal<TimelineSnapshot<Body>>;
  readonly presence: ReadonlySignal<PeopleSnapshot>;
  readonly rows: ReadonlySignal<readonly Row[]>;
  readonly lock: ReadonlySignal<Lock>;
  readonly locked: ReadonlySignal<string | null>;
  readonly view = signal<RoomView | null>(null);
  readonly can = signal<readonly string[]>([]);
  /** The room could not be opened, or is closed to this person. */
  readonly refused = signal<string | null>(null);
  readonly thread = signal<Thread | null>(null);
  /** Ids of pinned messages. */
  readonly pinned = signal<ReadonlySet<string>>(new Set());
  /** The seq of a message to show, once it is loaded. */
  readonly wanted = signal<number | null>(null);
  /** By user: the seq up to which they have read. */
  readonly readBy = signal<ReadonlyMap<string, number>>(new Map());
  /** Counts one's own messages: the end is shown with each. */
  readonly sent = signal(0);
  /** Its end is on the screen, and somebody looks at it. */
  readonly isSeen = signal(false);
  readonly #newAfter = signal<number | null>(null);
  readonly #room: Room<Body>;
  #hasBegun = false;
  #told: ReadonlySet<string> = new Set();
  #offs: (() => void)[] = [];

  constructor(
    readonly id: string,
    private readonly context: RoomContext,
    readonly roster: Roster,
    at: number | null,
  ) {
    const { client } = context;
    this.#room = client.room<Body>(id);
    this.timeline = this.#room.timeline({
      maxMessages: KEPT_MAX,
      pageSize: 25,
      ...(at !== null && { around: at }),
    });
    this.wanted.value = at;
    this.people = this.#room.people();
    const [snapshot, stop] = follow(this.timeline);
    const [presence, stopPeople] = follow(this.people);
    this.snapshot = snapshot;
    this.presence = presence;
    let rows: readonly Row[] = [];
    this.rows = computed(() => {
      rows = reuse(rows, layOut(snapshot.value.messages, this.#newAfter.value));
      return rows;
    });
    this.lock = computed(() => this.#lock());
    this.locked = computed(() => (this.lock.value === 'open' ? null : this.lock.value));
    this.composer = new Composer(id, this.#port(), context.drafts);
    this.#offs = [
      stop,
      stopPeople,
      ...this.#listen(),
      effect(() => this.#begin()),
      effect(() => this.#markRead()),
      effect(() => this.#failed()),
    ];
    void this.load();
  }

  /** The room is named by this id or slug. */
  is(ref: string): boolean {
    const view = this.view.peek();
    return this.id === ref || view?.id === ref || view?.slug === ref;
  }

  /** There is a new connection, perhaps after somebody signed in again. */
  renew(): void {
    this.composer.restore();
    void this.load();
    void this.roster.load();
  }

  get name(): string {
    const row = this.context.mine(this.id);
    if (row !== undefined) return nameOfRoom(row);
    return this.view.value?.name ?? '';
  }
  get row(): MyRoom | undefined {
    return this.context.mine(this.id);
  }
  may(right: string): boolean {
    return this.can.value.includes(right);
  }
  /** Owners and moderators pin; in a direct room both. */
  get mayPin(): boolean {
    return (
      this.may('delete_any') || (this.may('publish') && this.view.value?.visibility === 'direct')
    );
  }

  /** The room itself, and what is pinned in it. */
  async load(): Promise<void> {
    const { api } = this.context.client;
    try {
      const view = await api.rooms.get(this.id);
      batch(() => {
        this.view.value = view;
        this.can.value = view.can;
        this.refused.value = null;
      });
      const { items } = await api.messages.pins(this.id);
      this.pinned.value = new Set(items.map(({ message }) => message.message_id));
    } catch (thrown) {
      const { code, action } = troubleOf(thrown);
      if (action === 'none') this.refused.value = code;
    }
  }

  async join(): Promise<void> {
    await this.context.client.api.rooms.join(this.id);
    await this.load();
  }

  async change(fields: RoomPatch): Promise<void> {
    const { room } = await this.context.client.api.rooms.update(this.id, fields);
    this.view.value = room;
  }

  react(message: Message, emoji: string): void {
    const mine = message.reactions.some((each) => each.emoji === emoji && each.mine);
    this.context.attempt(() => this.#room.react(message.id!, emoji, !mine));
  }
  remove(message: Message): void {
    this.context.attempt(() => this.#room.delete(message.id!));
  }
  pin(message: Message, on: boolean): void {
    const { messages } = this.context.client.api;
    this.context.attempt(() =>
      on ? messages.pin(this.id, message.id!) : messages.unpin(this.id, message.id!),
    );
  }

  openThread(root: Message | string): void {
    this.closeThread();
    this.thread.value = openThread(this.#room, root, this.context, this.#port());
  }
  closeThread(): void {
    this.thread.value?.close();
    this.thread.value = null;
  }

  /** Shows a message: where it is loaded at once, otherwise what is around it. */
  show(seq: number): void {
    this.wanted.value = seq;
    if (!this.snapshot.value.messages.some((message) => message.seq === seq))
      this.timeline.jump(seq);
  }
  toEnd(): void {
    this.wanted.value = null;
    if (this.snapshot.value.hasNewer) this.timeline.jump();
  }

  /** Nobody looks any more: what comes from now on is new. */
  away(): void {
    this.isSeen.value = false;
    const last = this.snapshot.peek().messages.findLast(({ n }) => n !== undefined);
    if (last?.n !== undefined) this.#newAfter.value = last.n;
  }

  close(): void {
    this.people.stopped();
    this.closeThread();
    for (const off of this.#offs.splice(0)) off();
  }

  #listen(): (() => void)[] {
    const room = this.#room;
    return [
      room.on('subscribed', ({ can }) => (this.can.value = can)),
      room.on('access', ({ can, role }) => {
        const view = this.view.peek();
        batch(() => {
          this.can.value = can;
          this.view.value = view && { ...view, role, can: [...can] };
        });
        void this.load();
        void this.roster.load();
      }),
      room.on('unsubscribed', () => (this.can.value = [])),
      room.on('pinned', ({ message_id: id, on }) => {
        const pinned = new Set(this.pinned.value);
        if (on) pinned.add(id);
        else pinned.delete(id);
        this.pinned.value = pinned;
      }),
      room.on('read', ({ sender, seq }) => {
        this.readBy.value = new Map([...this.readBy.value, [sender, seq]]);
      }),
      room.on('member', ({ user, name }) => {
        if (name !== undefined) this.context.names.learn([[user, name]]);
        void this.roster.load();
      }),
      room.on('message', (frame) => this.context.heard(frame)),
    ];
  }

  /** New is what nobody had read when the room was opened. */
  #begin(): void {
    if (this.#hasBegun || !this.context.isListed) return;
    this.#hasBegun = true;
    this.#newAfter.value = this.row?.read_n ?? null;
  }

  /** Tells once of each message that was not sent. */
  #failed(): void {
    const failed = this.snapshot.value.messages.filter(({ state }) => state === 'failed');
    for (const { key, error } of failed)
      if (!this.#told.has(key)) this.context.failed(error?.code ?? 'network');
    this.#told = new Set(failed.map(({ key }) => key));
  }

  #markRead(): void {
    const { messages, state, hasNewer } = this.snapshot.value;
    const last = messages.findLast(({ seq }) => seq !== undefined)?.seq;
    if (!this.isSeen.value || state !== 'ready' || hasNewer || last === undefined) return;
    if (!this.context.isListed || !this.context.isLive.value) return;
    if (this.view.value === null || this.view.value.role === null) return;
    void this.timeline.markRead().catch(() => undefined);
  }

  #port() {
    return {
      send: (text: string, options: object) => {
        this.toEnd();
        this.timeline.send({ text }, options);
        this.sent.value += 1;
      },
      edit: (id: string, body: { text: string }) => this.#room.edit(id, body),
      typed: () => this.people.typed(),
      stopped: () => this.people.stopped(),
      lastOwn: () =>
        this.may('edit_own')
          ? this.snapshot.value.messages.findLast(
              ({ mine, state, deletedAt }) => mine && state === 'stored' && deletedAt === null,
            )
          : undefined,
      people: (): readonly Person[] => {
        const everybody = { id: EVERYBODY, name: EVERYBODY };
        return this.may('delete_any') ? [...this.roster.others, everybody] : this.roster.others;
      },
      locked: this.locked,
    };
  }

  #lock(): Lock {
    const { banner, me } = this.context;
    const { kind } = banner.value;
    if (kind === 'paused' || kind === 'renewing' || kind === 'signed_out' || kind === 'stopped')
      return kind;
    const { ended } = this.snapshot.value;
    // After signing in again the room is opened anew.
    if (ended?.action === 'login' || ended?.action === 'stop') return 'loading';
    if (ended !== undefined || this.refused.value !== null) return 'ended';
    const view = this.view.value;
    if (view === null) return 'loading';
    if (this.can.value.includes('publish')) return 'open';
    if (view.archived) return 'archived';
    if (me.value?.role === 'guest') return 'guest';
    if (view.role === null) return 'not_member';
    if (view.role === 'viewer') return 'viewer';
    if (view.posting === 'moderators') return 'moderators_post';
    return this.roster.isMuted(me.value?.user_id) ? 'muted' : 'restricted';
  }
}
