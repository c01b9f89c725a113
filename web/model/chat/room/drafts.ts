/**
 * Texts that were written and not sent, by room (and thread), kept over reloads and over the end of
 * a session. Of each user on this device; the oldest go first.
 */
export type Area = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

const KEPT_MAX = 50;
const CHARS_MAX = 20_000;

export class Drafts {
  #drafts = new Map<string, string>();
  #key: string | null = null;
  /** The browser has kept the last change. Other tabs write there, too. */
  #isKept = true;

  constructor(private readonly area: Area) {}

  /** From now on those of this user. */
  of(user: string): void {
    if (this.#key === `wardroom.chat.drafts:${user}`) return;
    this.#key = `wardroom.chat.drafts:${user}`;
    this.#drafts = new Map(this.#read());
  }

  get(place: string): string {
    return this.#drafts.get(place) ?? '';
  }

  set(place: string, text: string): void {
    if (this.#key !== null && this.#isKept) this.#drafts = new Map(this.#read());
    this.#drafts.delete(place);
    if (text !== '') this.#drafts.set(place, text.slice(0, CHARS_MAX));
    const kept = [...this.#drafts].slice(-KEPT_MAX);
    this.#drafts = new Map(kept);
    if (this.#key === null) return;
    try {
      if (kept.length === 0) this.area.removeItem(this.#key);
      else this.area.setItem(this.#key, JSON.stringify(kept));
      this.#isKept = true;
    } catch {
      this.#isKept = false;
      // A browser that keeps nothing keeps them for as long as the page lives.
    }
  }

  #read(): [string, string][] {
    try {
      const kept: unknown = JSON.parse(this.area.getItem(this.#key!) ?? '[]');
      return (Array.isArray(kept) ? kept : []).filter(
        (pair): pair is [string, string] =>
          Array.isArray(pair) && pair.every((part) => typeof part === 'string'),
      );
    } catch {
      return [];
    }
  }
}
