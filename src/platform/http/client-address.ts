/**
 * The address of a client, for REST, for WebSockets and for TCP connections: the only reader of
 * `X-Forwarded-For`. And the network that an address counts as: everything that is limited by
 * address is limited by network.
 */
import { Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import proxyaddr from 'proxy-addr';
import { Config } from '../config/config.js';

/** The parts of a request that are read. */
export type AddressedRequest = Pick<IncomingMessage, 'headers' | 'socket'>;

/** An address without a port, or one with: `1.2.3.4:5`, `[2001:db8::1]`, `[2001:db8::1]:5`. */
const HOP = /^(?:([\d.]+)(?::\d{1,5})?|\[([\da-fA-F:.]+)\](?::\d{1,5})?|([\da-fA-F:.]+))$/;

@Injectable()
export class ClientAddresses {
  /** Is this one of TRUSTED_PROXIES? */
  readonly trusts: (address: string) => boolean;

  constructor({ trustedProxies }: Config) {
    const trusts = proxyaddr.compile(trustedProxies);
    this.trusts = (address) => isAddress(address) && trusts(address, 0);
  }

  /** The peer of this TCP connection is a trusted proxy. */
  cameByProxy({ socket }: Pick<AddressedRequest, 'socket'>): boolean {
    return this.trusts(plainAddress(socket.remoteAddress));
  }

  /**
   * The header is believed from the right, for as long as the hop that added to it is trusted. The
   * reading stops at the first text that is no address: everything to the left of it comes from an
   * unknown hop.
   */
  of(request: AddressedRequest): string {
    let address = plainAddress(request.socket.remoteAddress);
    if (request.headers['x-forwarded-for'] === undefined) return address;
    for (const hop of proxyaddr.all(request as IncomingMessage).slice(1)) {
      if (!this.trusts(address)) return address;
      const next = addressOf(hop);
      if (next === null) return address;
      address = next;
    }
    return address;
  }
}

function addressOf(hop: string): string | null {
  const parts = HOP.exec(hop);
  const text = parts?.[1] ?? parts?.[2] ?? parts?.[3] ?? '';
  return isAddress(text) ? plainAddress(text) : null;
}

export const isAddress = (text: string): boolean => isIPv4(text) || isReadableIPv6(text);

/**
 * Node takes an IPv4 address at the end of any IPv6 address, ipaddr.js only after `::ffff:`, and
 * throws for the others: they count as no address.
 */
const isReadableIPv6 = (text: string): boolean => isIPv6(text) && ipaddr.isValid(text);

/**
 * One spelling of each address; an IPv4 address is the same whichever kind of socket it came to.
 */
export function plainAddress(address: string | undefined): string {
  return address !== undefined && isReadableIPv6(address)
    ? ipaddr.process(address).toString()
    : (address ?? '');
}

/** The network that limits count: an IPv6 customer owns a /64. */
export function networkOf(address: string): string {
  if (!isReadableIPv6(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv4'
    ? parsed.toString()
    : `${(parsed as ipaddr.IPv6).parts
        .slice(0, 4)
        .map((part) => part.toString(16))
        .join(':')}::/64`;
}
