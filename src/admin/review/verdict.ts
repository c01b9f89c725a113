/** The verdict of a measure of the review: pure, so that each threshold can be tested by itself. */
import type { Total } from '../../stats/read-stats.js';
import type { Measure, Selector } from './measures.js';

export type Verdict = 'ok' | 'watch' | 'act';

export interface Figures {
  readonly count: number;
  readonly of: number;
  /** 0 where nothing happened. */
  readonly share: number;
}

/** A share that grew this much is a finding below the threshold, too, if it is worth one at all. */
const GROWN = 3;
const WORTH = { floors: 5, ofWatch: 0.25 };

export function figuresOf({ count, of, beside }: Measure, totals: readonly Total[]): Figures {
  const counted = sum(count, totals);
  const all = sum(of, totals) + (beside ? counted : 0);
  return { count: counted, of: all, share: all === 0 ? 0 : counted / all };
}

/** The verdict, and the threshold that made it. */
export function judge(
  { floor, watch, act }: Pick<Measure, 'floor' | 'watch' | 'act'>,
  now: Figures,
  before: Figures,
): { verdict: Verdict; threshold: string } {
  const grew = before.of > 0 && now.share >= GROWN * before.share;
  const timesBefore = `${GROWN} times the share of the month before`;
  if (now.count < floor) return { verdict: 'ok', threshold: `fewer than ${floor}` };
  if (act === 'tripled') {
    if (now.share >= watch && grew)
      return { verdict: 'act', threshold: `at least ${percent(watch)}, and ${timesBefore}` };
  } else if (now.share >= act) return { verdict: 'act', threshold: `at least ${percent(act)}` };
  if (now.share >= watch && now.share > 0)
    return { verdict: 'watch', threshold: `at least ${percent(watch)}` };
  if (grew && now.count >= WORTH.floors * floor && now.share >= WORTH.ofWatch * watch)
    return {
      verdict: 'watch',
      threshold: `${timesBefore}, at least ${WORTH.floors * floor} and ${percent(WORTH.ofWatch * watch)}`,
    };
  return { verdict: 'ok', threshold: `below ${percent(watch)}` };
}

const RANK: readonly Verdict[] = ['ok', 'watch', 'act'];
export const worstOf = (verdicts: readonly Verdict[]): Verdict =>
  RANK[Math.max(0, ...verdicts.map((verdict) => RANK.indexOf(verdict)))]!;

/** `0.05 %`, `2 %`; where nothing is right, `one`. */
export const percent = (share: number): string =>
  share === 0 ? 'one' : `${Number((share * 100).toPrecision(3))} %`;

function sum(selectors: readonly Selector[], totals: readonly Total[]): number {
  return totals
    .filter((total) => selectors.some((selector) => selects(selector, total)))
    .reduce((all, { value }) => all + value, 0);
}

const selects = ({ name, labels }: Selector, total: Total): boolean =>
  name === total.name &&
  Object.entries(labels).every(([label, values]) => values.includes(total.labels[label] ?? ''));
