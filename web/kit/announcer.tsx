/** Announces a text to screen readers, politely and once. One for the page. */
import { signal } from '@preact/signals';
import './announcer.css';

const text = signal('');

export function announce(next: string): void {
  // The same text twice is read twice only when it differs.
  text.value = text.value === next ? `${next}\u00a0` : next;
}

export function Announcer() {
  return (
    <div class="announcer" role="status" aria-live="polite">
      {text}
    </div>
  );
}
