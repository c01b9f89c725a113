/** Short words about something that was done, or refused; gone by themselves. One for the page. */
import { signal } from '@preact/signals';
import { Button } from '../inputs/button.js';
import './toast.css';

export interface Toast {
  text: string;
  tone?: 'plain' | 'bad';
  /** A step the person has now. */
  action?: { text: string; run: () => unknown };
}

const SHOWN_MS = 5_000;
const SHOWN_MAX = 3;
const toasts = signal<readonly (Toast & { id: number })[]>([]);
let made = 0;

const drop = (id: number) => (toasts.value = toasts.value.filter((each) => each.id !== id));

export function toast(next: Toast): void {
  const id = (made += 1);
  toasts.value = [...toasts.value, { ...next, id }].slice(-SHOWN_MAX);
  setTimeout(() => drop(id), SHOWN_MS);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, tone = 'plain', action }) => (
        <div key={id} class={`toast ${tone}`}>
          {text}
          {action === undefined ? null : (
            <Button
              look="quiet"
              onClick={() => {
                drop(id);
                action.run();
              }}
            >
              {action.text}
            </Button>
          )}
        </div>
      ))}
    </div>
  );
}
