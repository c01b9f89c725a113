/** Completion of `@name`, and which of the completed names a text still mentions. */
export interface Person {
  readonly id: string;
  readonly name: string;
}
export interface Completion {
  /** Where the `@` stands. */
  readonly from: number;
  readonly people: readonly Person[];
}
/** The id that stands for everybody in the room. */
export const EVERYBODY = 'room';
const SHOWN_MAX = 6;
const QUERY_MAX = 40;

/** The completion at the caret, or null. */
export function completeAt(
  text: string,
  caret: number,
  people: readonly Person[],
): Completion | null {
  const from = text.lastIndexOf('@', caret - 1);
  if (from < 0 || caret - from > QUERY_MAX) return null;
  if (from > 0 && /[\p{L}\p{N}]/u.test(text[from - 1]!)) return null;
  const query = fold(text.slice(from + 1, caret));
  if (/\n/.test(query)) return null;
  const found = people.filter(
    ({ name }) => fold(name).startsWith(query) || fold(name).includes(` ${query}`),
  );
  return found.length === 0 ? null : { from, people: found.slice(0, SHOWN_MAX) };
}

/** The ids that a text mentions; longest names first, so `@Ann Lee` is no `@Ann`. */
export function mentionsIn(text: string, people: readonly Person[]): string[] {
  const ids = new Set<string>();
  let rest = text;
  for (const { id, name } of [...people].sort((a, b) => b.name.length - a.name.length)) {
    const mark = `@${name}`;
    if (name === '' || !rest.includes(mark)) continue;
    ids.add(id);
    rest = rest.replaceAll(mark, '');
  }
  return [...ids].slice(0, 50);
}

export const fold = (text: string): string => text.normalize('NFKC').toLowerCase();
