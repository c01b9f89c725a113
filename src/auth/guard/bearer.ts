/**
 * The credential of an `Authorization` header (RFC 6750, section 2.1; the scheme in any case, RFC
 * 9110, section 11.1).
 */
const BEARER = /^Bearer +(\S+) *$/i;

/**
 * The token; or, of another scheme or none, a text with a space in it: that is a credential too,
 * only no token can be so spelled.
 */
export const bearerOf = (authorization: string): string =>
  BEARER.exec(authorization)?.[1] ?? `no Bearer: ${authorization}`;
