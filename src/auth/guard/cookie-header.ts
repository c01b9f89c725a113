/**
 * One value of a raw `Cookie` header. A name that occurs twice is nobody's: a sibling domain may
 * have planted one of the two.
 */
export function readCookie(header: string | undefined, name: string): string | undefined {
  const found = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`));
  const value = found.length === 1 ? found[0]!.slice(name.length + 1) : undefined;
  return value === '' ? undefined : value;
}
