/** Moves the focus within a list that is one tab stop, by arrows, Home and End. */
type Key = KeyboardEvent & { currentTarget: EventTarget | null };

/** Answers whether the key moved something. `selector` finds the parts of the list in order. */
export function moveFocus(
  event: Key,
  selector: string,
  axis: 'block' | 'inline' = 'block',
  list = event.currentTarget as HTMLElement,
): boolean {
  const parts = [...list.querySelectorAll<HTMLElement>(selector)];
  const at = parts.indexOf(document.activeElement as HTMLElement);
  const to = target(event.key, at, parts.length, axis);
  if (to === undefined || parts.length === 0) return false;
  event.preventDefault();
  event.stopPropagation();
  parts[to]!.focus();
  return true;
}

function target(key: string, at: number, count: number, axis: 'block' | 'inline') {
  const [back, on] = axis === 'block' ? ['ArrowUp', 'ArrowDown'] : ['ArrowLeft', 'ArrowRight'];
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  if (key === on) return (at + 1) % count;
  if (key === back) return at <= 0 ? count - 1 : at - 1;
  return undefined;
}
