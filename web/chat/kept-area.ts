/** `localStorage`; where a browser forbids it or has no place left, a memory of its own. */
import type { Area } from '../model/chat/room/drafts.js';

export function keptArea(): Area {
  const own = new Map<string, string>();
  const kept = <T>(use: () => T, otherwise: () => T): T => {
    try {
      return use();
    } catch {
      return otherwise();
    }
  };
  return {
    getItem: (key) =>
      own.get(key) ??
      kept(
        () => localStorage.getItem(key),
        () => null,
      ),
    setItem: (key, value) =>
      kept(
        () => {
          localStorage.setItem(key, value);
          own.delete(key);
        },
        () => void own.set(key, value),
      ),
    removeItem: (key) => {
      own.delete(key);
      kept(
        () => localStorage.removeItem(key),
        () => undefined,
      );
    },
  };
}
