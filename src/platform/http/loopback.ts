/** The names and addresses of this machine to itself. */
import { BlockList, isIP } from 'node:net';
import { plainAddress } from './client-address.js';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Of a socket: 127.0.0.0/8, also as IPv6 writes it, or `::1`. */
export function isLoopbackAddress(text: string): boolean {
  const address = plainAddress(text);
  const family = isIP(address);
  return family !== 0 && loopback.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** Of a URL: `localhost`, 127.0.0.0/8 or `[::1]`. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || isLoopbackAddress(hostname.replace(/^\[|\]$/g, ''));
}
