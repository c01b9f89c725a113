/** A framed part of the page with a title line. */
import type { ComponentChildren } from 'preact';
import './pane.css';

interface Props {
  title: ComponentChildren;
  aside?: ComponentChildren;
  label: string;
  /** Over: what is shown is of the past. */
  dim?: boolean;
  children: ComponentChildren;
}

export function Pane({ title, aside, label, dim = false, children }: Props) {
  return (
    <section class={dim ? 'pane dim' : 'pane'} aria-label={label}>
      <header>
        <h2>{title}</h2>
        <div class="aside">{aside}</div>
      </header>
      {children}
    </section>
  );
}
