/**
 * Calls of the console, in the name of whoever is signed in, and the same call as a line that can
 * be pasted into a terminal. Knows no DOM.
 */

/** Kept by the session of the page (cookies); refusals throw what the server said. */
export interface Caller {
  call<T>(path: string, call?: { method?: string; body?: unknown }): Promise<T>;
}

export interface Ask {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** It answers a receipt, and takes `wait`. */
  readonly receipt?: true;
  /** For people. */
  readonly label?: string;
  /** Members of the body that are not part of what can be copied. */
  readonly hidden?: readonly string[];
}

export type Query = Readonly<Record<string, string | number | undefined>>;

export const get = (path: string, query: Query = {}): Ask => ({
  method: 'GET',
  path: withQuery(path, query),
});

export function send<T>(caller: Caller, { method, path, body }: Ask): Promise<T> {
  return caller.call<T>(path, body === undefined ? { method } : { method, body });
}

/** Names without a value are left out. */
export function withQuery(path: string, query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') search.set(name, String(value));
  const text = search.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** The token comes from a variable, never from the page. */
export function curlOf(origin: string, { method, path, body: whole, hidden = [] }: Ask): string {
  const body = without(whole, hidden);
  const parts = ['curl', '-sS', '-H', '"Authorization: Bearer $WARDROOM_TOKEN"'];
  if (method !== 'GET') parts.push('-X', method);
  if (body !== undefined)
    parts.push('-H', quoted('Content-Type: application/json'), '-d', quoted(JSON.stringify(body)));
  return [...parts, quoted(origin + path)].join(' ');
}

const without = (body: unknown, hidden: readonly string[]): unknown =>
  hidden.length === 0
    ? body
    : { ...(body as object), ...Object.fromEntries(hidden.map((name) => [name, '…'])) };

/** A command of `npx wardroom`. Values without a text are left out. */
export function cliOf(words: readonly string[], flags: Query = {}): string {
  const named = Object.entries(flags).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [`--${name}`, argument(String(value))],
  );
  return ['npx wardroom', ...words.map(argument), ...named].join(' ');
}

const argument = (text: string): string => (/^[\w@.:,+/-]+$/.test(text) ? text : quoted(text));

/** For a POSIX shell: nothing inside is expanded, and a line stays one line. */
const quoted = (text: string): string => {
  const plain = `'${text.replaceAll("'", `'\\''`)}'`;
  return /[\n\r]/.test(plain)
    ? `$'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n').replaceAll('\r', '\\r')}'`
    : plain;
};
