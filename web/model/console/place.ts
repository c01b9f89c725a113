/**
 * Where one is in the console, as the part of the URL behind `#`: it is not sent to any server, so
 * an e-mail address in a filter stands in no access log. A token is never part of it.
 */
export type Fields = Readonly<Record<string, string>>;

export interface Place {
  readonly page: string;
  /** Of the thing that is shown; empty: the list. */
  readonly id: string;
  readonly fields: Fields;
}

const FIRST = 'sessions';
const FIELD_CHARS_MAX = 300;

export function placeOf(hash: string): Place {
  const [path = '', search = ''] = hash.replace(/^#?\/?/, '').split('?', 2);
  const [page = '', id = ''] = path.split('/', 2).map(decoded);
  const fields: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(search))
    if (value !== '' && value.length <= FIELD_CHARS_MAX) fields[name] = value;
  return { page: page === '' ? FIRST : page, id, fields };
}

export function hashOf({ page, id = '', fields = {} }: Partial<Place> & { page: string }): string {
  const search = new URLSearchParams(
    Object.entries(fields).filter(([, value]) => value !== ''),
  ).toString();
  const path = id === '' ? page : `${page}/${encodeURIComponent(id)}`;
  return `#/${path}${search === '' ? '' : `?${search}`}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
