import { describe, expect, test } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { isLocal } from '../../../src/try-out/local-only.js';

const from = (remoteAddress: string, headers: Record<string, string>): IncomingMessage =>
  ({ socket: { remoteAddress }, headers }) as unknown as IncomingMessage;

describe('a try-out call', () => {
  test.each([
    ['by IPv4', '127.0.0.1', { host: 'localhost:3000' }],
    ['by IPv4 in IPv6', '::ffff:127.0.0.1', { host: '127.0.0.1:3000' }],
    ['by IPv6', '::1', { host: '[::1]:3000' }],
    [
      'of the page itself',
      '127.0.0.1',
      { host: 'localhost:3100', origin: 'http://localhost:3000' },
    ],
  ])('is let in from this machine %s', (_, address, headers) => {
    expect(isLocal(from(address, headers))).toBe(true);
  });

  test.each([
    ['another machine', '192.0.2.7', { host: 'localhost:3000' }],
    ['a socket without an address', '', { host: 'localhost:3000' }],
    ['a name that was made to lead here', '127.0.0.1', { host: 'evil.example:3000' }],
    ['a name that only begins like ours', '127.0.0.1', { host: 'localhost.evil.example' }],
    ['a call without a host', '127.0.0.1', {}],
    [
      'a page of another site',
      '127.0.0.1',
      { host: 'localhost:3000', origin: 'https://evil.example' },
    ],
    ['an opaque origin', '127.0.0.1', { host: 'localhost:3000', origin: 'null' }],
    [
      'a proxy that says for whom',
      '127.0.0.1',
      { host: 'localhost:3000', 'x-forwarded-for': '192.0.2.7' },
    ],
    ['a proxy that says its name', '127.0.0.1', { host: 'localhost:3000', via: '1.1 proxy' }],
    ['a proxy by RFC 7239', '127.0.0.1', { host: 'localhost:3000', forwarded: 'for=192.0.2.7' }],
  ])('is refused from %s', (_, address, headers) => {
    expect(isLocal(from(address, headers as Record<string, string>))).toBe(false);
  });
});
