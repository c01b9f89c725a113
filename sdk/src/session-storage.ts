/** Where a session keeps its tokens: one text, readable by whoever shares the storage. */
export interface SessionStorage {
  /** Equal names share one lock; without a name the storage is this object's own. */
  readonly name?: string;
  get(): string | null | Promise<string | null>;
  set(value: string): void | Promise<void>;
  remove(): void | Promise<void>;
}

/** The default: the session ends with the process or page. */
export function memoryStorage(): SessionStorage {
  let value: string | null = null;
  return {
    get: () => value,
    set: (next) => void (value = next),
    remove: () => void (value = null),
  };
}

/**
 * `localStorage` lets the tabs of an origin share one session. Any script of the origin can read
 * it.
 */
export function webStorage(
  area: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>,
  key = 'wardroom',
): SessionStorage {
  return {
    name: key,
    get: () => area.getItem(key),
    set: (value) => area.setItem(key, value),
    remove: () => area.removeItem(key),
  };
}
