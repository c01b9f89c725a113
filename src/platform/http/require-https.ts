/**
 * A proxy that took a request over plain HTTP, and says so, has shown its credentials to the
 * network: nobody is served like that.
 */
import type { IncomingHttpHeaders } from 'node:http';

/**
 * A list has one entry a hop; one hop in the clear is enough. `ws` is what some proxies call the
 * plain scheme of a WebSocket. Only for a request whose peer is a trusted proxy: what others claim
 * means nothing.
 */
export function cameInTheClear(headers: IncomingHttpHeaders): boolean {
  const scheme = headers['x-forwarded-proto'];
  if (scheme === undefined) return false;
  return String(scheme)
    .split(',')
    .some((hop) => /^\s*(http|ws)\s*$/i.test(hop));
}
