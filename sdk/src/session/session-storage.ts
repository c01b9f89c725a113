/** Where a session keeps its tokens: one text, readable by whoever shares the storage. */
export interface SessionStorage {
  /** Equal names share one lock; without a name the storage is this object's own. */
  readonly name?: string;
  get(): string | null | Promise<string | null>;
  set(value: string): void | Promise<void>;
  remove(): void | Promise<void>;
  /** The part of this storage that belongs to one server, named by its base URL. */
  forServer?(url: string): SessionStorage;
}

/** The part of `localStorage` that is used here. */
export type StorageArea = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

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
 * it. Without a `key` each server has its own. `area` may be a function, because reading
 * `localStorage` throws where a browser forbids it.
 */
export function webStorage(
  area: StorageArea | (() => StorageArea) = () => localStorage,
  key?: string,
): SessionStorage {
  const of = () => (typeof area === 'function' ? area() : area);
  const name = key ?? 'wardroom';
  return {
    name,
    get: () => of().getItem(name),
    set: (value) => of().setItem(name, value),
    remove: () => of().removeItem(name),
    ...(key === undefined && {
      forServer: (url: string) => webStorage(area, `wardroom:${url}`),
    }),
  };
}
