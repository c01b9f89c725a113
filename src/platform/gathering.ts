/**
 * What is asked for one by one and read together: the wishes of one turn are one query, and so are those that come soon
 * after a query, because a query costs more than many rows. Who comes alone never waits.
 */
import { monotonicMs } from './clock.js';

/**
 * The rest after a query: a millisecond for each wish it answered, within these bounds. So a crowd, a thousand first looks a
 * second and more, shares few queries.
 */
const REST_MS_MIN = 5;
const REST_MS_MAX = 20;

export class Gathering<Wish> {
  private waiting: Wish[] = [];
  private restUntilMs = -Infinity;

  /** `read` answers every wish it is given, and does not throw. */
  constructor(
    private readonly batchMax: number,
    private readonly read: (wishes: Wish[]) => void,
  ) {}

  add(wish: Wish): void {
    if (this.waiting.push(wish) > 1) return;
    const restMs = this.restUntilMs - monotonicMs();
    if (restMs > 0) setTimeout(() => this.flush(), restMs);
    else setImmediate(() => this.flush());
  }

  private flush(): void {
    const all = this.waiting;
    this.waiting = [];
    this.restUntilMs = monotonicMs() + Math.min(Math.max(all.length, REST_MS_MIN), REST_MS_MAX);
    for (let from = 0; from < all.length; from += this.batchMax) this.read(all.slice(from, from + this.batchMax));
  }
}
