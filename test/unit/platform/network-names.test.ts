import { describe, expect, test } from '@jest/globals';
import { host, network, origin, publicUrl } from '../../../src/platform/config/network-names.js';

describe('an origin', () => {
  test.each([
    'https://app.example.com',
    'http://localhost:5173',
    'http://[::1]:3000',
    'capacitor://localhost',
    'ionic://localhost',
    'tauri://localhost',
    'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
    'moz-extension://0f0e0d0c-0b0a-4908-8706-050403020100',
    'app://x',
    'app://.',
    '*',
  ])('%s can be listed', (text) => expect(origin.safeParse(text).success).toBe(true));

  test.each([
    'https://app.example.com/',
    'https://app.example.com:443',
    'https://APP.example.com',
    'HTTPS://app.example.com',
    'https://*.example.com',
    'https://user@app.example.com',
    'https://app.example.com?x',
    'app.example.com',
    'capacitor://localhost/index.html',
    'capacitor://*',
    'capacitor:localhost',
    'app://',
    'app://a b',
    'null',
    '',
  ])('%s cannot', (text) => expect(origin.safeParse(text).success).toBe(false));
});

describe('a network', () => {
  test.each([
    '10.0.0.0/8',
    '127.0.0.1',
    '10.1.2.3/32',
    'fd00::/8',
    '::1',
    '2001:db8::/128',
    '::ffff:10.0.0.0/104',
  ])('%s is one', (text) => expect(network.safeParse(text).success).toBe(true));
  test.each([
    '10.0.0.0/99',
    '10.0.0.0/33',
    'fd00::/129',
    '10.0.0/8',
    '0.0.0.0/0',
    '::/0',
    '1.2.3.4/8/8',
    '1.2.3.4/',
    '/8',
    'fe80::1%eth0',
    'cafe',
    '300.1.1.1',
    'everyone',
  ])('%s is none', (text) => expect(network.safeParse(text).success).toBe(false));
});

describe('a host to listen on', () => {
  test.each(['0.0.0.0', '::', '127.0.0.1', 'localhost', 'node-a.internal'])('%s is one', (text) =>
    expect(host.safeParse(text).success).toBe(true),
  );
  test.each(['1.2.3', '1.2.3.4.5', '256.1.1.1', 'a b', 'http://localhost', '[::1]', 'host:3000'])(
    '%s is none',
    (text) => expect(host.safeParse(text).success).toBe(false),
  );
});

describe('PUBLIC_URL', () => {
  test.each([
    ['https://rooms.example.com', 'https://rooms.example.com'],
    ['https://rooms.example.com/', 'https://rooms.example.com'],
    ['https://example.com:8443/chat/', 'https://example.com:8443/chat'],
    ['http://localhost:3000', 'http://localhost:3000'],
  ])('%s is kept without its last slash', (text, kept) => expect(publicUrl.parse(text)).toBe(kept));
  test.each([
    'ftp://example.com',
    'example.com',
    'https://u:p@example.com',
    'https://example.com/?a',
    'https://example.com/#a',
    'https://example.com/a;b',
    'https://example.com/a,b',
  ])('%s is refused', (text) => expect(publicUrl.safeParse(text).success).toBe(false));
});
