import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, isCanonical } from '../../../src/rooms/events/commit/canonical-json.js';

/** As JSON.parse makes them: with `__proto__` as a member, and numbers that JSON has. */
const json = fc.json({ maxDepth: 4 });
const key = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', '10', '9', 'a', 'B', 'é', '\u{1f600}', '\uffff'),
  fc.string(),
);

describe('canonicalJson', () => {
  test('is one text for objects with the same members, whatever their order', () => {
    const members = fc.uniqueArray(fc.tuple(key, json), {
      selector: ([name]) => name,
      maxLength: 8,
    });
    fc.assert(
      fc.property(members, fc.infiniteStream(fc.nat()), (all, numbers) => {
        const order = (list: [string, string][]) =>
          JSON.parse(
            `{${list.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`,
          );
        const shuffled = all
          .map((member) => ({ member, at: numbers.next().value as number }))
          .sort((one, other) => one.at - other.at);
        expect(canonicalJson({ in: order(shuffled.map(({ member }) => member)) })).toBe(
          canonicalJson({ in: order(all) }),
        );
      }),
    );
  });

  test('says the value and nothing else: it parses to it, and is what JSON.stringify writes where isCanonical says so', () => {
    fc.assert(
      fc.property(json, (text) => {
        const value: unknown = JSON.parse(text);
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
        if (isCanonical(value)) expect(canonicalJson(value)).toBe(JSON.stringify(value));
      }),
    );
  });

  test('is RFC 8785: keys by UTF-16 units, numbers as ECMAScript writes them', () => {
    const value = JSON.parse(
      '{"\\ufb33":1,"\\ud83d\\ude00":2,"\\u20ac":3,"1":4,"\\r":5,"10":6,"9":7,"n":[1.0,1e21,1e-7,-0,333333333.33333329]}',
    );
    expect(canonicalJson(value)).toBe(
      '{"\\r":5,"1":4,"10":6,"9":7,"n":[1,1e+21,1e-7,0,333333333.3333333],"€":3,"😀":2,"\ufb33":1}',
    );
  });
});

test('isCanonical knows what is in order', () => {
  for (const text of [
    '1',
    '"x"',
    'null',
    '[]',
    '{}',
    '[{"a":1,"b":[{}]}]',
    '{"a":{"b":1,"c":2},"b":0}',
    '{"":1,"a":2}',
  ]) {
    expect([text, isCanonical(JSON.parse(text))]).toEqual([text, true]);
  }
  for (const text of ['{"b":1,"a":2}', '[{"a":{"b":1,"a":1}}]', '{"a":1,"":2}', '{"a":1,"B":2}']) {
    expect([text, isCanonical(JSON.parse(text))]).toEqual([text, false]);
  }
});
