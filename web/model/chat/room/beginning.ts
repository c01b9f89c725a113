/** The beginning of a long text: the rest is shown when its reader asks for it. */
const CHARS_MAX = 1_500;
const LINES_MAX = 20;
/** Less than this is not worth hiding. */
const REST_MIN = 200;

/** Null: the text is short enough to be shown whole. */
export function beginningOf(text: string): string | null {
  let cut = -1;
  for (let line = 0; line < LINES_MAX && cut < CHARS_MAX; line += 1) {
    const end = text.indexOf('\n', cut + 1);
    cut = end < 0 ? text.length : end;
  }
  cut = Math.min(cut, CHARS_MAX);
  if (text.length - cut < REST_MIN) return null;
  // Never half of a character; a block of code that is cut is closed.
  const beginning = `${text.slice(0, cut).replace(/[\uD800-\uDBFF]$/, '')} …`;
  const fences = beginning.match(/^```/gm)?.length ?? 0;
  return fences % 2 === 0 ? beginning : `${beginning}\n\`\`\``;
}
