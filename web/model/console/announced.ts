/**
 * The announcements of the console for screen readers, and the states that they come from. Errors
 * and dialogs speak for themselves (`role="alert"`, the focus), so they are not here.
 */
import { effect } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import type { Announcements } from '../announcements.js';
import type { Deed } from './deed.js';
import type { Alert } from './pages/overview.js';
import type { CheckState } from './pages/chain-check.js';
import type { DrillsState, Run } from './pages/drills.js';
import type { TailState } from './pages/audit.js';
import type { PagerState } from './pager.js';
import type { ReceiptRun } from './receipt-run.js';
import { plural } from './words.js';

const ENDS = ['effective', 'done', 'pending', 'refused'] as const;

export const CONSOLE_INTENTS = {
  opened: { text: (title: string) => `${title}, page of the console`, politeness: 'polite' },
  found: {
    text: (count: number, noun: string, more: boolean) =>
      `${more ? 'At least ' : ''}${plural(count, noun)}`,
    politeness: 'polite',
    delivery: 'settled',
  },
  over: { text: (title: string, words: string) => `${title}: ${words}`, politeness: 'polite' },
  refused: {
    text: (title: string, words: string) => `${title}: ${words}`,
    politeness: 'assertive',
  },
  alarm: { text: (text: string, note: string) => `${text} ${note}`, politeness: 'assertive' },
  warning: { text: (text: string, note: string) => `${text} ${note}`, politeness: 'polite' },
  calm: { text: () => 'Everything serves.', politeness: 'polite' },
  verified: { text: (sentence: string) => sentence, politeness: 'polite' },
  broken: { text: (sentence: string) => sentence, politeness: 'assertive' },
  drills: { text: (verdict: string) => `Drills: ${verdict}.`, politeness: 'polite' },
  tail: {
    text: (state: TailState) =>
      state === 'following' ? 'Following live.' : 'Held: new records are not shown.',
    politeness: 'polite',
  },
} as const;

export type ConsoleSaid = Announcements<typeof CONSOLE_INTENTS>;
type Stop = () => void;

/** Calls back with each new value, and not with the first one. */
function onChange<T>(value: ReadonlySignal<T>, tell: (now: T, before: T) => void): Stop {
  let before = value.peek();
  return effect(() => {
    const now = value.value;
    if (now === before) return;
    const was = before;
    before = now;
    tell(now, was);
  });
}

/** How many there are, after each question; not while somebody scrolls. */
export const tellFound = (
  said: ConsoleSaid,
  pager: {
    readonly state: ReadonlySignal<PagerState>;
    readonly items: ReadonlySignal<readonly unknown[]>;
  },
  noun: string,
): Stop =>
  onChange(pager.state, (now, before) => {
    if (before === 'opening' && (now === 'whole' || now === 'more'))
      said.say('found', pager.items.peek().length, noun, now === 'more');
  });

export const tellDeed = (
  said: ConsoleSaid,
  { title }: Pick<Deed, 'title'>,
  { state, steps }: Pick<ReceiptRun, 'state' | 'steps'>,
): Stop =>
  onChange(state, (now) => {
    if (!(ENDS as readonly string[]).includes(now)) return;
    const { text, note } = steps.peek().at(-1) ?? { text: 'done' };
    const words = note === undefined ? text : `${text}, ${note}`;
    said.say(now === 'refused' ? 'refused' : 'over', title, words);
  });

/** Alerts that were not there at the look before; and that all are gone. */
export function tellAlerts(said: ConsoleSaid, alerts: ReadonlySignal<readonly Alert[]>): Stop {
  return onChange(alerts, (now, before) => {
    const known = new Set(before.map(({ text }) => text));
    for (const { tone, text, note } of now)
      if (!known.has(text)) said.say(tone === 'bad' ? 'alarm' : 'warning', text, note);
    if (now.length === 0 && before.length > 0) said.say('calm');
  });
}

export const tellCheck = (
  said: ConsoleSaid,
  check: { readonly state: ReadonlySignal<CheckState>; readonly sentence: string },
): Stop =>
  onChange(check.state, (now) => {
    if (now !== 'reading' && now !== 'ready')
      said.say(now === 'broken' ? 'broken' : 'verified', check.sentence);
  });

export const tellDrills = (
  said: ConsoleSaid,
  drills: {
    readonly state: ReadonlySignal<DrillsState>;
    readonly run: ReadonlySignal<Run | null>;
  },
): Stop =>
  onChange(drills.state, (now, before) => {
    if (before === 'running') said.say('drills', drills.run.peek()?.verdict ?? 'they did not run');
  });

export const tellTail = (said: ConsoleSaid, tail: ReadonlySignal<TailState>): Stop =>
  onChange(tail, (now) => said.say('tail', now));
