/** A button that says when it is at work. `busy` keeps its place and its focus. */
import type { ComponentChildren } from 'preact';
import './button.css';

interface Props {
  children?: ComponentChildren;
  /** In place of a text: screen readers read the label. */
  sign?: string;
  onClick?: () => unknown;
  /** `bad`: it ends or takes something. */
  look?: 'plain' | 'accent' | 'quiet' | 'bad';
  /** Sends the form that it stands in. */
  submit?: boolean;
  busy?: boolean;
  disabled?: boolean;
  /** Of a button that stays in. */
  pressed?: boolean;
  /** For screen readers, where the text alone is not enough. */
  label?: string;
  id?: string;
  title?: string;
  /** Within a list that is one tab stop. */
  tabIndex?: number;
}

export function Button({
  children,
  sign,
  onClick,
  look = 'plain',
  busy = false,
  disabled = false,
  submit = false,
  pressed,
  label,
  id,
  title,
  tabIndex,
}: Props) {
  return (
    <button
      type={submit ? 'submit' : 'button'}
      id={id}
      title={title}
      tabIndex={tabIndex}
      class={`button ${look}`}
      disabled={disabled}
      aria-disabled={busy}
      aria-pressed={pressed}
      aria-label={label}
      onClick={(event) => {
        if (!busy) onClick?.();
        else event.preventDefault();
      }}
    >
      {sign === undefined ? children : <span aria-hidden="true">{sign}</span>}
    </button>
  );
}
