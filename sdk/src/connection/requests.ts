import type { ClientFrame, ServerFrame, ServerFrames } from '@wardroom/protocol';
import type { Clock } from '../clock.js';
import { errorFromWire, WardroomError } from '../errors.js';
import { type Backoff, jitterMs } from './plan-reconnect.js';

/**
 * `until_answered`: waits for a live connection, and is sent again after a loss or a `retry`:
 * harmless to repeat. `once`: waits too, but a loss after it was sent rejects it, because its
 * outcome is unknown. `now`: only over a live connection; every trouble rejects it.
 */
export type Delivery = 'until_answered' | 'once' | 'now';

export interface RequestOptions {
  delivery: Delivery;
  /**
   * Runs before the next frame is read; the promise is too late for what must keep the order of
   * frames.
   */
  onAnswer?: (answer: ServerFrame) => void;
  opId?: string;
  /** Made by the SDK itself: `pendingMax` does not count for it. */
  own?: boolean;
}

export interface RequestsPort {
  live(): boolean;
  sendRequest(text: string): void;
  /**
   * A request was refused because the token has expired. From here until a new one is accepted
   * `live` is false.
   */
  tokenExpired(): void;
}

interface Request extends RequestOptions {
  /** Frame text; made anew for each sending. */
  text: () => string;
  sent: boolean;
  refusals: number;
  resolve(answer: ServerFrame): void;
  reject(error: WardroomError): void;
}

/** More unanswered frames than this are not in flight; the rest waits its turn. */
const IN_FLIGHT_MAX = 64;

/**
 * Every request that has no answer yet, in the order they were made. Each is settled exactly once.
 */
export class Requests {
  readonly #open = new Map<string, Request>();
  #count = 0;
  #inFlight = 0;
  #heldUntil = 0;
  #timer: unknown;

  constructor(
    private readonly port: RequestsPort,
    private readonly clock: Clock,
    private readonly backoff: Backoff,
    private readonly openMax: number,
  ) {}

  /** `frame` gets the id of the request and answers the whole frame. */
  ask(frame: (id: string) => ClientFrame, options: RequestOptions): Promise<ServerFrame> {
    return new Promise((resolve, reject) => {
      const fail = (code: 'not_connected' | 'queue_full') =>
        reject(new WardroomError(code, { opId: options.opId }));
      if (options.delivery === 'now' && !this.port.live()) return fail('not_connected');
      if (!options.own && this.#open.size >= this.openMax) return fail('queue_full');
      const id = `r${++this.#count}`;
      const request = {
        ...options,
        text: () => JSON.stringify(frame(id)),
        sent: false,
        refusals: 0,
        resolve,
        reject,
      };
      this.#open.set(id, request);
      if (options.delivery === 'now') this.#send(request);
      else this.flush();
    });
  }

  /** Sends what waits, as far as the connection, the server's wish and the window allow. */
  flush(): void {
    if (!this.port.live() || this.clock.now() < this.#heldUntil) return;
    for (const request of this.#open.values()) {
      if (this.#inFlight >= IN_FLIGHT_MAX || this.#inFlight === this.#open.size) return;
      if (!request.sent) this.#send(request);
    }
  }

  /** Takes the frame if it answers a request. */
  answer(frame: ServerFrame): boolean {
    const id = 'id' in frame ? frame.id : undefined;
    const request = id === undefined ? undefined : this.#open.get(id);
    if (id === undefined || !request?.sent) return false;
    if (frame.type === 'error') this.#refused(id, request, frame);
    else this.#settle(id, request, () => (request.onAnswer?.(frame), request.resolve(frame)));
    this.flush();
    return true;
  }

  /** The connection is gone: what may be repeated waits for the next one, the rest is told. */
  lost(cause: WardroomError): void {
    for (const [id, request] of this.#open) {
      if (!request.sent) continue;
      if (request.delivery === 'until_answered') this.#takeBack(request);
      else
        this.#settle(id, request, () =>
          request.reject(new WardroomError('connection_lost', { cause, opId: request.opId })),
        );
    }
  }

  /** There will be no other connection. */
  end(why: WardroomError): void {
    this.#release();
    for (const [id, request] of this.#open) {
      const { code, action, message, status, decisionId } = why;
      const fields = { action, message, status, decisionId, opId: request.opId, cause: why };
      this.#settle(id, request, () => request.reject(new WardroomError(code, fields)));
    }
  }

  #send(request: Request): void {
    request.sent = true;
    this.#inFlight++;
    this.port.sendRequest(request.text());
  }

  #takeBack(request: Request): void {
    request.sent = false;
    this.#inFlight--;
  }

  #settle(id: string, request: Request, tell: () => void): void {
    if (request.sent) this.#takeBack(request);
    this.#open.delete(id);
    tell();
  }

  /**
   * A refused request had no effect and may be sent again, `once` too; only `internal` does not say
   * so much.
   */
  #refused(id: string, request: Request, frame: ServerFrames['error']): void {
    const error = errorFromWire({ ...frame });
    const { delivery } = request;
    const repeatable =
      delivery === 'until_answered' || (delivery === 'once' && error.code !== 'internal');
    if (repeatable && error.action === 'refresh') {
      this.#takeBack(request);
      return this.port.tokenExpired();
    }
    // Waiting does not make room for another subscription; the application must.
    if (repeatable && error.action === 'retry' && error.code !== 'too_many_subscriptions') {
      this.#takeBack(request);
      return this.#hold(
        error.retryAfterMs ?? Math.max(1, jitterMs(request.refusals++, this.backoff)),
      );
    }
    this.#settle(id, request, () => request.reject(error));
  }

  /**
   * Limits count per connection, so one `retry` holds everything that waits; that also keeps the
   * order.
   */
  #hold(ms: number): void {
    const until = this.clock.now() + ms;
    if (until <= this.#heldUntil) return;
    this.#release();
    this.#heldUntil = until;
    this.#timer = this.clock.setTimeout(() => {
      this.#release();
      this.flush();
    }, ms);
  }

  #release(): void {
    this.clock.clearTimeout(this.#timer);
    this.#heldUntil = 0;
  }
}
