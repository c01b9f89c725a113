/**
 * The person signed in on this page, over the cookie mode of the SDK: no script can read a token.
 * The client outlives sign-ins, so rooms and drafts stay where they were.
 */
import { computed, signal } from '@preact/signals';
import {
  type ExchangeFields,
  type LoginFields,
  type Me,
  type ReceiptView,
  type RegisterFields,
  type SessionOptions,
  type SocketConstructor,
  WardroomClient,
  WardroomError,
  WardroomSession,
} from '@wardroom/client';
import { troubleOf } from './trouble.js';

/** `starting`: not known yet; `away`: the server does not answer, it is asked again. */
export type SignedState = 'starting' | 'signed_out' | 'signed_in' | 'away';

/** A change of many things asks for the password again when the last time was longer ago. */
const PROVEN_MS = 10 * 60_000;
const ASK_AGAIN_MS = 3_000;

type Options = Omit<SessionOptions, 'transport'> & { webSocket?: SocketConstructor };

export class CookieSession {
  readonly client: WardroomClient;
  readonly state = signal<SignedState>('starting');
  /** The user, also after the session has ended: they may sign in again. */
  readonly me = signal<Me | null>(null);
  /** Why the session is over; null: nobody was signed in, or they signed out here. */
  readonly why = signal<WardroomError | null>(null);
  /** The tenant and address to sign in again with. */
  readonly known = computed(() => {
    const me = this.me.value;
    return me === null ? null : { tenant: me.tenant.slug, email: me.email ?? '' };
  });
  /** Asks its person for their password and calls `proveAgain`. Resolves false: they gave up. */
  askPassword: () => Promise<boolean> = () => Promise.resolve(false);
  /** When the password was given last, ms of the clock. */
  #provenAt = -Infinity;
  #timer: unknown;
  readonly #now: () => number;

  constructor({ webSocket, ...options }: Options) {
    const session = new WardroomSession({ ...options, transport: 'cookie' });
    const { url, clock } = options;
    this.#now = () => (clock ?? Date).now();
    this.client = new WardroomClient({
      url,
      session,
      ...(clock !== undefined && { clock }),
      ...(webSocket !== undefined && { webSocket }),
    });
    this.client.on('signed_out', (why) => this.#over(why));
    this.client.on('closed', (why) => {
      if (why.action === 'stop') this.#over(why);
    });
  }

  /** Goes on with the cookies of an earlier visit, if there are any. */
  async start(): Promise<void> {
    clearTimeout(this.#timer as number | undefined);
    try {
      const me = await this.client.api.me();
      this.#entered(me);
    } catch (thrown) {
      const error = troubleOf(thrown);
      if (error.action === 'login' || error.action === 'stop') return this.#over(error);
      this.state.value = 'away';
      this.#timer = setTimeout(() => void this.start(), error.retryAfterMs ?? ASK_AGAIN_MS);
    }
  }

  /** Stops asking a server that is away. */
  stop(): void {
    clearTimeout(this.#timer as number | undefined);
    this.client.close();
  }

  signIn(fields: LoginFields): Promise<void> {
    return this.#enter(() => this.client.login(fields), true);
  }
  register(fields: RegisterFields): Promise<void> {
    return this.#enter(() => this.client.register(fields), true);
  }
  asGuest(tenant: string, device?: string): Promise<void> {
    const fields = { tenant, ...(device !== undefined && { device }) };
    return this.#enter(() => this.client.guest(fields), false);
  }
  exchange(fields: ExchangeFields): Promise<void> {
    return this.#enter(() => this.client.exchange(fields), false);
  }

  /** Ends this session; `others` leaves it and ends all others of the user. */
  async signOut(scope: 'session' | 'others' | 'all' = 'session'): Promise<ReceiptView> {
    const receipt = await this.client.session!.logout(scope);
    if (scope !== 'others') this.client.close();
    return receipt;
  }

  /** The password was given within the last ten minutes. */
  get isProven(): boolean {
    return this.#now() - this.#provenAt < PROVEN_MS;
  }

  /**
   * Runs what ends many things at once, once its person has given their password lately. Answers
   * null when they gave up.
   */
  async proven<T>(run: () => Promise<T>): Promise<T | null> {
    if (!this.isProven && !(await this.askPassword())) return null;
    return run();
  }

  /** A new session in place of this one, with the password; throws when it is refused. */
  async proveAgain(password: string): Promise<void> {
    const { known } = this;
    const before = this.client.session!.sessionId;
    if (known.value === null) throw new WardroomError('signed_out');
    await this.signIn({ ...known.value, password });
    if (before !== undefined) await this.client.api.sessions.end(before).catch(() => undefined);
  }

  /** The profile has changed. */
  adopt(me: Me): void {
    this.me.value = me;
  }

  async #enter(open: () => Promise<unknown>, withPassword: boolean): Promise<void> {
    await open();
    if (withPassword) this.#provenAt = this.#now();
    // A connection of the session before belongs to another one.
    this.client.close();
    this.#entered(await this.client.api.me());
  }

  #entered(me: Me): void {
    this.me.value = me;
    this.why.value = null;
    this.state.value = 'signed_in';
  }

  #over(why: WardroomError): void {
    this.#provenAt = -Infinity;
    // `signed_out` is the SDK's own word for nobody, or for having left.
    this.why.value = why.code === 'signed_out' ? null : why;
    this.state.value = 'signed_out';
  }
}
