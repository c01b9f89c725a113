/** A time relative to now, ticking; the exact one is in its title. */
import { signal } from '@preact/signals';
import { countdown, relative } from '../../model/console/words.js';

/** Of this page's clock; moves once a second while somebody sees the page. */
export const nowMs = signal(Date.now());
setInterval(() => {
  if (document.visibilityState === 'visible') nowMs.value = Date.now();
}, 1_000);

const exact = (at: string): string =>
  new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' });

export function Moment({ at, none = '—' }: { at: string | null; none?: string }) {
  if (at === null) return <>{none}</>;
  return (
    <time dateTime={at} title={`${exact(at)} · ${at}`}>
      {relative(at, nowMs.value)}
    </time>
  );
}

/** The rest of a time that was so many ms ahead at `since`. */
export function Countdown({ ms, since }: { ms: number | null; since: number }) {
  return <>{ms === null ? '—' : countdown(ms - (nowMs.value - since))}</>;
}
