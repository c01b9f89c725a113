/**
 * Values of the environment that name an origin, a network, a host or this installation. Checked
 * whole: none of them fails later.
 */
import { isIP } from 'node:net';
import * as z from 'zod';

/**
 * As a browser sends it. http and https in the one form that browsers write; any other scheme
 * (`capacitor:`, `tauri:`, `chrome-extension:`, `app:`) as it stands, because `new URL` calls its
 * origin `null`.
 */
function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^\s/\\?#@*]+$/.test(text)) return false;
  return !/^https?:/.test(text) || (URL.canParse(text) && new URL(text).origin === text);
}

export const origin = z
  .string()
  .refine(
    (text) => text === '*' || isOrigin(text),
    'not an exact origin, such as https://app.example.com or capacitor://localhost',
  );

/** `/0` is everybody: any client could then name any address as its own. */
function isNetwork(text: string): boolean {
  const [, address = '', bits] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  return (
    family !== 0 &&
    (bits === undefined || (Number(bits) > 0 && Number(bits) <= (family === 6 ? 128 : 32)))
  );
}

export const network = z
  .string()
  .refine(isNetwork, 'not an address or a network, such as 10.0.0.0/8 or fd00::/8');

/** A name may not look like an address that is none. */
export const host = z
  .string()
  .refine(
    (text) =>
      isIP(text) !== 0 ||
      (/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(text) && !/^[\d.]+$/.test(text)),
    'not an address or a host name',
  );

/** Its path becomes that of cookies, so only what cannot end an attribute. */
function isPublicUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash, pathname } = new URL(text);
  return (
    /^https?:$/.test(protocol) &&
    username + password + search + hash === '' &&
    !/[?#]/.test(text) &&
    /^[\w.~!$&'()*+=:@%/-]*$/.test(pathname)
  );
}

/** Without a trailing slash. */
export const publicUrl = z
  .string()
  .refine(isPublicUrl, 'not an http or https URL without user, query and fragment')
  .transform((text) => text.replace(/\/+$/, ''));
