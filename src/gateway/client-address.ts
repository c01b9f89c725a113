/** Who is at the other end, seen through proxies that are trusted. */
import { BlockList, isIP } from 'node:net';
import type { UpgradeRequest } from './plain-upgrade.js';

/** `X-Forwarded-For` is believed from the right, for as long as the hop that added it is trusted. */
export function trustedProxies(cidrs: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address, bits] = cidr.split('/');
    const family = isIP(address!) === 6 ? 'ipv6' : 'ipv4';
    list.addSubnet(address!, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return (address) => list.check(plain(address), isIP(plain(address)) === 6 ? 'ipv6' : 'ipv4');
}

export function clientAddress(request: UpgradeRequest, trusted: (address: string) => boolean): string {
  let address = plain(request.socket.remoteAddress ?? '');
  const header = request.headers['x-forwarded-for'];
  if (header === undefined) return address;
  const forwarded = String(header)
    .split(',')
    .map((hop) => hop.trim())
    .filter((hop) => isIP(plain(hop)) !== 0);
  while (forwarded.length > 0 && trusted(address)) address = plain(forwarded.pop()!);
  return address;
}

const MAPPED = '::ffff:';
/** An IPv4 address is the same whichever kind of socket it came to. */
const plain = (address: string): string => (address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address);
