import type { Room } from '../room/room.js';
import { Store } from './store.js';
import type { TimelinePort } from './timeline.js';

export interface PeopleSnapshot {
  /** The other users that are typing. */
  readonly typing: readonly string[];
  /** How many are present; undefined until it is known. */
  readonly count: number | undefined;
  /** The users that are present; undefined where the room is too large to list them. */
  readonly present: readonly string[] | undefined;
}

/** The server ends it after 10 s; its word may be lost with a node. */
const TYPING_MS = 12_000;
/** Said again while the user goes on typing, and ended when they pause. */
const REPEAT_MS = 5000;
const PAUSE_MS = 6000;

/** The users that are in a room or typing, with the time-outs that both need. */
export class People extends Store<PeopleSnapshot> {
  /** By user: the timer that forgets them. */
  readonly #typing = new Map<string, unknown>();
  #count: number | undefined;
  #present: Set<string> | undefined;
  #offs: (() => void)[] = [];
  #held = false;
  #saidAt = -Infinity;
  #pause: unknown;

  constructor(
    private readonly room: Pick<
      Room<unknown>,
      'on' | 'subscribe' | 'unsubscribe' | 'presence' | 'typing'
    >,
    private readonly port: TimelinePort,
  ) {
    super(port.clock);
  }

  /** To be called with each key: says so at most every 5 s, and ends it after a pause. */
  typed(): void {
    this.clock.clearTimeout(this.#pause);
    this.#pause = this.clock.setTimeout(() => this.stopped(), PAUSE_MS);
    if (this.clock.now() - this.#saidAt < REPEAT_MS) return;
    this.#saidAt = this.clock.now();
    this.room.typing(true);
  }

  /** The text was sent or given up. */
  stopped(): void {
    this.clock.clearTimeout(this.#pause);
    if (this.#saidAt !== -Infinity) this.room.typing(false);
    this.#saidAt = -Infinity;
  }

  protected read(): PeopleSnapshot {
    return {
      typing: [...this.#typing.keys()],
      count: this.#count,
      present: this.#present && [...this.#present],
    };
  }

  protected start(): void {
    const { room } = this;
    this.#offs = [
      room.on('typing', ({ sender, on }) => this.#types(sender, on)),
      room.on('message', ({ sender }) => this.#types(sender, false)),
      room.on('presence', ({ count, joined = [], left = [] }) => {
        for (const user of left) this.#types(user, false);
        for (const user of joined) this.#present?.add(user);
        for (const user of left) this.#present?.delete(user);
        // Counts without names: the room has become too large to list.
        if (this.#present && this.#present.size !== count) this.#present = undefined;
        this.#count = count;
        this.changed();
      }),
      room.on('subscribed', () => void this.#ask()),
      room.on('unsubscribed', () => this.#clear()),
      this.port.onConnected(() => {
        if (!this.#held) void this.#open();
      }),
    ];
    void this.#open();
  }

  protected stop(): void {
    for (const off of this.#offs.splice(0)) off();
    this.stopped();
    if (this.#held) void this.room.unsubscribe().catch(() => {});
    this.#clear();
  }

  async #open(): Promise<void> {
    this.#held = true;
    try {
      await this.room.subscribe();
      if (this.running) await this.#ask();
    } catch {
      // A timeline, or `room.subscribe`, says why; here nobody is known to be there.
      this.#clear();
    }
  }

  async #ask(): Promise<void> {
    try {
      const { count, users } = await this.room.presence();
      this.#count = count;
      this.#present = users && users.length === count ? new Set(users) : undefined;
      this.changed();
    } catch {
      // The next subscription asks again.
    }
  }

  #types(user: string, on: boolean): void {
    if (user === this.port.me()) return;
    this.clock.clearTimeout(this.#typing.get(user));
    if (on)
      this.#typing.set(
        user,
        this.clock.setTimeout(() => this.#types(user, false), TYPING_MS),
      );
    else if (!this.#typing.delete(user)) return;
    this.changed();
  }

  #clear(): void {
    this.#held = false;
    for (const timer of this.#typing.values()) this.clock.clearTimeout(timer);
    this.#typing.clear();
    this.#count = this.#present = undefined;
    this.changed();
  }
}
