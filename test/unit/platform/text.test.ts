import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isRef, jsonTrouble, nameSchema, slugSchema } from '../../../src/platform/text.js';

const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);

describe('jsonTrouble', () => {
  test.each([[null], [0], ['text'], [{ a: [1, { b: '😀' }] }], [nested(32)]])('takes %j', (value) =>
    expect(jsonTrouble(value)).toBeNull(),
  );

  test.each([
    ['NUL', 'a\0'],
    ['NUL in a key', { 'a\0': 1 }],
    ['a lone high surrogate', ['\ud800']],
    ['a lone low surrogate', { a: { b: '\udc00x' } }],
    ['a depth of 33', nested(33)],
    ['a depth that recursion would not survive', nested(50_000)],
    ['a number beyond a double', [JSON.parse('1e999')]],
  ])('refuses %s', (_, value) => expect(jsonTrouble(value)).toEqual(expect.any(String)));

  test('a name that no text without an escape can spell is looked for only where there is one', () =>
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom('', '\0', '\ud800', '\udc00'),
        fc.boolean(),
        (value, bad, key) => {
          const text = JSON.stringify(key ? { [`k${bad}`]: value } : [value, `v${bad}`]);
          const parsed: unknown = JSON.parse(Buffer.from(text).toString());
          expect(jsonTrouble(parsed, text.includes('\\u'))).toBe(jsonTrouble(parsed));
        },
      ),
    ));
});

describe('names and slugs', () => {
  test.each(['a', '0', 'lobby-2', `a${'b'.repeat(62)}`])('slug %s', (slug) => {
    expect(slugSchema.safeParse(slug).success).toBe(true);
    expect(isRef(slug)).toBe(true);
  });

  test.each(['', '-a', 'A', 'a_b', 'a b', 'ä', 'a\0', `a${'b'.repeat(63)}`])(
    'no slug %j',
    (slug) => {
      expect(slugSchema.safeParse(slug).success).toBe(false);
      expect(isRef(slug)).toBe(false);
    },
  );

  test('an id names something and is no slug', () => {
    const id = '0190a0a0-0000-7000-8000-000000000000';
    expect(isRef(id)).toBe(true);
    expect(slugSchema.safeParse(id).success).toBe(false);
  });

  test.each(['', '   ', 'a\0', '\ud800', 'x'.repeat(201)])('no name %j', (name) =>
    expect(nameSchema.safeParse(name).success).toBe(false),
  );
});
