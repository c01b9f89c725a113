import type { ServerFrame, ServerFrames } from '@wardroom/protocol';
import type { Clock } from '../clock.js';
import type { Debug } from '../debug.js';
import { Connection, type SocketConstructor } from './connection.js';
import { onPageWake } from './page-wakes.js';
import { toWardroomError, WardroomError } from '../errors.js';
import { type Backoff, planReconnect } from './plan-reconnect.js';
import { Reauth } from './reauth.js';
import {
  type Credential,
  credentialFields,
  type TakeToken,
  type TokenReason,
} from '../session/token-source.js';

/**
 * idle -> connecting -> authenticating -> live <-> paused; from any of them waiting (between two
 * attempts) or closed. `paused`: connected, but the node cannot prove its authority, or the token
 * has expired and a new one is on its way.
 */
export type ConnectionState =
  'idle' | 'connecting' | 'authenticating' | 'live' | 'paused' | 'waiting' | 'closed';

/** After waking: how long a sign of life, a handshake or a renewal may take. */
const PATIENCE_MS = 1500;
/** So long after waking, failures of the transport are retried after at most `HURRIED_MS`. */
const AWAKE_MS = 3000;
const HURRIED_MS = 250;

export interface KeeperOptions {
  url: string;
  /** Undefined: there is none here. Then connecting fails. */
  Socket: SocketConstructor | undefined;
  take: TakeToken;
  /** Gives up a renewal that has been under way for too long. */
  hurry(): void;
  clock: Clock;
  backoff: Backoff;
  connectTimeoutMs: number;
  /** A connection that lived so long was a good one: the next trouble starts counting anew. */
  stableMs: number;
  /** Attempts in a row that may fail. */
  maxAttempts: number;
  debug: Debug | undefined;
}

export interface KeeperHandlers {
  state(state: ConnectionState, previous: ConnectionState): void;
  authenticated(frame: ServerFrames['auth_ok'], how: 'connected' | 'refreshed'): void;
  /** Frames may be sent; `fresh` on the first time over a new connection. */
  ready(fresh: boolean): void;
  frame(frame: ServerFrame): void;
  lost(why: WardroomError): void;
  waiting(why: WardroomError, delayMs: number, attempt: number): void;
  failed(why: WardroomError): void;
  ended(why: WardroomError): void;
}

/**
 * Keeps one authenticated connection alive until it is told, by the server or the application, to
 * end.
 */
export class ConnectionKeeper {
  #state: ConnectionState = 'idle';
  #connection: Connection | undefined;
  #credential: Credential | undefined;
  #auth: ServerFrames['auth_ok'] | undefined;
  #attempt = 0;
  /** Changes with every attempt and end; results of an older attempt are void. */
  #run = 0;
  #timer: unknown;
  #liveAt: number | undefined;
  #fresh = false;
  #paused = false;
  #expired = false;
  #started: ReturnType<typeof deferred> | undefined;
  /** The attempt that follows the wait. */
  #next: { reason: TokenReason; notBefore: number } | undefined;
  #wokeAt = -Infinity;
  #wakeTimer: unknown;
  #stopListening: (() => void) | undefined;
  readonly #reauth: Reauth;

  constructor(
    private readonly options: KeeperOptions,
    private readonly handlers: KeeperHandlers,
  ) {
    this.#reauth = new Reauth(
      {
        take: (reason) => options.take(reason, this.#credential),
        presented: () => this.#credential,
        present: (credential, frame) => {
          this.#credential = credential;
          this.#connection?.send(frame);
        },
        leave: (why) => this.#leave(why),
        failed: (why) => handlers.failed(why),
      },
      options.clock,
      options.backoff,
    );
  }

  get state(): ConnectionState {
    return this.#state;
  }
  get auth(): ServerFrames['auth_ok'] | undefined {
    return this.#auth;
  }

