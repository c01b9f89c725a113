/** Signing in by plain HTTP, where the word of the answer is the subject. */
export const PASSWORD = 'correct horse battery';

export const post = (
  base: string,
  path: string,
  body: object,
  headers: Record<string, string> = {},
) =>
  fetch(base + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

/** `ok`, or the code of the refusal. */
export async function outcome(
  base: string,
  path: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<string> {
  const response = await post(base, path, body, headers);
  const { code } = (await response.json()) as { code?: string };
  return response.ok ? 'ok' : (code ?? String(response.status));
}

/** The value of a cookie that an answer sets. */
export const cookieOf = (headers: Headers, name: string): string =>
  headers
    .getSetCookie()
    .find((line) => line.startsWith(`${name}=`))!
    .split(';')[0]!
    .slice(name.length + 1);
