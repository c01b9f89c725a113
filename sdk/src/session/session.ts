import { type Clock, systemClock } from '../clock.js';
import { type DebugOption, readDebug } from '../debug.js';
import { Emitter } from '../emitter.js';
import { toWardroomError, WardroomError } from '../errors.js';
import { newId } from '../new-id.js';
import type { ReceiptView } from '../rest/types.js';
import { type Caller, type Fetch, pageCookies, Rest, type RestCall } from '../rest/rest.js';
import { serverUrls } from '../urls.js';
import {
  type Grant,
  isSameGrant,
  type IssuedTokens,
  parseGrant,
  toGrant,
  type TokensAnswer,
} from './grant.js';
import { memoryStorage, type SessionStorage, webStorage } from './session-storage.js';
import { SurvivingStorage } from './surviving-storage.js';
import type { Credential, TokenReason } from './token-source.js';
import { type Locks, withLock } from './with-lock.js';

export interface LoginFields {
  tenant: string;
  email: string;
  password: string;
  device?: string;
}
export interface RegisterFields extends LoginFields {
  name?: string;
  /** The code of an invitation into the tenant, which counts also where registration is closed. */
  invite?: string;
}
export interface GuestFields {
  tenant: string;
  device?: string;
}
export interface ExchangeFields extends GuestFields {
  /** Of an external issuer that the server knows. */
  id_token: string;
}
/** An external issuer with a button. */
export interface SignInIssuer {
  issuer: string;
  label: string;
}
export interface IssuerSignInFields extends GuestFields {
  issuer: string;
  /** A path of the server, or a page of an allowed origin. */
  to: string;
  /** The issuer asks who it is even where it knows: a fresh proof for dangerous calls. */
  fresh?: boolean;
}
export interface SignedIn {
  sessionId: string;
}

export interface SessionOptions {
  /** `https://host` or `wss://host`. */
  url: string | URL;
  /** Default: memory. In cookie mode `localStorage`, because nothing secret is kept there. */
  storage?: SessionStorage;
  /**
   * `cookie`: the tokens stay in cookies that no script can read. For pages on the host of the
   * server. Default: `body`.
   */
  transport?: 'body' | 'cookie';
  /** Default: `globalThis.fetch`. */
  fetch?: Fetch;
  /** Of a call. Default: 10,000. */
  requestTimeoutMs?: number;
  /** For tests: another time. */
  clock?: Clock;
  /** Default: `navigator.locks` where it exists. */
  locks?: Locks;
  /** The readable cookies of the page. Default: `document.cookie`. */
  readCookies?: () => string;
  /** One line for each call, to the console or to a function. Never a token. */
  debug?: DebugOption;
}

export interface SessionEvents {
  /** A session was opened. */
  signed_in: SignedIn;
  /** The session is over and its tokens are forgotten. */
  signed_out: WardroomError;
  /** The storage could not be read or written: the session lives on in memory. */
  storage_failed: { cause: unknown };
}

/**
 * One signed-in device: keeps the tokens, and refreshes them when they are asked for after
 * `refresh_after_ms`. One refresh at a time, also among tabs: a tab that waited for the lock finds
 * the winner's token in the storage.
 */
export class WardroomSession implements Caller {
  readonly #events = new Emitter<SessionEvents>();
  /** Calls a listener with each such event. Returns the function that takes it away again. */
  readonly on = this.#events.on.bind(this.#events);
  /** Takes a listener away. */
  readonly off = this.#events.off.bind(this.#events);
  /** The next such event, as a promise. */
  readonly once = this.#events.once.bind(this.#events);
  readonly #rest: Rest;
  readonly #storage: SurvivingStorage;
  readonly #clock: Clock;
  readonly #locks: Locks | undefined;
  readonly #lockName: string;
  readonly #cookies: boolean;
  #grant: Grant | undefined;
  /** Cookie mode: proof of whose the cookies were when `#grant` was known. */
  #csrf: string | undefined;
  #refreshing: Promise<Grant> | undefined;
  /** While a logout is under way. */
  #leaving: WardroomError | undefined;
  #refreshCall: AbortController | undefined;
  /** Which grant a ticket was made with. */
  readonly #tickets = new WeakMap<object, Grant>();

