/**
 * JSON values as text for comparing: objects with the same members are one value, in whatever order
 * these come (RFC 8259).
 */

/**
 * RFC 8785: keys in the order of their UTF-16 units, everything else as JSON.stringify writes it.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value) text += `${text === '' ? '' : ','}${canonicalJson(item)}`;
    return `[${text}]`;
  }
  for (const key of Object.keys(value).sort())
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson((value as Record<string, unknown>)[key])}`;
  return `{${text}}`;
}

/** JSON.stringify gives that text already; found out without writing anything. */
export function isCanonical(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isCanonical);
  const keys = Object.keys(value);
  return keys.every(
    (key, i) =>
      (i === 0 || keys[i - 1]! < key) && isCanonical((value as Record<string, unknown>)[key]),
  );
}
