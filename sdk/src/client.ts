import type { Clock } from './clock.js';
import type { ServerFrame, ServerFrames } from '@wardroom/protocol';
import { type ConnectionState, ConnectionKeeper } from './connection/connection-keeper.js';
import { Emitter } from './emitter.js';
import { errorFromWire, WardroomError } from './errors.js';
import { Watch } from './watch.js';
import { type ClientOptions, readOptions } from './options.js';
import { Requests } from './connection/requests.js';
import type { Caller, RestCall } from './rest/rest.js';
import { TokenCaller } from './rest/token-caller.js';
import { type Body, Room, type RoomPort } from './room/room.js';
import { type RoomEvents, Subscription } from './room/subscription.js';
import type {
  ExchangeFields,
  GuestFields,
  LoginFields,
  RegisterFields,
  SignedIn,
  WardroomSession,
} from './session/session.js';

export interface ClientEvents {
  /** The connection is in another state. */
  state: { state: ConnectionState; previous: ConnectionState };
  /** `auth_ok` of a new connection. */
  connected: ServerFrames['auth_ok'];
  /** `auth_ok` of a new token on the same connection. */
  refreshed: ServerFrames['auth_ok'];
  /** The connection ended or could not be made; the next attempt follows after `delayMs`. */
  waiting: { why: WardroomError; delayMs: number; attempt: number };
  /**
   * A person must sign in again, wherever the client learned it. Ends a connection, too: then
   * `closed` follows.
   */
  signed_out: WardroomError;
  /** No more attempts until `connect` is called. */
  closed: WardroomError;
  /** While the client watches: a room of the user has a new message. */
  activity: ServerFrames['activity'];
  /** While the client watches: the user has a room more or less, or one has changed. */
  rooms_changed: ServerFrames['rooms_changed'];
  /** The user read in a room on another device; while the client watches, in any room. */
  read: ServerFrames['read'];
  /** Trouble that belongs to no request and ends nothing. */
  error: WardroomError;
}

/** The client: one connection that is kept up and kept authenticated, and the rooms over it. */
export class CoreClient {
  readonly #events = new Emitter<ClientEvents>();
  /** Calls a listener with each such event. Returns the function that takes it away again. */
  readonly on = this.#events.on.bind(this.#events);
  /** Takes a listener away. */
  readonly off = this.#events.off.bind(this.#events);
  /** The next such event, as a promise. */
  readonly once = this.#events.once.bind(this.#events);
  /** Present unless the client was made with `getToken`. */
  readonly session: WardroomSession | undefined;
  readonly #caller: Caller;
  readonly #keeper: ConnectionKeeper;
  readonly #requests: Requests;
  protected readonly clock: Clock;
  readonly #rooms = new Map<string, { room: Room; subscription: Subscription }>();
  readonly #subscriptionsById = new Map<string, Set<Subscription>>();
  /** The user of the last connection, until they are signed out. */
  #me: string | undefined;
  readonly #watch: Watch;
  /** Nobody hears of one end twice. */
  #told: WardroomError | undefined;

