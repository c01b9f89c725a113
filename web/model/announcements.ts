/**
 * The words for screen readers: a table of intents, each with its text and how urgent it is. A page
 * has one, and asks for an intent, never for a text, so the transcript of a scene can be tested.
 */
import { signal } from '@preact/signals';
import type { Clock } from '@wardroom/client';
import { wallClock } from './clock.js';

export type Politeness = 'polite' | 'assertive';
export interface Intent<A extends readonly never[] = readonly never[]> {
  readonly text: (...values: A) => string;
  readonly politeness: Politeness;
  /** `settled`: only the last one of a burst is said. Default: each at once. */
  readonly delivery?: 'at_once' | 'settled';
}
export type Intents = Readonly<Record<string, Intent>>;

const SETTLE_MS = 800;

export class Announcements<T extends Intents> {
  readonly polite = signal('');
  readonly assertive = signal('');
  #timer: unknown;

  constructor(
    private readonly table: () => T,
    /** Is told of everything that is said. */
    private readonly listener: (politeness: Politeness, text: string) => void = () => undefined,
    private readonly clock: Clock = wallClock,
  ) {}

  say<K extends keyof T & string>(intent: K, ...values: Parameters<T[K]['text']>): void {
    const { politeness, delivery, text } = this.table()[intent]!;
    const said = (text as (...all: unknown[]) => string)(...values);
    this.clock.clearTimeout(this.#timer);
    if (delivery === 'settled')
      this.#timer = this.clock.setTimeout(() => this.#say(politeness, said), SETTLE_MS);
    else this.#say(politeness, said);
  }

  #say(politeness: Politeness, text: string): void {
    this.listener(politeness, text);
    const at = this[politeness];
    // The same text twice is read twice only when it differs.
    at.value = at.value === text ? `${text}\u00a0` : text;
  }
}
