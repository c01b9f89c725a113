/** The steps of a deed as a measured list: milliseconds, what happened, what it means. */
import type { Step } from '../../model/sequence.js';
import './receipt.css';

const SIGNS = { plain: '', good: '✓', warn: '▲', bad: '■' } as const;

export function Steps({ steps }: { steps: readonly Step[] }) {
  return (
    <ol class="steps">
      {steps.map((step, i) => (
        <li key={i} class={step.tone}>
          <span class="ms">
            {step.ms < 10_000 ? `${step.ms} ms` : `${(step.ms / 1000).toFixed(1)} s`}
          </span>
          <span class="what">
            {SIGNS[step.tone] === '' ? null : <span aria-hidden="true">{SIGNS[step.tone]} </span>}
            {step.text}
            {step.note === undefined || step.note === '' ? null : <small>{step.note}</small>}
          </span>
        </li>
      ))}
    </ol>
  );
}
