import type { Body, HistoryPage, HistoryQuery, Room } from '../room/room.js';
import type { Clock } from '../clock.js';
import { toWardroomError, WardroomError } from '../errors.js';
import { newId } from '../new-id.js';
import type { Reset, Unsubscribed } from '../room/subscription.js';
import { MessageWindow } from './message-window.js';
import { Outbox, type SendOptions } from './outbox.js';
import { Store } from './store.js';
import type { DurableEvent, TimelineMessage } from './timeline-message.js';

export interface TimelineOptions {
  /** Messages of a page. Default: 50. */
  pageSize?: number;
  /** Messages that are kept; beyond them the other end is forgotten. Default: 1,000. */
  maxMessages?: number;
  /** The seq of the message to begin at. Default: the newest. */
  around?: number;
  /** The id of a message: only its replies are shown, and what is sent replies to it. */
  thread?: string;
}

export interface TimelineSnapshot<B = Body> {
  /** In order; one's own messages that are not stored yet are the last ones. */
  readonly messages: readonly TimelineMessage<B>[];
  /** `ended`: the room is closed to this user, see `ended`. */
  readonly state: 'loading' | 'ready' | 'ended';
  /** There are messages before the first one. */
  readonly hasOlder: boolean;
  /** There are messages behind the last one: the end is not shown. */
  readonly hasNewer: boolean;
  /** `loadOlder` is under way. */
  readonly loadingOlder: boolean;
  /** `loadNewer` is under way. */
  readonly loadingNewer: boolean;
  /** Events were missed or lost: the shown messages are being loaded again. */
  readonly refreshing: boolean;
  /** Why the last loading failed; it is tried again. */
  readonly error: WardroomError | undefined;
  /** Why the room is closed to this user. */
  readonly ended: Unsubscribed | undefined;
}

/** The parts of a client that a timeline needs beside its room. */
export interface TimelinePort {
  readonly clock: Clock;
  me(): string | undefined;
  /** `auth_ok` of a new connection. */
  onConnected(listener: () => void): () => void;
}

const RETRY_MS = 1000;
const RETRY_MS_MAX = 30_000;
const DURABLE = ['message', 'message_edited', 'message_deleted', 'reaction'] as const;

/**
 * The messages of a room: live and history merged in order, with edits, deletions, reactions and
 * one's own sends. It works from the first `subscribe` to the end of the last one.
 */
export class Timeline<B = Body> extends Store<TimelineSnapshot<B>> {
  readonly #window: MessageWindow<B>;
  readonly #outbox = new Outbox<B>();
  readonly #pageSize: number;
  readonly #maxMessages: number;
  readonly #thread: string | undefined;
  /** Where to begin: a seq, or the end. */
  #around: number | undefined;
  #offs: (() => void)[] = [];
  #held = false;
  #ended: Unsubscribed | undefined;
  #error: WardroomError | undefined;
  /** Answers to the calls of an older round are void. */
  #round = 0;
  #refreshing = false;
  #loading = { older: false, newer: false };
  /** Durable events since the oldest call that is under way. */
  #since: DurableEvent<B>[] = [];
  #underWay = 0;
  /** The last event that was seen or is known to be missing. */
  #position = 0;
  #failures = 0;
  #retry: unknown;

  constructor(
    /** The room whose messages these are. */
    readonly room: Room<B>,
    private readonly port: TimelinePort,
    options: TimelineOptions = {},
  ) {
    super(port.clock);
    this.#pageSize = options.pageSize ?? 50;
    this.#maxMessages = options.maxMessages ?? 1000;
    this.#thread = options.thread;
    this.#around = options.around;
    this.#window = new MessageWindow<B>(() => port.me());
  }

  /**
   * A page of older messages. Does nothing when there are none, or while one is loaded. Where not
   * all fit into `maxMessages`, the newest are forgotten. `keepNewest`: the reader is at the end,
   * so the oldest are.
   */
  loadOlder({ keepNewest = false }: { keepNewest?: boolean } = {}): Promise<void> {
    const forget = keepNewest ? 'oldest' : 'newest';
    return this.#loadMore('older', forget, () => ({ before: this.#window.first! }));
  }

  /** A page of newer messages, where the end is not shown. */
  loadNewer(): Promise<void> {
    return this.#loadMore('newer', 'oldest', () => ({ after: this.#window.last! }));
  }

  /** Shows the messages around one, or the newest ones. */
  jump(around?: number): void {
    this.#around = around;
    this.#window.isLoaded = false;
    if (this.running) this.#reload();
    this.changed();
  }

  /** Shown at once, and stored as soon as there is a connection. Answers its `key`. */
  send(body: B, given: SendOptions = {}): string {
    const options = this.#thread === undefined ? given : { replyTo: this.#thread, ...given };
    const opId = newId();
    const at = new Date(this.clock.now()).toISOString();
    this.#outbox.add(opId, body, options, this.port.me(), at);
    void this.#publish(opId, body, options);
    return `op:${opId}`;
  }