  constructor(options: ClientOptions) {
    const { session, take, rest, keeper, pendingMax } = readOptions(options);
    this.session = session;
    this.#keeper = new ConnectionKeeper(keeper, {
      state: (state, previous) => this.#events.emit('state', { state, previous }),
      authenticated: (frame, how) => {
        this.#me = frame.user_id;
        this.#events.emit(how, frame);
      },
      ready: (fresh) => this.#ready(fresh),
      frame: (frame) => this.#receive(frame),
      lost: (why) => this.#requests.lost(why),
      waiting: (why, delayMs, attempt) => this.#events.emit('waiting', { why, delayMs, attempt }),
      failed: (why) => this.#events.emit('error', why),
      ended: (why) => this.#ended(why),
    });
    const port = {
      live: () => this.state === 'live',
      sendRequest: (text: string) => this.#keeper.sendRequest(text),
      tokenExpired: () => this.#keeper.tokenExpired(),
    };
    this.clock = keeper.clock;
    this.#requests = new Requests(port, keeper.clock, keeper.backoff, pendingMax);
    // The token of the living connection is good enough; getToken may be costly.
    const cheap: typeof take = async (reason, presented) =>
      (reason === 'connect' ? this.#keeper.token : undefined) ?? take(reason, presented);
    this.#caller = session ?? new TokenCaller(rest, cheap, (why) => this.#signedOut(why));
    session?.on('signed_out', (why) => this.#signedOut(why));
    this.#watch = new Watch((frame, options) => this.#requests.ask(frame, options));
  }

  /** Where the connection is: `idle`, `connecting`, `live`, ... */
  get state(): ConnectionState {
    return this.#keeper.state;
  }
  /**
   * Why the connection is paused: `authority`, the node cannot prove that the rights it knows are
   * current; `token`, the access token has expired and a new one is on its way.
   */
  get pausedBy(): 'authority' | 'token' | undefined {
    return this.#keeper.pausedBy;
  }
  /** The user that is connected: the last `auth_ok`, while the connection lasts. */
  get auth(): ServerFrames['auth_ok'] | undefined {
    return this.#keeper.auth;
  }

  /** Signs the session of this client in. */
  login(fields: LoginFields): Promise<SignedIn> {
    return this.#ownSession().login(fields);
  }
  /** Signs up, where the tenant allows it. */
  register(fields: RegisterFields): Promise<SignedIn> {
    return this.#ownSession().register(fields);
  }
  /** Without an account, where the tenant allows it. */
  guest(fields: GuestFields): Promise<SignedIn> {
    return this.#ownSession().guest(fields);
  }
  /** With the ID token of an external issuer. */
  exchange(fields: ExchangeFields): Promise<SignedIn> {
    return this.#ownSession().exchange(fields);
  }

  /**
   * Resolves at `auth_ok`; keeps trying while trouble is temporary, rejects when the server says
   * `login` or `stop`.
   */
  connect(): Promise<ServerFrames['auth_ok']> {
    return this.#keeper.start();
  }

  /**
   * Ends the connection, not the session. Pending requests are rejected; a later `connect` takes
   * the rooms up again.
   */
  close(): void {
    this.#keeper.end(new WardroomError('closed'));
  }

  /**
   * News of all rooms of the user, subscribed or not, also over later connections: the events
   * `activity`, `rooms_changed` and `read`. Answers how many rooms are watched. After each
   * `connected` a list of rooms is read anew, once this has answered.
   */
  watch(): Promise<ServerFrames['watching']> {
    return this.#watch.start();
  }

  /**
   * The machine woke up, or the network is back: the client is live again within 3 s. Pages call it
   * by themselves (`online`, `visibilitychange`); elsewhere, for example in Electron, the
   * application knows.
   */
  wake(): void {
    this.#keeper.wake();
  }

  /**
   * Always the same object for the same id or slug; an id also finds the room that was subscribed
   * by its slug.
   */
  room<B = Body>(idOrSlug: string): Room<B> {
    let entry =
      this.#rooms.get(idOrSlug) ??
      [...this.#rooms.values()].find(({ room }) => room.id === idOrSlug);
    if (!entry) this.#rooms.set(idOrSlug, (entry = this.#makeRoom(idOrSlug)));
    return entry.room as unknown as Room<B>;
  }

  /** Calls REST as the user; refused with `refresh`, once more with a newer token. */
  rest<T>(path: string, call?: RestCall): Promise<T> {
    return this.#caller.call<T>(path, call);
  }

  protected newRoom(...parts: ConstructorParameters<typeof Room<Body>>): Room {
    return new Room(...parts);
  }

  #makeRoom(ref: string) {
    const events = new Emitter<RoomEvents>();
    const port: RoomPort = {
      ask: (frame, options) => {
        if (this.state === 'closed')
          return Promise.reject(new WardroomError('closed', { opId: options.opId }));
        return this.#requests.ask(frame, options);
      },
      live: () => this.state === 'live',
      tell: (frame) => {
        if (this.state === 'live') this.#keeper.sendText(JSON.stringify(frame));
      },
      named: (id) => {
        const named = this.#subscriptionsById.get(id) ?? new Set();
        this.#subscriptionsById.set(id, named.add(subscription));
      },
      rest: (path) => this.rest(path),
      me: () => this.#me,
      clock: this.clock,
      onConnected: (listener) => this.on('connected', listener),
    };
    const subscription = new Subscription(ref, events, port);
    return { room: this.newRoom(ref, events, subscription, port), subscription };
  }

  #ready(fresh: boolean): void {
    if (fresh) this.#watch.resume();
    if (fresh) for (const { subscription } of this.#rooms.values()) subscription.resume();
    this.#requests.flush();
  }

  #receive(frame: ServerFrame): void {
    if (this.#requests.answer(frame)) return;
    if (frame.type === 'activity' || frame.type === 'rooms_changed')
      return this.#events.emit<typeof frame.type>(frame.type, frame);
    if (frame.type === 'error') return this.#events.emit('error', errorFromWire({ ...frame }));
    if (!('room' in frame)) return;
    for (const subscription of this.#subscriptionsById.get(frame.room) ?? [])
      subscription.receive(frame);
    if (frame.type === 'read' && frame.sender === this.#me) this.#events.emit('read', frame);
  }

  #ended(given: WardroomError): void {
    const why = given.action === 'login' ? (this.session?.reasonOf(given) ?? given) : given;
    this.#requests.end(why);
    if (why.action === 'login' || why.action === 'stop') {
      this.#me = undefined;
      this.#watch.stop();
      for (const { subscription } of this.#rooms.values()) subscription.forget(why);
    }
    if (why.action === 'login') {
      void this.session?.end(why);
      this.#tell(why);
    }
    this.#events.emit('closed', why);
  }

  /** Learned from REST or from the session; the connection ends with it. */
  #signedOut(why: WardroomError): void {
    if (this.state === 'closed') this.#tell(why);
    else this.#keeper.end(why);
  }

  #tell(why: WardroomError): void {
    if (why === this.#told || why.action !== 'login') return;
    this.#told = why;
    this.#events.emit('signed_out', why);
  }

  #ownSession(): WardroomSession {
    if (this.session) return this.session;
    throw new TypeError('This client gets its tokens from getToken: sign in where they come from');
  }
}
