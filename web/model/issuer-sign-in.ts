/** Signing in at an external issuer: the list of them, the way there, and the way back. */
import type { SignInIssuer } from '@wardroom/client';
import type { CookieSession } from './cookie-session.js';

const REFUSED = 'refused';
/** Anybody can write the address: it chooses among these. */
const TOLD = /^(?:unavailable|rate_limited|user_suspended|tenant_disabled|email_taken)$/;

/** None where the server does not answer: the password beside them says so when it is tried. */
export async function issuersOf(
  { client }: CookieSession,
  tenant: string,
): Promise<SignInIssuer[]> {
  if (tenant === '') return [];
  try {
    return await client.session!.signInIssuers(tenant);
  } catch {
    return [];
  }
}

/** The browser leaves, and comes back to where it is now. */
export async function goToIssuer(
  { client }: CookieSession,
  fields: { tenant: string; issuer: string; device: string; fresh?: boolean },
): Promise<void> {
  location.assign(await client.session!.beginSignIn({ ...fields, to: location.href }));
}

/** The code of the reason why nobody was signed in, once: it leaves the address. */
export function takeRefusal(): string | null {
  const url = new URL(location.href);
  const code = url.searchParams.get(REFUSED);
  if (code === null) return null;
  url.searchParams.delete(REFUSED);
  history.replaceState(null, '', url);
  return TOLD.test(code) ? code : 'auth_invalid';
}
