/** A list that the server gives in pages, read as far as somebody looks. */
import { signal } from '@preact/signals';
import { get, send } from './rest.js';
import type { Caller, Query } from './rest.js';
import { troubleOf } from './words.js';
import type { Trouble } from './words.js';

interface PageOf<T> {
  items: T[];
  next_cursor: string | null;
  partial?: string[];
}

/** `opening`: what is shown answers an earlier question. */
export type PagerState = 'idle' | 'opening' | 'loading' | 'more' | 'whole' | 'failed';

export class Pager<T> {
  readonly items = signal<readonly T[]>([]);
  readonly state = signal<PagerState>('idle');
  readonly trouble = signal<Trouble | null>(null);
  /** Nodes that did not answer for the last page. */
  readonly partial = signal<readonly string[]>([]);
  #query: Query = {};
  #cursor: string | null = null;
  /** An answer for an earlier question is dropped. */
  #round = 0;

  constructor(
    private readonly caller: Caller,
    private readonly path: () => string,
    /** Null: the call gives all at once. */
    private readonly limit: number | null = 100,
  ) {}

  /** From the beginning. The old items stay until the answer is there. */
  async open(query: Query): Promise<void> {
    this.#query = query;
    this.#cursor = null;
    this.#round += 1;
    await this.#read(this.#round, true);
  }

  async more(): Promise<void> {
    if (this.state.value !== 'more') return;
    await this.#read(this.#round, false);
  }

  /** The same question again, after a change. */
  again(): Promise<void> {
    return this.open(this.#query);
  }

  async #read(round: number, fresh: boolean): Promise<void> {
    this.state.value = fresh ? 'opening' : 'loading';
    this.trouble.value = null;
    try {
      // A page may be short, or empty, and not the last one.
      for (let read = 0; ;) {
        const page: PageOf<T> = await send(
          this.caller,
          get(this.path(), {
            ...this.#query,
            limit: this.limit ?? undefined,
            cursor: this.#cursor ?? undefined,
          }),
        );
        if (round !== this.#round) return;
        const first = fresh && read === 0;
        this.items.value = first ? page.items : [...this.items.value, ...page.items];
        this.partial.value = page.partial ?? [];
        this.#cursor = page.next_cursor;
        read += 1;
        if (page.items.length > 0 || page.next_cursor === null || read === EMPTY_PAGES_MAX) break;
      }
      this.state.value = this.#cursor === null ? 'whole' : 'more';
    } catch (error) {
      if (round !== this.#round) return;
      if (fresh) this.items.value = [];
      this.trouble.value = troubleOf(error);
      this.state.value = 'failed';
    }
  }
}

/** Then the reader asks for more. */
const EMPTY_PAGES_MAX = 5;
