/**
 * One reader of addresses for REST, WebSockets and TCP: what proxies write, and what limits count.
 */
import { describe, expect, test } from '@jest/globals';
import type { Config } from '../../../src/platform/config/config.js';
import {
  ClientAddresses,
  networkOf,
  plainAddress,
} from '../../../src/platform/http/client-address.js';

const addresses = new ClientAddresses({
  trustedProxies: ['10.0.0.0/8', '2001:db8:aaaa::/48'],
} as Config);
const clientOf = (remoteAddress: string, header?: string): string =>
  addresses.of({
    socket: { remoteAddress },
    headers: header === undefined ? {} : { 'x-forwarded-for': header },
  } as never);

describe('from a trusted proxy', () => {
  test.each([
    ['203.0.113.5', '203.0.113.5'],
    ['203.0.113.5:1234', '203.0.113.5'],
    ['192.0.2.1, 198.51.100.9:40100', '198.51.100.9'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[2001:DB8::1]', '2001:db8::1'],
    ['2001:db8:0:0::1', '2001:db8::1'],
    ['::ffff:203.0.113.5', '203.0.113.5'],
    ['[::ffff:203.0.113.5]:80', '203.0.113.5'],
    ['192.0.2.1,10.1.1.1:80', '192.0.2.1'],
    ['203.0.113.5, [2001:db8:aaaa::2]:9', '203.0.113.5'],
    ['10.0.0.3, 10.0.0.2', '10.0.0.3'],
  ])('X-Forwarded-For: %s is %s', (header, client) => {
    expect(clientOf('10.0.0.1', header)).toBe(client);
  });

  test.each([
    'unknown',
    '',
    ' , ',
    '192.0.2.1, unknown',
    '192.0.2.1, _hidden',
    '192.0.2.1, 203.0.113.5:',
    '192.0.2.1, 203.0.113.5:http',
    '192.0.2.1, 203.0.113.5:123456',
    '192.0.2.1, 203.0.113',
    '192.0.2.1, 0x7f.1',
    '192.0.2.1, 1',
    '192.0.2.1, 010.0.0.1',
    '192.0.2.1, [203.0.113.5]x',
    '192.0.2.1, [2001:db8::1',
    '192.0.2.1, "203.0.113.5"',
    '192.0.2.1, 2001:db8::1]:80',
    '192.0.2.1, <script>',
    '192.0.2.1, ::203.0.113.5',
    '192.0.2.1, [64:ff9b::203.0.113.5]:80',
  ])('a text that is no address stops the walk at the proxy: %j', (header) => {
    expect(clientOf('10.0.0.1', header)).toBe('10.0.0.1');
  });

  test('stops the walk also further to the left', () => {
    expect(clientOf('10.0.0.1', '192.0.2.1, unknown, 10.0.0.2')).toBe('10.0.0.2');
  });

  test('a header of 16 KiB that is no address is read in no time', () => {
    clientOf('10.0.0.1', '::');
    const beganMs = performance.now();
    for (const header of [
      ':'.repeat(16_384),
      '1.'.repeat(8_192),
      `[${'a:'.repeat(8_191)}`,
      ',1'.repeat(8_192),
    ])
      clientOf('10.0.0.1', header);
    expect(performance.now() - beganMs).toBeLessThan(100);
  });
});

test('from anybody else the header is not believed', () => {
  expect(clientOf('203.0.113.9', '192.0.2.1')).toBe('203.0.113.9');
  expect(clientOf('::ffff:203.0.113.9', '192.0.2.1')).toBe('203.0.113.9');
});

test('a trusted proxy is the same on a socket that speaks IPv4 and IPv6', () => {
  expect(clientOf('::ffff:10.0.0.1', '192.0.2.1')).toBe('192.0.2.1');
});

test('an address has one spelling', () => {
  expect([
    plainAddress('2001:DB8:0::1'),
    plainAddress('::FFFF:1.2.3.4'),
    plainAddress('1.2.3.4'),
    plainAddress(undefined),
  ]).toEqual(['2001:db8::1', '1.2.3.4', '1.2.3.4', '']);
});

test('a spelling that cannot be read stays as it is, and is no trusted proxy', () => {
  const address = '::10.0.0.1';
  expect([plainAddress(address), networkOf(address)]).toEqual([address, address]);
  expect(clientOf(address, '192.0.2.1')).toBe(address);
});

describe('limits count', () => {
  test.each([
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002:0:0:0:1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('IPv6 by /64: %s as %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  test('IPv4 by address, however it is written', () => {
    expect([networkOf('1.2.3.4'), networkOf('::ffff:1.2.3.4')]).toEqual(['1.2.3.4', '1.2.3.4']);
  });
});
