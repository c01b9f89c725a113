import type { Clock } from '../clock.js';

/** A request waits so long before the server is asked for a sign of life, and so long again. */
const ANSWER_MS = 5000;

/**
 * Asks for a sign of life after `periodMs` of silence (0: never by itself), and calls the transport
 * dead when another `periodMs` later nothing was heard. An unanswered request and a wake-up hurry
 * both. Only an unanswered ping kills: a tab whose timers were throttled is late, not dead.
 */
export class Heartbeat {
  #heardAt: number;
  #pinged = false;
  #awaiting = false;
  #timer: unknown;

  constructor(
    private readonly clock: Clock,
    private readonly periodMs: number,
    private readonly ping: () => void,
    private readonly dead: () => void,
  ) {
    this.#heardAt = clock.now();
    this.#wait(periodMs);
  }

  heard(): void {
    this.#heardAt = this.clock.now();
    this.#pinged = this.#awaiting = false;
  }

  /** Something was sent that the server answers. */
  expect(): void {
    if (this.#pinged || this.#awaiting) return;
    if (this.periodMs !== 0 && this.periodMs <= ANSWER_MS) return;
    this.#awaiting = true;
    this.#wait(ANSWER_MS);
  }

  /** Whether the transport still lives is to be known within `patienceMs`. */
  probe(patienceMs: number): void {
    this.#pinged = true;
    this.ping();
    this.#wait(patienceMs);
  }

  stop(): void {
    this.clock.clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    this.stop();
    if (ms > 0) this.#timer = this.clock.setTimeout(() => this.#check(), ms);
  }

  #check(): void {
    if (this.#pinged) return this.dead();
    if (this.#awaiting) return this.probe(ANSWER_MS);
    const left = this.periodMs - (this.clock.now() - this.#heardAt);
    if (left > 0) return this.#wait(Math.min(left, this.periodMs));
    if (this.periodMs > 0) this.probe(this.periodMs);
  }
}
