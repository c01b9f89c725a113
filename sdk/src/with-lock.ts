/** The part of the Web Locks API that is used here. */
export interface Locks {
  request<T>(name: string, run: () => Promise<T>): Promise<T>;
}

/**
 * Runs one `run` at a time per name: across the tabs of an origin where Web Locks exist (a secure
 * page, Node 24+), else within this process. Without any lock a race does no harm: the server gives
 * all racers the same successor.
 */
export function withLock<T>(
  name: string,
  run: () => Promise<T>,
  locks: Locks | undefined = webLocks(),
): Promise<T> {
  return (locks ?? processLocks).request(name, run);
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
