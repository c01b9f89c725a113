import type { ClientFrame, ServerFrames } from '@wardroom/protocol';
import type { Clock } from '../clock.js';
import { errorFromWire, toWardroomError, WardroomError } from '../errors.js';
import { type Backoff, jitterMs } from './plan-reconnect.js';
import { type Credential, credentialFields, type TokenReason } from '../session/token-source.js';

export interface ReauthPort {
  take(reason: TokenReason): Promise<Credential>;
  /** The credential the server saw last. */
  presented(): Credential | undefined;
  /** Sends the frame and remembers its credential as presented. */
  present(credential: Credential, frame: ClientFrame): void;
  /**
   * The server or the token source wants the client to end (`login`, `stop`) or to come back
   * (`reconnect`).
   */
  leave(why: WardroomError): void;
  /** It failed for now; the connection lives on to the end of its token. */
  failed(why: WardroomError): void;
}

/** However early a server wants the next token, there is a pause. */
const PAUSE_MS_MIN = 100;

/**
 * Re-authentication in place, one at a time: a new token on the living connection, without losing
 * an event.
 */
export class Reauth {
  #running = false;
  #failures = 0;
  #dueAt = Infinity;
  /** The timer is one after a failure: nothing may shorten it. */
  #pausing = false;
  #timer: unknown;
  /** Changes when the connection does; answers to an older one are void. */
  #round = 0;
  #id: string | undefined;
  #count = 0;

  constructor(
    private readonly port: ReauthPort,
    private readonly clock: Clock,
    private readonly backoff: Backoff,
  ) {}

  /** An earlier date replaces a later one, never the other way round. */
  schedule(ms: number): void {
    if (this.#running || this.#pausing || this.clock.now() + ms >= this.#dueAt) return;
    this.#at(ms, () => this.run());
  }

  run(reason: TokenReason = 'refresh'): void {
    if (this.#running || this.#pausing) return;
    this.#unschedule();
    this.#running = true;
    const round = this.#round;
    this.port.take(reason).then(
      (credential) => {
        if (round === this.#round) this.#present(credential, reason);
      },
      (thrown: unknown) => {
        if (round === this.#round)
          this.#failed(toWardroomError(thrown, 'token_unavailable'), () => this.run(reason));
      },
    );
  }

  /** Timers stand still while a machine sleeps: a renewal that is due by now is made now. */
  wake(): void {
    if (!this.#pausing && this.clock.now() >= this.#dueAt) this.run();
  }

  /** An `auth_ok` of any origin opens a new period. */
  accepted(frame: ServerFrames['auth_ok']): void {
    this.#running = false;
    this.#failures = 0;
    this.#unschedule();
    this.schedule(Math.max(frame.refresh_after_ms, PAUSE_MS_MIN));
  }

  refused(frame: ServerFrames['auth_error']): void {
    if (!this.#running || (frame.id !== undefined && frame.id !== this.#id)) return;
    const credential = this.port.presented();
    this.#failed(errorFromWire({ ...frame }), () => {
      // `retry` means the same token once more; but a ticket has only one life.
      if (typeof credential !== 'string') return this.run();
      this.#running = true;
      this.#send(credential);
    });
  }

  stop(): void {
    this.#round++;
    this.#running = false;
    this.#failures = 0;
    this.#unschedule();
  }

  #present(credential: Credential, reason: TokenReason): void {
    // A source that answers what the server already has would make us ask for ever, without a
    // pause.
    if (credential !== this.port.presented()) return this.#send(credential);
    this.#failed(new WardroomError('token_unavailable'), () => this.run(reason));
  }

  #send(credential: Credential): void {
    this.#id = `auth${++this.#count}`;
    this.port.present(credential, {
      type: 'auth_refresh',
      id: this.#id,
      ...credentialFields(credential),
    });
  }

  #failed(why: WardroomError, again: () => void): void {
    this.#running = false;
    if (why.action === 'login' || why.action === 'stop' || why.action === 'reconnect')
      return this.port.leave(why);
    const pauseMs = why.retryAfterMs ?? Math.max(1, jitterMs(this.#failures++, this.backoff));
    // `none`: the next `auth_expiring_soon`, `auth_expired` or close decides.
    if (why.action === 'refresh') this.#at(pauseMs, () => this.run('rejected'));
    if (why.action === 'retry') this.#at(pauseMs, again);
    this.#pausing = this.#dueAt !== Infinity;
    this.port.failed(why);
  }

  #at(ms: number, run: () => void): void {
    this.#unschedule();
    this.#dueAt = this.clock.now() + ms;
    this.#timer = this.clock.setTimeout(() => {
      this.#unschedule();
      run();
    }, ms);
  }

  #unschedule(): void {
    this.clock.clearTimeout(this.#timer);
    this.#dueAt = Infinity;
    this.#pausing = false;
  }
}
