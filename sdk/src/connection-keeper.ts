import type { ServerFrame, ServerFrames } from '@wardroom/protocol';
import type { Clock } from './clock.js';
import { Connection, type SocketConstructor } from './connection.js';
import { toWardroomError, WardroomError } from './errors.js';
import { type Backoff, planReconnect } from './plan-reconnect.js';
import { Reauth } from './reauth.js';
import {
  type Credential,
  credentialFields,
  type TakeToken,
  type TokenReason,
} from './token-source.js';

/**
 * idle -> connecting -> authenticating -> live <-> paused; from any of them waiting (between two
 * attempts) or closed. `paused`: connected, but the node cannot prove its authority, or the token
 * has expired and a new one is on its way.
 */
export type ConnectionState =
  'idle' | 'connecting' | 'authenticating' | 'live' | 'paused' | 'waiting' | 'closed';

export interface KeeperOptions {
  url: string;
  Socket: SocketConstructor;
  take: TakeToken;
  clock: Clock;
  backoff: Backoff;
  connectTimeoutMs: number;
  /** A connection that lived so long was a good one: the next trouble starts counting anew. */
  stableMs: number;
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

  /** Resolves at `auth_ok`, however many attempts it takes; rejects when the client ends before. */
  start(): Promise<ServerFrames['auth_ok']> {
    if (this.#auth && (this.#state === 'live' || this.#state === 'paused'))
      return Promise.resolve(this.#auth);
    this.#started ??= deferred();
    const { promise } = this.#started;
    if (this.#state === 'idle' || this.#state === 'closed') void this.#connect('connect');
    return promise;
  }

  /** The access token of the living connection. */
  get token(): string | undefined {
    return this.#auth && typeof this.#credential === 'string' ? this.#credential : undefined;
  }

  sendText(text: string): void {
    this.#connection?.sendText(text);
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
    this.#become('closed');
    this.handlers.ended(why);
    started?.reject(why);
  }

  async #connect(reason: TokenReason): Promise<void> {
    const run = ++this.#run;
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
      this.#connection = this.#open();
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

  #open(): Connection {
    const { Socket, url, connectTimeoutMs, clock } = this.options;
    return new Connection(Socket, url, connectTimeoutMs, clock, {
      opened: () => this.#authenticate(),
      frame: (frame) => this.#receive(frame),
      lost: (why) => this.#leave(why),
    });
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
    this.#become('waiting');
    this.handlers.lost(why);
    this.handlers.waiting(why, plan.delayMs, ++this.#attempt);
    // A listener may have closed the client.
    if (this.#state !== 'waiting') return;
    const nextReason = plan.newToken ? 'rejected' : reason;
    this.#timer = this.options.clock.setTimeout(() => void this.#connect(nextReason), plan.delayMs);
  }

  #drop(): void {
    this.#run++;
    this.options.clock.clearTimeout(this.#timer);
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
    if (state !== previous) this.handlers.state(state, previous);
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
