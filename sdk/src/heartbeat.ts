import type { Clock } from './clock.js';

/**
 * Asks for a sign of life after `periodMs` of silence, and calls the transport dead when another
 * `periodMs` later nothing was heard. Only an unanswered ping kills: a tab whose timers were
 * throttled is late, not dead.
 */
export class Heartbeat {
  #heardAt: number;
  #pinged = false;
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
    this.#pinged = false;
  }

  stop(): void {
    this.clock.clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    this.#timer = this.clock.setTimeout(() => this.#check(), ms);
  }

  #check(): void {
    if (this.#pinged) return this.dead();
    const left = this.periodMs - (this.clock.now() - this.#heardAt);
    if (left > 0) return this.#wait(Math.min(left, this.periodMs));
    this.#pinged = true;
    this.ping();
    this.#wait(this.periodMs);
  }
}
