/** The text of a body for people and the search: itself where it is a string, else its `text`. */
export function textOf(body: unknown): string | null {
  if (typeof body === 'string') return body;
  const text = typeof body === 'object' && body !== null && 'text' in body ? body.text : null;
  return typeof text === 'string' ? text : null;
}
