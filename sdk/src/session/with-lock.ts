import type { Clock } from '../clock.js';

/** The part of the Web Locks API that is used here. */
export interface Locks {
  request<T>(name: string, run: () => Promise<T>): Promise<T>;
}

/** A lock is waited for at most this long: the tab that holds it may be frozen. */
const LOCK_MS_MAX = 2000;

/**
 * Runs one `run` at a time per name: across the tabs of an origin where Web Locks exist (a secure
 * page, Node 24+), else within this process. After `LOCK_MS_MAX`, or where locks are refused, `run`
 * goes ahead without the lock: a race does no harm, because the server gives all racers the same
 * successor.
 */
export function withLock<T>(
  name: string,
  run: () => Promise<T>,
  clock: Clock,
  locks: Locks = webLocks() ?? processLocks,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let begun = false;
    const begin = async () => {
      if (begun) return;
      begun = true;
      clock.clearTimeout(timer);
      await run().then(resolve, reject);
    };
    const timer = clock.setTimeout(() => void begin(), LOCK_MS_MAX);
    locks.request(name, begin).catch(begin);
  });
}

function webLocks(): Locks | undefined {
  return (globalThis as { navigator?: { locks?: Locks } }).navigator?.locks;
}

const tails = new Map<string, Promise<unknown>>();

const processLocks: Locks = {
  request(name, run) {
    const result = (tails.get(name) ?? Promise.resolve()).then(run, run);
    const tail = result
      .catch(() => {})
      .finally(() => tails.get(name) === tail && tails.delete(name));
    tails.set(name, tail);
    return result;
  },
};
