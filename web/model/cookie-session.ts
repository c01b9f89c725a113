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
  #timer: unknown;

  constructor({ webSocket, ...options }: Options) {
    const session = new WardroomSession({ ...options, transport: 'cookie' });
    const { url, clock } = options;
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
    return this.#enter(() => this.client.login(fields));
  }
  register(fields: RegisterFields): Promise<void> {
    return this.#enter(() => this.client.register(fields));
  }
  asGuest(tenant: string, device?: string): Promise<void> {
    const fields = { tenant, ...(device !== undefined && { device }) };
    return this.#enter(() => this.client.guest(fields));
  }
  exchange(fields: ExchangeFields): Promise<void> {
    return this.#enter(() => this.client.exchange(fields));
  }

  /** Ends this session; `others` leaves it and ends all others of the user. */
  async signOut(scope: 'session' | 'others' | 'all' = 'session'): Promise<ReceiptView> {
    const receipt = await this.client.session!.logout(scope);
    if (scope !== 'others') this.client.close();
    return receipt;
  }

  /** The profile has changed. */
  adopt(me: Me): void {
    this.me.value = me;
  }

  async #enter(open: () => Promise<unknown>): Promise<void> {
    await open();
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
    // `signed_out` is the SDK's own word for nobody, or for having left.
    this.why.value = why.code === 'signed_out' ? null : why;
    this.state.value = 'signed_out';
  }
}
