/**
 * A change that somebody is about to make: what it ends, asked for once, with a reason where the
 * audit keeps one; then its run.
 */
import { computed, signal } from '@preact/signals';
import { ReceiptRun } from './receipt-run.js';
import type { Ask } from './rest.js';
import { curlOf } from './rest.js';

export interface Deed {
  readonly title: string;
  /** The effect, in sentences with the counts that were read just now. */
  readonly effects: readonly string[];
  /** Null: nothing is lost that cannot be put back. */
  readonly undo: string | null;
  readonly button: string;
  readonly reason: 'required' | 'none';
  /** Ends or takes away something. */
  readonly destructive: boolean;
  readonly reasonLabel?: string;
  asks(reason: string): Ask[];
  /** Empty: the command has no such call. */
  cli(reason: string): string[];
  /** A secret that is in an answer and is shown once. */
  shown?(answers: readonly unknown[]): string | null;
}

export const NOT_UNDONE = 'This cannot be undone.';
const REASON_CHARS_MAX = 500;

export class Doing {
  readonly reason = signal('');
  readonly answers = signal<readonly unknown[]>([]);
  /** When the page behind shows what was changed. */
  shown: Promise<unknown> = Promise.resolve();
  /** The obstacle, in words; null: it may be done. */
  readonly missing = computed(() => {
    if (this.deed.reason === 'none') return null;
    const text = this.reason.value.trim();
    if (text === '') return 'Give a reason: it is kept in the audit.';
    return text.length > REASON_CHARS_MAX
      ? `A reason has at most ${REASON_CHARS_MAX} characters.`
      : null;
  });

  constructor(
    readonly deed: Deed,
    readonly run: ReceiptRun,
    private readonly origin: string,
    private readonly onDone: () => unknown = () => undefined,
  ) {}

  /** False: it was not begun. */
  async go(): Promise<boolean> {
    if (this.missing.value !== null || this.run.state.value !== 'ready') return false;
    this.answers.value = await this.run.run(this.deed.asks(this.#words()));
    this.shown = Promise.resolve(this.onDone());
    return true;
  }

  get curl(): string {
    return this.deed
      .asks(this.#words())
      .map((ask) => curlOf(this.origin, ask))
      .join('\n');
  }

  get cli(): string {
    return this.deed.cli(this.#words()).join('\n');
  }

  #words(): string {
    return this.reason.value.trim();
  }
}
