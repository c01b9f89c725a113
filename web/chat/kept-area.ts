/** `localStorage`; where a browser forbids it or has no place left, a memory of its own. */
import type { Area } from '../model/chat/room/drafts.js';

export function keptArea(): Area {
  const own = new Map<string, string>();
  const tried = (use: () => string | null | void): string | null | undefined => {
    try {
      return use() ?? null;
    } catch {
      return undefined;
    }
  };
  return {
    getItem: (key) => own.get(key) ?? tried(() => localStorage.getItem(key)) ?? null,
    setItem(key, value) {
      own.delete(key);
      if (tried(() => localStorage.setItem(key, value)) === undefined) own.set(key, value);
    },
    removeItem(key) {
      own.delete(key);
      tried(() => localStorage.removeItem(key));
    },
  };
}
