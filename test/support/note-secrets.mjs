/** Before every test file: what `fetch` sends and gets is noted for the sentinel of silence. */
import { noteSaid, noteTokens } from './secrets.mjs';

const { fetch } = globalThis;

globalThis.fetch = async (input, init) => {
  noteTokens(
    JSON.stringify([
      typeof input === 'object' && 'url' in input ? input.url : String(input),
      [...new Headers(init?.headers)],
    ]),
  );
  if (typeof init?.body === 'string') noteTokens(init.body);
  const response = await fetch(input, init);
  noteTokens(JSON.stringify([...response.headers]));
  if (!(response.headers.get('content-type') ?? '').includes('json')) return response;
  const text = await response.clone().text();
  noteTokens(text);
  if (!response.ok) noteSaid(text);
  return response;
};
