/** The monthly review: five questions, this month beside the last, and who signed it off. */
import { signal } from '@preact/signals';
import type { AuditRecordView } from '../../../../src/admin/audit/audit.schema.js';
import type { Review } from '../../../../src/admin/review/review.schema.js';
import type { Deed } from '../deed.js';
import { cliOf, get, send } from '../rest.js';
import type { Caller } from '../rest.js';
import { plain, troubleOf } from '../words.js';
import type { Trouble } from '../words.js';

export type { Review };
export type ReviewItem = Review['items'][number];
type Figures = ReviewItem['measures'][number]['this_month'];

export interface Signature {
  readonly month: string;
  readonly at: string;
  readonly by: string | null;
  readonly verdict: string;
  readonly note: string;
}

export class MonthlyReview {
  readonly review = signal<Review | null>(null);
  readonly history = signal<readonly Signature[]>([]);
  readonly trouble = signal<Trouble | null>(null);
  readonly loading = signal(false);
  #round = 0;

  constructor(private readonly caller: Caller) {}

  /** `month` empty: the last whole one. */
  async load(month: string): Promise<void> {
    const round = (this.#round += 1);
    this.loading.value = true;
    this.trouble.value = null;
    try {
      const [review, { items }] = await Promise.all([
        send<Review>(this.caller, get('/v1/admin/review', { month })),
        send<{ items: AuditRecordView[] }>(
          this.caller,
          get('/v1/admin/audit', { event: 'review_signed', limit: 100 }),
        ),
      ]);
      if (round !== this.#round) return;
      this.review.value = review;
      this.history.value = items.map(signatureOf);
    } catch (error) {
      if (round === this.#round) this.trouble.value = troubleOf(error);
    } finally {
      if (round === this.#round) this.loading.value = false;
    }
  }
}

const signatureOf = ({ at, actor_id: by, detail }: AuditRecordView): Signature => ({
  at,
  by,
  month: plain(detail['month']),
  verdict: plain(detail['verdict']),
  note: plain(detail['note']),
});

/** `YYYY-MM`, so many months later. */
export function monthAfter(month: string, by: number): string {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number - 1 + by)).toISOString().slice(0, 7);
}

/** A month that has not begun has no review. */
export const hasBegun = (month: string, nowMs: number): boolean =>
  month <= new Date(nowMs).toISOString().slice(0, 7);

/** `3 of 1,204 (0.25 %)`. */
export function figuresText({ count, of, share }: Figures): string {
  const percent = Number((share * 100).toPrecision(2));
  return `${count.toLocaleString('en')} of ${of.toLocaleString('en')} (${percent} %)`;
}

/** `more`, `less` or `same`, as shares: months have different lengths. */
export function trendOf(now: Figures, before: Figures): 'more' | 'less' | 'same' | 'new' {
  if (before.of === 0) return 'new';
  if (Math.abs(now.share - before.share) < 1e-9) return 'same';
  return now.share > before.share ? 'more' : 'less';
}

export function signOff({ month, verdict, whole }: Review): Deed {
  return {
    title: `Sign the review of ${month} off`,
    effects: [
      `Its verdict is “${verdict}”. Your name, the verdict and the note go into the audit.`,
      ...(whole ? [] : ['The month is not over: what comes later is not part of it.']),
    ],
    undo: 'A signature stays. A later one stands beside it.',
    button: 'Sign off',
    reason: 'required',
    reasonLabel: 'Note: what was found and decided',
    destructive: false,
    asks: (note) => [
      {
        method: 'POST',
        path: '/v1/admin/reviews',
        body: { month, note },
        label: `sign ${month} off`,
      },
    ],
    cli: (note) => [cliOf(['review', 'sign', month], { note })],
  };
}
