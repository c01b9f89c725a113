import type { ServerFrame, ServerFrames } from '@wardroom/protocol';
import { type ConnectionState, ConnectionKeeper } from './connection-keeper.js';
import { Emitter } from './emitter.js';
import { errorFromWire, WardroomError } from './errors.js';
import { type ClientOptions, readOptions } from './options.js';
import { Requests } from './requests.js';
import { callSignedIn, type Rest, type RestCall } from './rest.js';
import { Room, type RoomPort } from './room.js';
import { type RoomEvents, Subscription } from './subscription.js';
import type { LoginFields, WardroomSession } from './session.js';
import type { TakeToken } from './token-source.js';

export interface ClientEvents {
  state: { state: ConnectionState; previous: ConnectionState };
  /** `auth_ok` of a new connection. */
  connected: ServerFrames['auth_ok'];
  /** `auth_ok` of a new token on the same connection. */
  refreshed: ServerFrames['auth_ok'];
  /** The connection ended or could not be made; the next attempt follows after `delayMs`. */
  waiting: { why: WardroomError; delayMs: number; attempt: number };
  /** A person must sign in again; followed by `closed`. */
  signed_out: WardroomError;
  /** No more attempts until `connect` is called. */
  closed: WardroomError;
  /** Trouble that belongs to no request and ends nothing. */
  error: WardroomError;
}

/** The client: one connection that is kept up and kept authenticated, and the rooms over it. */
export class WardroomClient {
  readonly #events = new Emitter<ClientEvents>();
  readonly on = this.#events.on.bind(this.#events);
  readonly off = this.#events.off.bind(this.#events);
  readonly once = this.#events.once.bind(this.#events);
  /** Present unless the client was made with `getToken`. */
  readonly session: WardroomSession | undefined;
  readonly #take: TakeToken;
  readonly #rest: Rest;
  readonly #keeper: ConnectionKeeper;
  readonly #requests: Requests;
  readonly #rooms = new Map<string, { room: Room; subscription: Subscription }>();
  readonly #subscriptionsById = new Map<string, Set<Subscription>>();

  constructor(options: ClientOptions) {
    const { session, take, rest, keeper, pendingMax } = readOptions(options);
    this.session = session;
    this.#take = take;
    this.#rest = rest;
    this.#keeper = new ConnectionKeeper(keeper, {
      state: (state, previous) => this.#events.emit('state', { state, previous }),
      authenticated: (frame, how) => this.#events.emit(how, frame),
      ready: (fresh) => this.#ready(fresh),
      frame: (frame) => this.#receive(frame),
      lost: (why) => this.#requests.lost(why),
      waiting: (why, delayMs, attempt) => this.#events.emit('waiting', { why, delayMs, attempt }),
      failed: (why) => this.#events.emit('error', why),
      ended: (why) => this.#ended(why),
    });
    const port = {
      live: () => this.state === 'live',
      sendText: (text: string) => this.#keeper.sendText(text),
      tokenExpired: () => this.#keeper.tokenExpired(),
    };
    this.#requests = new Requests(port, keeper.clock, keeper.backoff, pendingMax);
    session?.on('signed_out', (why) => this.#keeper.end(why));
  }

  get state(): ConnectionState {
    return this.#keeper.state;
  }
  /** The user that is connected: the last `auth_ok`, while the connection lasts. */
  get auth(): ServerFrames['auth_ok'] | undefined {
    return this.#keeper.auth;
  }

  /** Signs the built-in session in. */
  login(fields: LoginFields): Promise<{ sessionId: string }> {
    if (!this.session) throw new TypeError('login: this client gets its tokens from getToken');
    return this.session.login(fields);
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
   * Always the same object for the same id or slug; an id also finds the room that was subscribed
   * by its slug.
   */
  room(idOrSlug: string): Room {
    let entry =
      this.#rooms.get(idOrSlug) ??
      [...this.#rooms.values()].find(({ room }) => room.id === idOrSlug);
    if (!entry) this.#rooms.set(idOrSlug, (entry = this.#makeRoom(idOrSlug)));
    return entry.room;
  }

  /** Calls REST with the access token; refused with `refresh`, once more with a newer one. */
  rest<T>(path: string, call?: RestCall): Promise<T> {
    // The token of the living connection is good enough; getToken may be costly.
    const take: TakeToken = async (reason, presented) =>
      (reason === 'connect' ? this.#keeper.token : undefined) ?? this.#take(reason, presented);
    return callSignedIn<T>(this.#rest, take, path, call);
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
    };
    const subscription = new Subscription(ref, events, port);
    return { room: new Room(ref, events, subscription, port), subscription };
  }

  #ready(fresh: boolean): void {
    if (fresh) for (const { subscription } of this.#rooms.values()) subscription.resume();
    this.#requests.flush();
  }

  #receive(frame: ServerFrame): void {
    if (this.#requests.answer(frame)) return;
    if (frame.type === 'error') return this.#events.emit('error', errorFromWire({ ...frame }));
    if (!('room' in frame)) return;
    for (const subscription of this.#subscriptionsById.get(frame.room) ?? [])
      subscription.receive(frame);
  }

  #ended(why: WardroomError): void {
    this.#requests.end(why);
    if (why.action === 'login' || why.action === 'stop')
      for (const { subscription } of this.#rooms.values()) subscription.forget(why);
    if (why.action === 'login') {
      void this.session?.end(why);
      this.#events.emit('signed_out', why);
    }
    this.#events.emit('closed', why);
  }
}
