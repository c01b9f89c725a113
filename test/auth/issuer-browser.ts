/** A browser without pages: it goes to an issuer, and comes back with what it was given. */
import { expect } from '@jest/globals';

/** The address that the issuer sends the browser back to, on a node of ours. */
export async function visitIssuer(url: string, base: string): Promise<string> {
  const { headers } = await fetch(url, { redirect: 'manual' });
  const back = new URL(headers.get('location')!);
  expect(back.href).toMatch(/^http:\/\/wardroom\.test\/v1\/auth\/issuers\/callback\?/);
  return `${base}${back.pathname}${back.search}`;
}

export async function comeBack(url: string, cookie: string) {
  const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
  const set = response.headers.getSetCookie();
  const valueOf = (name: string) =>
    set.find((line) => line.startsWith(`${name}=`))?.split(';')[0] ?? '';
  return {
    status: response.status,
    to: response.headers.get('location'),
    body: response.status === 303 ? null : await response.json(),
    access: valueOf('wr_at'),
    isForgotten: set.some((line) => line.startsWith('wr_issuer=;')),
  };
}
