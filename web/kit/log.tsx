/**
 * A list of lines that grows at its end and stays there unless the reader scrolls up. One tab stop.
 */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import './log.css';

interface Props {
  label: string;
  /** Changes when a line is added. */
  version: unknown;
  children: ComponentChildren;
  mono?: boolean;
}

export function Log({ label, version, children, mono = false }: Props) {
  const list = useRef<HTMLOListElement>(null);
  const atEnd = useRef(true);
  useLayoutEffect(() => {
    if (atEnd.current && list.current !== null) list.current.scrollTop = list.current.scrollHeight;
  }, [version]);
  return (
    <ol
      ref={list}
      class={mono ? 'log mono' : 'log'}
      tabIndex={0}
      aria-label={label}
      onScroll={({ currentTarget: at }) =>
        (atEnd.current = at.scrollHeight - at.scrollTop - at.clientHeight < 24)
      }
    >
      {children}
    </ol>
  );
}

/** Hours to milliseconds, by this machine's clock. */
export function clockText(at: Date, ms = false): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const text = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return ms ? `${text}.${String(at.getMilliseconds()).padStart(3, '0')}` : text;
}
