/** The words of a page for screen readers (model/announcements.ts). One for the page. */
import type { ReadonlySignal } from '@preact/signals';
import { signal } from '@preact/signals';
import './unseen.css';

interface Said {
  readonly polite: ReadonlySignal<string>;
  readonly assertive: ReadonlySignal<string>;
}

const text = signal('');
const plain: Said = { polite: text, assertive: signal('') };

/** For a page without a table of intents: a text, politely and once. */
export function announce(next: string): void {
  // The same text twice is read twice only when it differs.
  text.value = text.value === next ? `${next}\u00a0` : next;
}

export function Announcer({ said = plain }: { said?: Said }) {
  return (
    <>
      <div class="unseen" role="status" aria-live="polite">
        {said.polite}
      </div>
      <div class="unseen" role="alert" aria-live="assertive">
        {said.assertive}
      </div>
    </>
  );
}
