/**
 * Variables that look like one of ours and are none: `ALLOWED_ORIGIN`, `PUBLIC_URI`. Nobody reads
 * them; their author thinks so.
 */

/** Shorter names resemble too much. */
const NAME_MIN = 7;
const EDITS_MAX = 2;

/** One line for each, of a variable's name only. */
export function misspeltVariables(
  environment: NodeJS.ProcessEnv,
  known: ReadonlySet<string>,
): string[] {
  const long = [...known].filter((name) => name.length >= NAME_MIN);
  return Object.keys(environment).flatMap((name) => {
    const meant = known.has(name) ? undefined : nearest(name.toUpperCase(), long);
    return meant === undefined ? [] : [`${name} is not read. Is ${meant} meant?`];
  });
}

function nearest(name: string, known: readonly string[]): string | undefined {
  let [best, fewest] = [undefined as string | undefined, EDITS_MAX + 1];
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) > EDITS_MAX) continue;
    const edits = distance(name, candidate);
    if (edits < fewest) [best, fewest] = [candidate, edits];
  }
  return best;
}

/** Letters to put in, take out or replace, and neighbours to swap, to make one of the other. */
function distance(a: string, b: string): number {
  let [before, row] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next[j] = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        next[j] = Math.min(next[j]!, before[j - 2]! + 1);
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}
