import { expect, test } from '@jest/globals';
import { readCookie } from '../../../src/auth/guard/cookie-header.js';

test('a cookie is found by its whole name', () => {
  expect(readCookie('a=1; wr_at=x.y.z; wr_at2=no', 'wr_at')).toBe('x.y.z');
  expect(readCookie('__Host-wr_at=no', 'wr_at')).toBeUndefined();
  expect(readCookie(undefined, 'wr_at')).toBeUndefined();
  expect(readCookie('wr_at=', 'wr_at')).toBeUndefined();
});

test('a name that occurs twice is nobody`s', () => {
  expect(readCookie('wr_at=planted; wr_at=mine', 'wr_at')).toBeUndefined();
});