  /** `authority`: the node cannot prove it; `token`: it has expired, a new one is on its way. */
  get pausedBy(): 'authority' | 'token' | undefined {
    if (this.#state !== 'paused') return undefined;
    return this.#expired ? 'token' : 'authority';
  }

  /** Resolves at `auth_ok`, however many attempts it takes; rejects when the client ends before. */
  start(): Promise<ServerFrames['auth_ok']> {
    if (this.#auth && (this.#state === 'live' || this.#state === 'paused'))
      return Promise.resolve(this.#auth);
    this.#started ??= deferred();
    const { promise } = this.#started;
    if (this.#state === 'idle' || this.#state === 'closed') {
      this.#stopListening ??= onPageWake(() => this.wake());
      void this.#connect('connect');
    }
    return promise;
  }

  /** The access token of the living connection. */
  get token(): string | undefined {
    return this.#auth && typeof this.#credential === 'string' ? this.#credential : undefined;
  }

  sendText(text: string): void {
    this.#connection?.sendText(text);
  }
  sendRequest(text: string): void {
    this.#connection?.sendRequest(text);
  }

  /**
   * The machine slept, or the network was away and is back. A token that is due is renewed at once,
   * a connection that gives no sign of life is replaced, and a wait is cut short; only a delay that
   * the server asked for stays.
   */
  wake(): void {
    if (this.#state === 'idle' || this.#state === 'closed') return;
    const { clock } = this.options;
    this.options.debug?.('woken');
    this.#wokeAt = clock.now();
    if (this.#next) return this.#waitFor(Math.max(0, this.#next.notBefore - clock.now()));
    if (this.#liveAt !== undefined) {
      this.#reauth.wake();
      return this.#connection?.probe(PATIENCE_MS);
    }
    const run = this.#run;
    clock.clearTimeout(this.#wakeTimer);
    this.#wakeTimer = clock.setTimeout(() => {
      if (run !== this.#run || this.#liveAt !== undefined) return;
      if (this.#connection) this.#leave(new WardroomError('connection_lost'));
      else this.options.hurry();
    }, PATIENCE_MS);
  }

  tokenExpired(): void {
    this.#expired = true;
    this.#settle();
    this.#reauth.run();
  }

  end(why: WardroomError): void {
    if (this.#state === 'closed') return;
    this.#drop();
    this.#attempt = 0;
    this.#credential = undefined;
    const started = this.#started;
    this.#started = undefined;
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#become('closed');
    this.handlers.ended(why);
    started?.reject(why);
  }

  async #connect(reason: TokenReason): Promise<void> {
    const run = ++this.#run;
    this.#next = this.#timer = undefined;
    if (!this.options.Socket) return this.end(new WardroomError('no_web_socket'));
    this.#become('connecting');
    try {
      const credential = await this.options.take(reason, this.#credential);
      if (run !== this.#run) return;
      this.#credential = credential;
    } catch (thrown) {
      if (run === this.#run) this.#again(toWardroomError(thrown, 'token_unavailable'), reason);
      return;
    }
    try {
      this.#connection = this.#open(this.options.Socket);
    } catch (cause) {
      // Forbidden here (an insecure socket on a secure page): no later attempt would fare better.
      this.end(
        new WardroomError('network', {
          action: 'stop',
          message: 'The WebSocket could not be made.',
          cause,
        }),
      );
    }
  }

  #open(Socket: SocketConstructor): Connection {
    const { url, connectTimeoutMs, clock, debug } = this.options;
    const handlers = {
      opened: () => this.#authenticate(),
      frame: (frame: ServerFrame) => this.#receive(frame),
      lost: (why: WardroomError) => this.#leave(why),
    };
    return new Connection(Socket, url, connectTimeoutMs, clock, handlers, debug);
  }

  #authenticate(): void {
    this.#become('authenticating');
    this.#connection?.send({ type: 'auth', ...credentialFields(this.#credential!) });
  }

  #receive(frame: ServerFrame): void {
    switch (frame.type) {
      case 'auth_ok':
        return this.#accepted(frame);
      case 'auth_expiring_soon':
        return this.#reauth.schedule(frame.refresh_after_ms);
      case 'auth_expired':
        return this.tokenExpired();
      case 'auth_error':
        return this.#reauth.refused(frame);
      case 'paused':
      case 'resumed':
        this.#paused = frame.type === 'paused';
        return this.#settle();
      default:
        return this.handlers.frame(frame);
    }
  }

  #accepted(frame: ServerFrames['auth_ok']): void {
    const how = this.#state === 'authenticating' ? 'connected' : 'refreshed';
    this.#auth = frame;
    this.#expired = false;
    if (how === 'connected') {
      this.#fresh = true;
      this.#liveAt = this.options.clock.now();
      this.#connection?.established();
    }
    this.#reauth.accepted(frame);
    this.#started?.resolve(frame);
    this.#started = undefined;
    this.#settle();
    this.handlers.authenticated(frame, how);
  }

  /** Which of live and paused an authenticated connection is in. */
  #settle(): void {
    if (this.#liveAt === undefined) return;
    if (this.#paused || this.#expired) return this.#become('paused');
    this.#become('live');
    const fresh = this.#fresh;
    this.#fresh = false;
    this.handlers.ready(fresh);
  }

  /** The connection is gone, or has to go. */
  #leave(why: WardroomError): void {
    const { clock, stableMs } = this.options;
    if (this.#liveAt !== undefined && clock.now() - this.#liveAt >= stableMs) this.#attempt = 0;
    this.#drop();
    this.#again(why, 'connect');
  }

  #again(why: WardroomError, reason: TokenReason): void {
    const plan = planReconnect(why, this.#attempt, this.options.backoff);
    if (plan.next === 'end') return this.end(why);
    if (this.#attempt >= this.options.maxAttempts)
      return this.end(new WardroomError('gave_up', { cause: why }));
    const now = this.options.clock.now();
    const hurried = why.kind === 'transport' && now - this.#wokeAt < AWAKE_MS;
    const delayMs = hurried ? Math.min(plan.delayMs, HURRIED_MS) : plan.delayMs;
    this.#next = {
      reason: plan.newToken ? 'rejected' : reason,
      notBefore: now + (why.retryAfterMs ?? 0),
    };
    this.#become('waiting');
    this.handlers.lost(why);
    this.handlers.waiting(why, delayMs, ++this.#attempt);
    // A listener may have closed the client, or woken it.
    if (this.#state === 'waiting' && this.#timer === undefined) this.#waitFor(delayMs);
  }

  #waitFor(ms: number): void {
    const { reason } = this.#next!;
    this.options.clock.clearTimeout(this.#timer);
    this.#timer = this.options.clock.setTimeout(() => void this.#connect(reason), ms);
  }

  #drop(): void {
    this.#run++;
    this.options.clock.clearTimeout(this.#timer);
    this.options.clock.clearTimeout(this.#wakeTimer);
    this.#timer = undefined;
    this.#next = undefined;
    this.#reauth.stop();
    this.#connection?.end();
    this.#connection = undefined;
    this.#auth = undefined;
    this.#liveAt = undefined;
    this.#paused = this.#expired = false;
  }

  #become(state: ConnectionState): void {
    const previous = this.#state;
    this.#state = state;
    if (state === previous) return;
    this.options.debug?.(`${previous} -> ${state}`);
    this.handlers.state(state, previous);
  }
}

function deferred() {
  let resolve!: (auth: ServerFrames['auth_ok']) => void;
  let reject!: (why: WardroomError) => void;
  const promise = new Promise<ServerFrames['auth_ok']>(
    (yes, no) => ((resolve = yes), (reject = no)),
  );
  // A caller that does not await `connect` learns of its failure from the event `closed`.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
