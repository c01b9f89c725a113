import { type Clock, systemClock } from './clock.js';
import { Emitter } from './emitter.js';
import { WardroomError } from './errors.js';
import { newId } from './new-id.js';
import { callSignedIn, type Fetch, Rest } from './rest.js';
import { memoryStorage, type SessionStorage } from './session-storage.js';
import { takeFromSession } from './token-source.js';
import { serverUrls } from './urls.js';
import { type Locks, withLock } from './with-lock.js';

export interface LoginFields {
  tenant: string;
  email: string;
  password: string;
  device?: string;
}

export interface SessionOptions {
  url: string | URL;
  storage?: SessionStorage;
  fetch?: Fetch;
  requestTimeoutMs?: number;
  clock?: Clock;
  /** Default: `navigator.locks` where it exists. */
  locks?: Locks;
}

export interface SessionEvents {
  signed_in: { sessionId: string };
  /** The session is over and its tokens are forgotten. */
  signed_out: WardroomError;
}

/** The answer of a login, and of every other call that opens a session. */
export interface IssuedTokens {
  access_token: string;
  refresh_token: string;
  session_id: string;
  expires_in: number;
  refresh_after_ms: number;
}

/** The content of the storage; times are wall time of this machine in ms. */
interface Grant {
  access_token: string;
  refresh_token: string;
  session_id: string;
  expires_at: number;
  refresh_at: number;
}

/**
 * One signed-in device: keeps the tokens, and refreshes them when they are asked for after
 * `refresh_after_ms`. One refresh at a time, also among tabs: a tab that waited for the lock finds
 * the winner's token in the storage.
 */
export class WardroomSession {
  readonly #events = new Emitter<SessionEvents>();
  readonly on = this.#events.on.bind(this.#events);
  readonly off = this.#events.off.bind(this.#events);
  readonly once = this.#events.once.bind(this.#events);
  readonly #rest: Rest;
  readonly #storage: SessionStorage;
  readonly #clock: Clock;
  readonly #locks: Locks | undefined;
  readonly #lockName: string;
  #grant: Grant | undefined;
  #refreshing: Promise<Grant> | undefined;

  constructor(options: SessionOptions) {
    this.#clock = options.clock ?? systemClock;
    const fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
    this.#rest = new Rest(
      serverUrls(options.url).rest,
      fetch,
      this.#clock,
      options.requestTimeoutMs ?? 10_000,
    );
    this.#storage = options.storage ?? memoryStorage();
    this.#locks = options.locks;
    this.#lockName = `wardroom:${this.#storage.name ?? newId()}`;
  }

  /** Known after `login`, or after the first token was read from the storage. */
  get sessionId(): string | undefined {
    return this.#grant?.session_id;
  }

  async login(fields: LoginFields): Promise<{ sessionId: string }> {
    const { tenant, email, password, device } = fields;
    const body = { tenant, email, password, ...(device === undefined ? {} : { device }) };
    const login = async () =>
      this.#keep(await this.#rest.call<IssuedTokens>('/v1/auth/login', { method: 'POST', body }));
    const grant = await withLock(this.#lockName, login, this.#locks);
    const signedIn = { sessionId: grant.session_id };
    this.#events.emit('signed_in', signedIn);
    return signedIn;
  }

  /**
   * Takes over a session that was opened elsewhere: by a call the SDK does not know, or by an
   * application's own backend.
   */
  async adopt(tokens: IssuedTokens): Promise<{ sessionId: string }> {
    const grant = await withLock(this.#lockName, () => this.#keep(tokens), this.#locks);
    const signedIn = { sessionId: grant.session_id };
    this.#events.emit('signed_in', signedIn);
    return signedIn;
  }

  /**
   * Answers the server's receipt. If the server cannot be reached nothing is forgotten, so it can
   * be tried again.
   */
  async logout(scope: 'session' | 'others' | 'all' = 'session'): Promise<unknown> {
    const receipt = await callSignedIn(this.#rest, takeFromSession(this), '/v1/auth/logout', {
      method: 'POST',
      body: { scope },
    });
    if (scope !== 'others') await this.end(new WardroomError('signed_out'));
    return receipt;
  }

  /**
   * An access token before its refresh time that is not `stale` (a token the caller saw refused, or
   * wants replaced). While the server is away, a token that still lives is better than none. Throws
   * `signed_out` when there is no session.
   */
  async accessToken({ stale }: { stale?: string } = {}): Promise<string> {
    const grant = (this.#grant ??= await this.#read());
    if (!grant) throw new WardroomError('signed_out');
    const usable = grant.access_token !== stale;
    if (usable && this.#clock.now() < grant.refresh_at) return grant.access_token;
    this.#refreshing ??= this.#refresh(grant).finally(() => (this.#refreshing = undefined));
    try {
      return (await this.#refreshing).access_token;
    } catch (error) {
      const over =
        error instanceof WardroomError && (error.action === 'login' || error.action === 'stop');
      if (usable && !over && this.#clock.now() < grant.expires_at) return grant.access_token;
      throw error;
    }
  }

  /**
   * Forgets the tokens, unless the storage already belongs to another session. The server is not
   * told.
   */
  async end(why: WardroomError): Promise<void> {
    const mine = this.#grant;
    if (!mine) return;
    this.#grant = undefined;
    const stored = await this.#read();
    if (stored?.session_id === mine.session_id) await this.#storage.remove();
    this.#events.emit('signed_out', why);
  }

  #refresh(known: Grant): Promise<Grant> {
    return withLock(this.#lockName, () => this.#refreshLocked(known), this.#locks);
  }

  async #refreshLocked(known: Grant): Promise<Grant> {
    // A login came first.
    if (this.#grant && this.#grant !== known) return this.#grant;
    const stored = await this.#read();
    if (!stored) return this.#over(new WardroomError('signed_out'));
    if (stored.session_id !== known.session_id)
      return this.#over(new WardroomError('session_replaced'));
    if (stored.access_token !== known.access_token && this.#clock.now() < stored.refresh_at)
      return (this.#grant = stored);
    try {
      const body = { refresh_token: stored.refresh_token };
      return await this.#keep(
        await this.#rest.call<IssuedTokens>('/v1/auth/refresh', { method: 'POST', body }),
      );
    } catch (error) {
      if (error instanceof WardroomError && (error.action === 'login' || error.action === 'stop'))
        return this.#over(error);
      throw error;
    }
  }

  async #over(why: WardroomError): Promise<never> {
    await this.end(why);
    throw why;
  }

  async #keep(answer: IssuedTokens): Promise<Grant> {
    const now = this.#clock.now();
    this.#grant = {
      access_token: answer.access_token,
      refresh_token: answer.refresh_token,
      session_id: answer.session_id,
      expires_at: now + answer.expires_in * 1000,
      refresh_at: now + answer.refresh_after_ms,
    };
    await this.#storage.set(JSON.stringify(this.#grant));
    return this.#grant;
  }

  async #read(): Promise<Grant | undefined> {
    const text = await this.#storage.get();
    try {
      return text === null ? undefined : (JSON.parse(text) as Grant);
    } catch {
      return undefined;
    }
  }
}
