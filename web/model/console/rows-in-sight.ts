/** Which rows of a long table are in the page, and where a key leads. */

/** Rows beyond the edge, so that scrolling shows no hole. */
const BEYOND = 10;

/** `first` is in, `last` is not. */
export function rowsInSight(
  { top, height }: { top: number; height: number },
  rowPx: number,
  count: number,
): { first: number; last: number } {
  const first = Math.max(0, Math.floor(top / rowPx) - BEYOND);
  const last = Math.min(count, Math.ceil((top + height) / rowPx) + BEYOND);
  return { first: Math.min(first, Math.max(0, count - 1)), last: Math.max(last, 0) };
}

/** Null: the key moves nothing. */
export function rowAfter(key: string, at: number, count: number, page: number): number | null {
  if (count === 0) return null;
  const end = count - 1;
  switch (key) {
    case 'ArrowDown':
      return Math.min(at + 1, end);
    case 'ArrowUp':
      return Math.max(at - 1, 0);
    case 'PageDown':
      return Math.min(at + Math.max(page, 1), end);
    case 'PageUp':
      return Math.max(at - Math.max(page, 1), 0);
    case 'Home':
      return 0;
    case 'End':
      return end;
    default:
      return null;
  }
}
