/**
 * The gate of everything that exists for trying out only: the caller is a program on this machine,
 * and says so in each of the ways a caller can be told from the outside. A page of a foreign site
 * is refused by its `Origin` and its `Host` (DNS rebinding), a call through a proxy by the header
 * that the proxy adds.
 */
import type { IncomingMessage } from 'node:http';
import { isLoopbackAddress, isLoopbackHost } from '../platform/http/loopback.js';

const FORWARDED = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
  'via',
];

export function isLocal({ socket, headers }: IncomingMessage): boolean {
  if (!isLoopbackAddress(socket.remoteAddress ?? '')) return false;
  if (FORWARDED.some((name) => headers[name] !== undefined)) return false;
  if (!isLoopbackUrl(`http://${headers.host ?? ''}`)) return false;
  return headers.origin === undefined || isLoopbackUrl(headers.origin);
}

/** `localhost`, 127.0.0.0/8 or `[::1]`, any port, any scheme. */
export function isLoopbackUrl(text: string): boolean {
  return URL.canParse(text) && isLoopbackHost(new URL(text).hostname);
}
