/**
 * A button that opens a list of deeds. Arrows, Home and End move, Escape and a click outside close
 * it, and the focus goes back to the button.
 */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { moveFocus } from '../roving.js';
import './menu.css';

export interface MenuItem {
  text: string;
  run: () => unknown;
  /** It ends or takes something. */
  bad?: boolean;
}

interface Props {
  label: string;
  /** An item that is false is not offered. */
  items: readonly (MenuItem | false)[];
  children?: ComponentChildren;
  /** In place of a text on its button. */
  sign?: string;
  /** The deeds beside each other, each a sign. */
  isRow?: boolean;
  /** Opens above the button. */
  up?: boolean;
  /** The button is one of a list with one tab stop. */
  tabIndex?: number;
}

export function Menu({ label, items, children, sign, up = false, isRow = false, tabIndex }: Props) {
  const offered = items.filter((item) => item !== false);
  const [isOpen, setOpen] = useState(false);
  const [isUp, setUp] = useState(up);
  const root = useRef<HTMLDivElement>(null);
  const button = () => root.current?.querySelector('button');
  useEffect(() => {
    if (!isOpen) return undefined;
    root.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus();
    const close = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', close);
    return () => document.removeEventListener('pointerdown', close);
  }, [isOpen]);
  return (
    <div
      ref={root}
      class={isUp ? 'menu up' : 'menu'}
      onKeyDown={(event) => {
        if (!isOpen) return;
        if (event.key === 'Tab') setOpen(false);
        if (event.key === 'Escape') {
          event.stopPropagation();
          setOpen(false);
          button()?.focus();
        }
        moveFocus(event, '[role=menuitem]', isRow ? 'inline' : 'block');
      }}
    >
      <button
        type="button"
        class="button quiet"
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-label={label}
        title={label}
        tabIndex={tabIndex}
        onClick={() => {
          setUp(up || isLow(root.current!));
          setOpen(!isOpen);
        }}
      >
        {sign === undefined ? children : <span aria-hidden="true">{sign}</span>}
      </button>
      {isOpen ? (
        <ul role="menu" aria-label={label} class={isRow ? 'in-row' : ''}>
          {offered.map(({ text, run, bad }) => (
            <li key={text} role="none">
              <button
                type="button"
                role="menuitem"
                tabIndex={-1}
                class={bad === true ? 'bad' : ''}
                onClick={() => {
                  setOpen(false);
                  button()?.focus();
                  run();
                }}
              >
                {text}
              </button>
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}

/** Below it there may be no place. */
const isLow = (place: HTMLElement): boolean =>
  place.getBoundingClientRect().bottom > window.innerHeight * 0.6;
