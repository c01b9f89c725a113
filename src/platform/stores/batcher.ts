/**
 * Batches loads: requests of one tick are one query, and so are those that come soon after a query,
 * because a query costs more than many rows. A request that comes alone never waits.
 */
import { monotonicMs } from '../clock.js';

/**
 * The rest after a query: a millisecond for each wish it answered, within these bounds. So a crowd,
 * a thousand first looks a second and more, shares few queries.
 */
const REST_MS_MIN = 5;
const REST_MS_MAX = 20;
const BATCH_MAX = 1_000;

interface Waiting<Wish, Answer> {
  readonly wish: Wish;
  readonly resolve: (answer: Answer | Promise<Answer>) => void;
  readonly reject: (error: unknown) => void;
}

export class Batcher<Wish, Answer> {
  private waiting: Waiting<Wish, Answer>[] = [];
  private restUntilMs = -Infinity;

  /** `read` starts after the wishes were uttered, and answers all of them, in their order. */
  constructor(
    private readonly read: (wishes: Wish[]) => Promise<(Answer | Promise<Answer>)[]>,
    private readonly batchMax = BATCH_MAX,
  ) {}

  ask(wish: Wish): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.waiting.push({ wish, resolve, reject }) > 1) return;
      const restMs = this.restUntilMs - monotonicMs();
      if (restMs > 0) setTimeout(() => this.flush(), restMs);
      else setImmediate(() => this.flush());
    });
  }

  private flush(): void {
    const all = this.waiting;
    this.waiting = [];
    this.restUntilMs = monotonicMs() + Math.min(Math.max(all.length, REST_MS_MIN), REST_MS_MAX);
    for (let from = 0; from < all.length; from += this.batchMax)
      void this.answer(all.slice(from, from + this.batchMax));
  }

  private async answer(batch: Waiting<Wish, Answer>[]): Promise<void> {
    try {
      const answers = await this.read(batch.map(({ wish }) => wish));
      batch.forEach(({ resolve }, i) => resolve(answers[i]!));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
