/** Names and values, one below the other. */
import type { ComponentChildren } from 'preact';
import './facts.css';

export interface FactRow {
  name: string;
  value: ComponentChildren;
}

export function Facts({ rows, label }: { rows: readonly FactRow[]; label: string }) {
  return (
    <dl class="facts" aria-label={label}>
      {rows.map(({ name, value }, i) => (
        <div key={i}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