  /** Sends a failed message once more; it has one effect, however often. */
  retry(key: string): void {
    const sent = this.#outbox.find(key);
    if (sent?.message.state !== 'failed') return;
    this.#outbox.sending(sent.message.opId);
    void this.#publish(sent.message.opId, sent.message.body!, sent.options);
  }

  /** Takes a failed message away. */
  discard(key: string): void {
    const sent = this.#outbox.find(key);
    if (sent?.message.state === 'failed') this.#outbox.delete(sent.message.opId);
    this.changed();
  }

  /** Marks everything that is shown as read. */
  async markRead(): Promise<void> {
    const last = this.#window.last;
    if (last !== undefined) await this.room.read(last);
  }

  protected read(): TimelineSnapshot<B> {
    const { hasOlder, hasNewer, isLoaded, messages } = this.#window;
    return {
      messages: [...messages, ...this.#outbox.messages],
      state: this.#ended ? 'ended' : isLoaded ? 'ready' : 'loading',
      hasOlder,
      hasNewer,
      loadingOlder: this.#loading.older,
      loadingNewer: this.#loading.newer,
      refreshing: this.#refreshing && isLoaded,
      error: this.#error,
      ended: this.#ended,
    };
  }

  protected start(): void {
    const { room } = this;
    this.#offs = [
      ...DURABLE.map((name) => room.on(name, (event) => this.#follow(event))),
      room.on('pinned', ({ seq }) => (this.#position = Math.max(this.#position, seq))),
      room.on('gap', ({ to }) => this.#skip(to)),
      room.on('reset', (reset) => this.#forget(reset)),
      room.on('subscribed', () => {
        this.#position = room.seq ?? 0;
        this.#ended = undefined;
        if (this.#refreshing) this.#reload();
      }),
      room.on('unsubscribed', (why) => this.#end(why)),
      this.port.onConnected(() => {
        if (!this.#held && (!this.#ended || isSignedOut(this.#ended))) void this.#open();
      }),
    ];
    // Events may have passed since the last time.
    this.#refreshing = true;
    void this.#open();
  }

  protected stop(): void {
    this.#round++;
    this.clock.clearTimeout(this.#retry);
    for (const off of this.#offs.splice(0)) off();
    this.#loading = { older: false, newer: false };
    if (this.#held) void this.room.unsubscribe().catch(() => {});
    this.#held = false;
  }

  async #open(): Promise<void> {
    this.#held = true;
    const wasSubscribed = this.room.subscribed;
    try {
      await this.room.subscribe();
      if (wasSubscribed && this.running && this.#refreshing) this.#reload();
    } catch (thrown) {
      this.#held = false;
      const error = toWardroomError(thrown, 'bad_answer');
      // A client that was closed may connect again.
      if (error.code !== 'closed' && error.code !== 'gave_up') this.#end(error);
    }
  }

  #end({ code, action }: Unsubscribed): void {
    this.#held = false;
    this.#round++;
    this.#refreshing = true;
    // Left by another part of the application: this one still wants it.
    if (code === 'client' && this.running) void this.#open();
    else this.#ended = { code, action };
    if (isSignedOut({ code, action })) {
      // Somebody else may sign in next.
      this.#window.clear();
      this.#outbox.clear();
    }
    this.changed();
  }

  #follow(event: DurableEvent<B>): void {
    this.#position = Math.max(this.#position, event.seq);
    if (this.#isElsewhere(event)) return;
    if (this.#underWay > 0) this.#since.push(event);
    this.#window.apply(event);
    if (!this.#window.hasNewer) this.#trim('oldest');
    if (event.type === 'message' && event.sender === this.port.me())
      this.#outbox.delete(event.op_id);
    this.changed();
  }

  /** A message that is no reply in this thread. */
  #isElsewhere(event: DurableEvent<B>): boolean {
    const { type } = event;
    return this.#thread !== undefined && type === 'message' && event.reply_to !== this.#thread;
  }

  /** Missed events may have changed anything: the messages are loaded again. */
  #skip(to: number): void {
    this.#position = Math.max(this.#position, to);
    this.#reload();
  }

  #forget({ lost }: Reset): void {
    this.#position = this.room.seq ?? 0;
    this.#outbox.sweep(() => true);
    if (lost) this.#window.forgetFrom(lost.from);
    this.#reload();
  }

  async #publish(opId: string, body: B, options: SendOptions): Promise<void> {
    this.changed();
    try {
      const ack = await this.room.publish(body, { ...options, opId });
      this.#outbox.stored(opId, ack);
      // Its event has passed already, or will not pass here.
      if (ack.seq <= this.#position || !this.running) this.#outbox.delete(opId);
    } catch (thrown) {
      this.#outbox.failed(opId, toWardroomError(thrown, 'bad_answer'));
    }
    this.changed();
  }

  /** Loads what is shown, or where to begin, once more; everything under way is void. */
  #reload(): void {
    const round = ++this.#round;
    this.clock.clearTimeout(this.#retry);
    this.#refreshing = true;
    this.#loading = { older: false, newer: false };
    this.#since = [];
    this.changed();
    // Events between a page and the subscription would be missing.
    if (!this.room.subscribed) return;
    void this.#during(round, async () => {
      const load = this.#window.isLoaded ? () => this.#again() : () => this.#first();
      const show = await load();
      if (round !== this.#round) return;
      show();
      this.#refreshing = false;
      this.#outbox.sweep((seq) => seq <= this.#position || this.#window.reaches(seq));
      this.#outbox.shownIn(this.#window.messages);
    });
  }

  async #first(): Promise<() => void> {
    const around = this.#around;
    if (around === undefined) return this.#newest(this.#pageSize);
    const limit = Math.max(1, Math.ceil(this.#pageSize / 2));
    const [older, newer] = await Promise.all([
      this.#page({ before: around + 1, limit }),
      this.#page({ after: around, limit }),
    ]);
    const ends = { hasOlder: older.next_cursor !== null, hasNewer: newer.next_cursor !== null };
    return () => this.#window.show([older, newer], ends, this.#since);
  }

  async #newest(limit: number): Promise<() => void> {
    const page = await this.#page({ limit });
    const ends = { hasOlder: page.next_cursor !== null, hasNewer: false };
    return () => this.#window.show([page], ends, this.#since);
  }

  async #again(): Promise<() => void> {
    const { size, first, hasNewer, hasOlder } = this.#window;
    const limit = Math.min(200, Math.max(size, this.#pageSize));
    if (!hasNewer || first === undefined) return this.#newest(limit);
    const page = await this.#page({ after: first - 1, limit });
    const ends = { hasOlder, hasNewer: page.next_cursor !== null };
    return () => this.#window.show([page], ends, this.#since);
  }

  async #loadMore(
    side: 'older' | 'newer',
    forget: 'oldest' | 'newest',
    query: () => HistoryQuery,
  ): Promise<void> {
    const more = side === 'older' ? this.#window.hasOlder : this.#window.hasNewer;
    if (!more || this.#refreshing || this.#loading[side] || this.#window.size === 0) return;
    const round = this.#round;
    this.#loading[side] = true;
    this.changed();
    await this.#during(round, async () => {
      const page = await this.#page({ ...query(), limit: this.#pageSize });
      if (round !== this.#round) return;
      if (side === 'older') this.#window.addOlder(page, this.#since);
      else this.#window.addNewer(page, this.#since);
      this.#outbox.shownIn(this.#window.messages);
      this.#loading[side] = false;
      this.#trim(forget);
    });
    if (round === this.#round) this.#loading[side] = false;
    this.changed();
  }

  /** Not where a page is on its way: it begins at the message that is the last one there. */
  #trim(side: 'oldest' | 'newest'): void {
    const isLoading = side === 'oldest' ? this.#loading.older : this.#loading.newer;
    if (!isLoading) this.#window.trim(this.#maxMessages, side);
  }

  /** Collects the events that pass while `load` is under way, and tries a failed reload again. */
  async #during(round: number, load: () => Promise<void>): Promise<void> {
    if (this.#underWay++ === 0) this.#since = [];
    try {
      await load();
      if (round !== this.#round) return;
      this.#failures = 0;
      this.#error = undefined;
    } catch (thrown) {
      if (round !== this.#round) return;
      this.#error = toWardroomError(thrown, 'bad_answer');
      if (this.#refreshing) this.#tryAgain(this.#error);
    } finally {
      this.#underWay--;
      this.changed();
    }
  }

  #tryAgain({ action, retryAfterMs }: WardroomError): void {
    if (action === 'login' || action === 'stop') return;
    const delayMs = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** this.#failures++);
    this.#retry = this.clock.setTimeout(() => this.#reload(), retryAfterMs ?? delayMs);
  }

  async #page(query: HistoryQuery): Promise<HistoryPage<B>> {
    const seen = this.#position;
    const thread = this.#thread;
    const page = await this.room.history({ ...query, ...(thread !== undefined && { thread }) });
    // The reset that tells of another past is on its way, or was here.
    if (this.room.epoch !== undefined && page.epoch && page.epoch !== this.room.epoch)
      throw new WardroomError('bad_answer', { action: 'retry', message: 'Of another past.' });
    return { ...page, seq: page.seq ?? seen };
  }
}

const isSignedOut = ({ action }: Unsubscribed): boolean => action === 'login' || action === 'stop';
