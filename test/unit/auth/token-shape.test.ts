/**
 * The shape is judged without decoding what is not needed; it must be as strict as decoding and
 * encoding again.
 */
import { expect, test } from '@jest/globals';
import { readTokenShape } from '../../../src/auth/tokens/token-shape.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const b64 = (text: string | Uint8Array) => Buffer.from(text).toString('base64url');
const kid = 'k'.repeat(43);
const header = b64(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid }));
const claims = b64('{"sub":"ada"}');

test('a signature of any length and last character is of our shape exactly when it is what it would be encoded to again', () => {
  for (let length = 1; length <= 9; length += 1) {
    for (const last of ALPHABET) {
      const signature = 'x'.repeat(length - 1) + last;
      const again = Buffer.from(signature, 'base64url').toString('base64url') === signature;
      expect([signature, readTokenShape(`${header}.${claims}.${signature}`) !== null]).toEqual([
        signature,
        again,
      ]);
    }
  }
});

test('a header that was read before is remembered by its whole text, and nothing else is', () => {
  expect(readTokenShape(`${header}.${claims}.AAAA`)).toEqual({
    kid,
    alg: 'ES256',
    claims: { sub: 'ada' },
  });
  expect(readTokenShape(`${header}.${b64('{"sub":"ben"}')}.AAAA`)).toEqual({
    kid,
    alg: 'ES256',
    claims: { sub: 'ben' },
  });
  for (const other of [
    { alg: 'none', typ: 'at+jwt', kid },
    { alg: 'ES256', typ: 'JWT', kid },
    { alg: 'ES256', typ: 'at+jwt', kid, crit: [] },
  ]) {
    const token = `${b64(JSON.stringify(other))}.${claims}.AAAA`;
    expect([readTokenShape(token), readTokenShape(token)]).toEqual([null, null]);
  }
});

test('more keys than are remembered are read all the same', () => {
  for (let i = 0; i < 200; i += 1) {
    const named = `${String(i).padStart(3, '0')}${'k'.repeat(40)}`;
    expect(
      readTokenShape(
        `${b64(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: named }))}.${claims}.AAAA`,
      )?.kid,
    ).toBe(named);
  }
});

test.each([
  ['broken UTF-8', b64(Buffer.from([0x7b, 0x22, 0x61, 0xff, 0x22, 0x3a, 0x31, 0x7d]))],
  ['a byte order mark', b64('\ufeff{"sub":"ada"}')],
  ['a surrogate alone', b64(Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]))],
  ['one member twice', b64('{"sub":"ada","sub":"ben"}')],
  ['a space', b64('{"sub": "ada"}')],
  ['a list', b64('["ada"]')],
])('claims with %s are not of our shape', (_what, part) => {
  expect(readTokenShape(`${header}.${part}.AAAA`)).toBeNull();
});
