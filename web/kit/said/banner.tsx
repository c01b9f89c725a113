/**
 * A title and a sentence across the width of their place, with what can be done about it. Pushes,
 * never covers.
 */
import type { ComponentChildren } from 'preact';
import './banner.css';

interface Props {
  tone: 'warn' | 'bad' | 'plain';
  title: string;
  text: string;
  children?: ComponentChildren;
}

export function Banner({ tone, title, text, children }: Props) {
  return (
    <div class={`banner ${tone}`}>
      <p>
        <strong>{title}</strong> {text}
      </p>
      {children}
    </div>
  );
}
