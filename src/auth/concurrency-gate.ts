/** At most `running` pieces of work at once and `waiting` in line, first come first served; beyond that, 503 `overloaded`. */
import { DomainError } from '../platform/errors.js';

export class ConcurrencyGate {
  private active = 0;
  private readonly line: (() => void)[] = [];

  constructor(
    private readonly running: number,
    private readonly waiting: number,
  ) {}

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.active >= this.running) {
      if (this.line.length >= this.waiting) throw new DomainError('overloaded');
      // The one who leaves hands its place over, so `active` does not move.
      await new Promise<void>((resolve) => this.line.push(resolve));
    } else this.active += 1;
    try {
      return await work();
    } finally {
      const next = this.line.shift();
      if (next === undefined) this.active -= 1;
      else next();
    }
  }
}
