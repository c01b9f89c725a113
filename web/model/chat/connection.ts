/** The state of the connection as one banner: what is the matter, and what its person can do. */
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { Clock, WardroomClient, WardroomError } from '@wardroom/client';
import { wallClock } from '../clock.js';
import type { CookieSession } from '../cookie-session.js';
import type { Texts } from './texts/en.js';

/** By the six actions of the protocol, and `none` where all is well. */
export type BannerKind =
  'none' | 'connecting' | 'offline' | 'paused' | 'renewing' | 'signed_out' | 'stopped';

export interface BannerView {
  readonly kind: BannerKind;
  readonly tone: 'plain' | 'warn' | 'bad';
  readonly title: string;
  readonly text: string;
  /** Offline: seconds to the next attempt. */
  readonly retryInSeconds?: number;
}
const NONE: BannerView = { kind: 'none', tone: 'plain', title: '', text: '' };
/** Before this nobody needs to read that something goes on. */
const QUIET_MS = 600;

type State = WardroomClient['state'];

export class ConnectionView {
  readonly banner: ReadonlySignal<BannerView>;
  /** Writing needs this; while it is away, what is sent waits. */
  readonly isLive = signal(false);
  readonly #state = signal<State>('idle');
  readonly #pausedBy = signal<'authority' | 'token' | undefined>(undefined);
  readonly #waiting = signal<{ why: WardroomError; until: number } | null>(null);
  readonly #now = signal(0);
  readonly #isQuiet = signal(true);
  #timer: unknown;
  #quiet: unknown;

  constructor(
    private readonly session: CookieSession,
    private readonly texts: ReadonlySignal<Texts>,
    private readonly clock: Clock = wallClock,
  ) {
    const { client } = session;
    client.on('state', ({ state }) => this.#follow(state));
    client.on('waiting', ({ why, delayMs }) => this.#wait(why, delayMs));
    this.banner = computed(() => this.#banner());
  }

  /** The next attempt at once. */
  retryNow(): void {
    this.session.client.wake();
  }

  #follow(state: State): void {
    this.#state.value = state;
    this.#pausedBy.value = this.session.client.pausedBy;
    this.isLive.value = state === 'live';
    if (state === 'live' || state === 'closed') {
      this.clock.clearTimeout(this.#quiet);
      this.#quiet = undefined;
      this.#isQuiet.value = true;
      this.#waiting.value = null;
    } else
      // Since the trouble began, whatever was tried meanwhile.
      this.#quiet ??= this.clock.setTimeout(() => (this.#isQuiet.value = false), QUIET_MS);
    if (state !== 'waiting') this.clock.clearTimeout(this.#timer);
  }

  #wait(why: WardroomError, delayMs: number): void {
    this.#now.value = this.clock.now();
    this.#waiting.value = { why, until: this.clock.now() + delayMs };
    this.#count();
  }

  /** Once a second, for the seconds that are shown. */
  #count(): void {
    this.clock.clearTimeout(this.#timer);
    this.#timer = this.clock.setTimeout(() => {
      this.#now.value = this.clock.now();
      this.#count();
    }, 1000);
  }

  #banner(): BannerView {
    const { banner: t, sentence } = this.texts.value;
    const { state, why } = this.session;
    if (state.value === 'signed_out') {
      const error = why.value;
      if (error === null) return { kind: 'signed_out', tone: 'bad', ...t.signedOutHere };
      const said =
        error.code === 'session_replaced' ? t.replaced : sentence(error.code, error.action);
      return { kind: error.action === 'stop' ? 'stopped' : 'signed_out', tone: 'bad', ...said };
    }
    switch (this.#state.value) {
      case 'paused':
        return this.#pausedBy.value === 'token'
          ? { kind: 'renewing', tone: 'warn', ...t.renewing }
          : { kind: 'paused', tone: 'warn', ...t.paused };
      case 'waiting':
        return this.#waits();
      case 'connecting':
      case 'authenticating':
        if (this.#waiting.value !== null && !this.#isQuiet.value) return this.#waits();
        return this.#isQuiet.value ? NONE : { kind: 'connecting', tone: 'plain', ...t.connecting };
      default:
        return NONE;
    }
  }

  #waits(): BannerView {
    const { banner: t, sentence } = this.texts.value;
    const waiting = this.#waiting.value;
    if (waiting === null || this.#isQuiet.value) return NONE;
    const { why, until } = waiting;
    if (why.action === 'refresh')
      return { kind: 'renewing', tone: 'warn', ...sentence(why.code, 'refresh') };
    const seconds = Math.max(0, Math.ceil((until - this.#now.value) / 1000));
    const said = why.kind === 'transport' ? t.offline : sentence(why.code, why.action);
    const retry = this.#state.value === 'waiting' ? { retryInSeconds: seconds } : {};
    return { kind: 'offline', tone: 'warn', ...said, ...retry };
  }
}
