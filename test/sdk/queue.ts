/** Items are kept until somebody asks; a caller that asks first waits until something comes. */
export class Queue<T> {
  readonly #items: T[] = [];
  readonly #takers: ((item: T) => void)[] = [];

  push(item: T): void {
    const taker = this.#takers.shift();
    if (taker) taker(item);
    else this.#items.push(item);
  }

  next(): Promise<T> {
    const item = this.#items.shift();
    return item === undefined
      ? new Promise((resolve) => this.#takers.push(resolve))
      : Promise.resolve(item);
  }

  /** How many came that nobody has asked for. */
  get size(): number {
    return this.#items.length;
  }
}
