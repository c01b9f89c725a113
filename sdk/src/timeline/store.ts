import type { Clock } from '../clock.js';

/**
 * A value that changes, as an immutable snapshot: the same object until something is different.
 * `subscribe` and `getSnapshot` may be given to React's `useSyncExternalStore` as they are. It
 * works only while somebody listens.
 */
export abstract class Store<T> {
  readonly #listeners = new Set<() => void>();
  #snapshot: T | undefined;
  #isTold = true;
  #running = false;
  #stopping: unknown;

  constructor(protected readonly clock: Clock) {}

  /** `listener` runs after each change, once for all changes of one step. Returns its removal. */
  readonly subscribe = (listener: () => void): (() => void) => {
    // One function that listens twice is two listeners.
    const own = () => listener();
    this.#listeners.add(own);
    this.clock.clearTimeout(this.#stopping);
    if (!this.#running) {
      this.#running = true;
      this.start();
    }
    return () => {
      this.#listeners.delete(own);
      // React may come back at once: StrictMode mounts twice.
      if (this.#listeners.size === 0) this.#stopping = this.clock.setTimeout(() => this.close(), 0);
    };
  };

  /** The present value; the same object until something changes. */
  readonly getSnapshot = (): T => (this.#snapshot ??= this.read());

  /** Stops, though somebody may still listen; the next `subscribe` starts it again. */
  close(): void {
    this.clock.clearTimeout(this.#stopping);
    if (!this.#running) return;
    this.#running = false;
    this.stop();
  }

  protected get running(): boolean {
    return this.#running;
  }

  protected changed(): void {
    this.#snapshot = undefined;
    if (!this.#isTold) return;
    this.#isTold = false;
    queueMicrotask(() => {
      this.#isTold = true;
      for (const listener of [...this.#listeners]) {
        try {
          listener();
        } catch (error) {
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    });
  }

  protected abstract read(): T;
  protected abstract start(): void;
  protected abstract stop(): void;
}