  constructor(options: SessionOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#cookies = options.transport === 'cookie';
    const { rest: base } = serverUrls(options.url);
    this.#rest = new Rest({
      base,
      fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
      clock: this.#clock,
      timeoutMs: options.requestTimeoutMs ?? 10_000,
      readCookies: options.readCookies ?? pageCookies,
      debug: readDebug(options.debug),
    });
    const given = options.storage ?? (this.#cookies ? webStorage() : memoryStorage());
    const storage = given.forServer?.(base) ?? given;
    this.#storage = new SurvivingStorage(storage, (cause) =>
      this.#events.emit('storage_failed', { cause }),
    );
    this.#locks = options.locks;
    this.#lockName = `wardroom:${storage.name ?? newId()}`;
  }

  /** Known after signing in, or after the first token was read from the storage. */
  get sessionId(): string | undefined {
    return this.#grant?.session_id;
  }

  /** Signs in with a password. */
  login({ tenant, email, password, device }: LoginFields): Promise<SignedIn> {
    return this.#enter('login', { tenant, email, password, device });
  }

  /** Signs up, where the tenant allows it. */
  register(fields: RegisterFields): Promise<SignedIn> {
    const { tenant, email, password, name, invite, device } = fields;
    return this.#enter('register', { tenant, email, password, name, invite, device });
  }

  /** Without an account, where the tenant allows it: a guest reads public rooms. */
  guest({ tenant, device }: GuestFields): Promise<SignedIn> {
    return this.#enter('guest', { tenant, device });
  }

  /** Signs in with the ID token of an external issuer. */
  exchange({ tenant, id_token, device }: ExchangeFields): Promise<SignedIn> {
    return this.#enter('exchange', { tenant, id_token, device });
  }

  /**
   * Takes over a session that was opened elsewhere, for example by an application's own backend.
   * Not in cookie mode: there the cookies of the page are found without it.
   */
  adopt(tokens: IssuedTokens): Promise<SignedIn> {
    if (this.#cookies) throw new TypeError('adopt: tokens have no place in cookie mode');
    return this.#signedIn(() => Promise.resolve(tokens));
  }

  /** The external issuers at which users of a tenant may sign in by redirects. */
  async signInIssuers(tenant: string): Promise<SignInIssuer[]> {
    const path = `/v1/auth/issuers?tenant=${encodeURIComponent(tenant)}`;
    return (await this.#rest.call<{ items: SignInIssuer[] }>(path)).items;
  }

  /**
   * Begins a sign-in at an issuer, and answers where to send the browser. It comes back to `to`
   * with a session of cookies, or with `?refused=` and the code of the reason.
   */
  async beginSignIn(fields: IssuerSignInFields): Promise<string> {
    const call = { method: 'POST', body: fields } as const;
    const { url } = await this.#rest.call<{ url: string }>('/v1/auth/issuers/sign-in', call, {
      cookies: true,
    });
    return url;
  }

  /** Lets the server mail a link for a new password, if there is such a user. */
  async forgotPassword({ tenant, email }: { tenant: string; email: string }): Promise<void> {
    const body = { tenant, email };
    await this.#rest.call('/v1/auth/password/forgot', { method: 'POST', body });
  }

  /** Sets a new password with the token of such a link; ends all sessions of the user. */
  resetPassword(fields: { token: string; new: string }): Promise<ReceiptView> {
    return this.#rest.call('/v1/auth/password/reset', { method: 'POST', body: fields });
  }

  /**
   * Answers the server's receipt. If the server cannot be reached nothing is forgotten, so it can
   * be tried again.
   */
  async logout(scope: 'session' | 'others' | 'all' = 'session'): Promise<ReceiptView> {
    const call = { method: 'POST', body: { scope } } as const;
    if (scope === 'others') return this.call<ReceiptView>('/v1/auth/logout', call);
    const leaving = new WardroomError('signed_out');
    this.#leaving = leaving;
    try {
      const receipt = await this.call<ReceiptView>('/v1/auth/logout', call);
      await this.end(leaving);
      return receipt;
    } finally {
      this.#leaving = undefined;
    }
  }

  /**
   * The reason for which the session is over: a logout of its own, even where a connection hears of
   * its end before the logout is answered.
   */
  reasonOf(why: WardroomError): WardroomError {
    return this.#leaving ?? why;
  }

  /**
   * An access token before its refresh time that is not `stale` (a token the caller saw refused, or
   * wants replaced). While the server is away, a token that still lives is better than none. Throws
   * `signed_out` when there is no session.
   */
  async accessToken({ stale }: { stale?: string } = {}): Promise<string> {
    if (this.#cookies) throw new TypeError('accessToken: no script can read it in cookie mode');
    return (await this.#current((grant) => grant.access_token === stale)).access_token!;
  }

  /** For a connection: the access token; in cookie mode a ticket. */
  async take(reason: TokenReason, presented: Credential | undefined): Promise<Credential> {
    const isStale = (grant: Grant) => {
      if (reason === 'connect' || presented === undefined) return false;
      if (typeof presented === 'string') return grant.access_token === presented;
      const made = this.#tickets.get(presented);
      return made !== undefined && isSameGrant(made, grant);
    };
    const grant = await this.#current(isStale);
    if (!this.#cookies) return grant.access_token!;
    const { ticket } = await this.call<{ ticket: string }>('/v1/auth/ticket', {
      method: 'POST',
      body: {},
    });
    const credential = { ticket };
    this.#tickets.set(credential, this.#grant ?? grant);
    return credential;
  }

  /** Calls REST; refused with `refresh`, once more with a newer token. */
  async call<T>(path: string, call: RestCall = {}): Promise<T> {
    let grant = await this.#current();
    if (this.#cookies) grant = await this.#ownCookies(grant);
    try {
      return await this.#callWith<T>(grant, path, call);
    } catch (error) {
      if (!(error instanceof WardroomError) || error.action !== 'refresh') throw error;
    }
    const refused = grant;
    return this.#callWith<T>(await this.#current((now) => isSameGrant(now, refused)), path, call);
  }

  /** Gives up a refresh that is under way: its network may be gone. The next one asks again. */
  hurry(): void {
    this.#refreshCall?.abort();
  }

  /**
   * Forgets the tokens, unless the storage already belongs to another session. The server is not
   * told.
   */
  async end(given: WardroomError): Promise<void> {
    const why = this.reasonOf(given);
    const mine = this.#grant;
    if (!mine) return;
    this.#grant = undefined;
    const stored = await this.#read();
    if (stored?.session_id === mine.session_id) await this.#storage.write(null);
    this.#events.emit('signed_out', why);
  }

  #enter(way: string, fields: object): Promise<SignedIn> {
    const body = { ...fields, ...(this.#cookies && { transport: 'cookie' }) };
    return this.#signedIn(() =>
      this.#rest.call<TokensAnswer>(
        `/v1/auth/${way}`,
        { method: 'POST', body },
        { cookies: this.#cookies },
      ),
    );
  }

  async #signedIn(open: () => Promise<TokensAnswer>): Promise<SignedIn> {
    const grant = await this.#locked(async () => this.#keep(await open()));
    const signedIn = { sessionId: grant.session_id };
    this.#events.emit('signed_in', signedIn);
    return signedIn;
  }

  async #current(isStale: (grant: Grant) => boolean = () => false): Promise<Grant> {
    const grant = this.#grant ?? (await this.#remembered());
    if (!grant) {
      // The cookies may have outlived what was kept beside them.
      if (!this.#cookies || this.#rest.csrfToken() === undefined)
        throw new WardroomError('signed_out');
      return this.#refreshed(undefined);
    }
    const usable = !isStale(grant);
    if (usable && this.#clock.now() < grant.refresh_at) return grant;
    try {
      return await this.#refreshed(grant);
    } catch (error) {
      if (usable && !isOver(error) && this.#clock.now() < grant.expires_at) return grant;
      throw error;
    }
  }

  async #remembered(): Promise<Grant | undefined> {
    const stored = await this.#read();
    if (stored) this.#csrf = this.#rest.csrfToken();
    return (this.#grant ??= stored);
  }

  #refreshed(known: Grant | undefined): Promise<Grant> {
    this.#refreshing ??= this.#locked(() => this.#refreshLocked(known)).finally(
      () => (this.#refreshing = undefined),
    );
    return this.#refreshing;
  }

  #locked<T>(run: () => Promise<T>): Promise<T> {
    return withLock(this.#lockName, run, this.#clock, this.#locks);
  }

  async #refreshLocked(known: Grant | undefined): Promise<Grant> {
    // A login came first.
    if (this.#grant && this.#grant !== known) return this.#grant;
    const stored = await this.#read();
    if (!stored && known && !this.#cookies) return this.#over(new WardroomError('signed_out'));
    if (stored && known && stored.session_id !== known.session_id)
      return this.#over(new WardroomError('session_replaced'));
    const newer = stored && (!known || !isSameGrant(stored, known));
    if (newer && this.#clock.now() < stored.refresh_at) return (this.#grant = stored);
    try {
      const answer = await this.#askRefresh(stored);
      // The cookies belong to whoever signed in last, in any tab.
      if (known && answer.session_id !== known.session_id) {
        await this.#storage.write(JSON.stringify(toGrant(answer, this.#clock.now())));
        return await this.#over(new WardroomError('session_replaced'));
      }
      return await this.#keep(answer);
    } catch (error) {
      if (isOver(error)) return this.#over(error);
      throw error;
    }
  }

  async #askRefresh(stored: Grant | undefined): Promise<TokensAnswer> {
    const call = (this.#refreshCall = new AbortController());
    const body = this.#cookies ? {} : { refresh_token: stored?.refresh_token };
    const options = { method: 'POST', body, signal: call.signal };
    try {
      return await this.#rest.call<TokensAnswer>('/v1/auth/refresh', options, {
        cookies: this.#cookies,
      });
    } finally {
      if (this.#refreshCall === call) this.#refreshCall = undefined;
    }
  }

  async #callWith<T>(grant: Grant, path: string, call: RestCall): Promise<T> {
    const credential = this.#cookies ? { cookies: true } : { token: grant.access_token };
    try {
      return await this.#rest.call<T>(path, call, credential);
    } catch (error) {
      // Somebody else may have signed in meanwhile.
      if (isOver(error) && this.#grant?.session_id === grant.session_id) await this.end(error);
      throw error;
    }
  }

  /** Cookies change for all tabs at once: no call is made in the name of another tab's session. */
  async #ownCookies(grant: Grant): Promise<Grant> {
    const csrf = this.#rest.csrfToken();
    if (csrf === undefined || csrf === this.#csrf) return grant;
    const current = await this.#refreshed(grant);
    this.#csrf = csrf;
    return current;
  }

  async #over(why: WardroomError): Promise<never> {
    await this.end(why);
    throw why;
  }

  async #keep(answer: TokensAnswer): Promise<Grant> {
    this.#grant = toGrant(answer, this.#clock.now());
    this.#csrf = this.#rest.csrfToken();
    const grant = this.#grant;
    await this.#storage.write(JSON.stringify(grant));
    return grant;
  }

  async #read(): Promise<Grant | undefined> {
    return parseGrant(await this.#storage.read());
  }
}

/** The session has ended, whatever is tried. */
function isOver(error: unknown): error is WardroomError {
  const { action } = toWardroomError(error, 'network');
  return action === 'login' || action === 'stop';
}
