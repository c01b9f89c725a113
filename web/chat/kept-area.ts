/** `localStorage`, or a memory of its own where a browser forbids it. */
import type { Area } from '../model/chat/room/drafts.js';

export function keptArea(): Area {
  try {
    localStorage.getItem('wardroom');
    return localStorage;
  } catch {
    const kept = new Map<string, string>();
    return {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
      removeItem: (key) => void kept.delete(key),
    };
  }
}
