import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { emailForm, emailSchema, isPlainlyWritten } from '../../../src/platform/email.js';

describe('an address has one form, however it is written', () => {
  test.each([
    ['ada@example.com', 'ADA@Example.COM'],
    ["ada.o'neil+tag_1-x@example.com", "Ada.O'Neil+Tag_1-X@EXAMPLE.com"],
    ['ada@example.com', 'ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ'],
    ['fin@example.com', 'ﬁn@example.com'],
    ['kelvin@example.com', '\u212Aelvin@example.com'],
    ['jos\u00e9@example.com', 'JOSE\u0301@example.com'],
    ['οδοσ@example.com', 'ΟΔΟΣ@example.com'],
    ['οδοσ@example.com', 'οδος@example.com'],
    ['i\u0307@example.com', 'İ@example.com'],
    ['ada@xn--bcher-kva.example', 'ada@bücher.example'],
    ['ada@xn--bcher-kva.example', 'ada@BU\u0308CHER.example'],
    ['ada@xn--bcher-kva.example', 'ada@XN--BCHER-KVA.example'],
    ['иван@xn--e1afmkfd.xn--p1ai', 'ИВАН@ПРИМЕР.РФ'],
    ['田中@xn--fsqu00a.xn--0zwm56d', '田中@例子。测试'],
  ])('%s: %s', (form, text) => {
    expect(emailForm(text)).toBe(form);
    expect(emailForm(form)).toBe(form);
  });

  test.each([
    ['dotless i is another letter', 'mike@example.com', 'mıke@example.com'],
    ['sharp s is no double s', 'strasse@example.com', 'straße@example.com'],
    ['sharp s in a domain either', 'a@strasse.example', 'a@straße.example'],
    ['a final sigma in a domain is another domain', 'a@βολοσ.example', 'a@βολος.example'],
    ['Cyrillic is not Latin', 'ada@example.com', 'аda@example.com'],
    ['a dot counts', 'a.da@example.com', 'ada@example.com'],
  ])('but %s', (_, one, other) => {
    expect(emailForm(one)).not.toBeNull();
    expect(emailForm(other)).not.toBeNull();
    expect(emailForm(one)).not.toBe(emailForm(other));
  });

  test('and taking the form again changes nothing', () => {
    const letters = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(letters, letters, (local, domain) => {
        const form = emailForm(`${local}@${domain}.example`);
        if (form !== null) expect(emailForm(form)).toBe(form);
      }),
      { numRuns: 200 },
    );
  });
});

test.each([
  ...[
    '',
    'ada',
    '@example.com',
    'ada@',
    'ada@example',
    'ada@@example.com',
    'a b@example.com',
    '.ada@example.com',
    'ada.@example.com',
    'a..b@example.com',
  ],
  ...[
    'ada@-a.com',
    'ada@a..com',
    'ada@1.2.3.4',
    'ada@ex%41mple.com',
    'ada@exa_mple.com',
    'ada@example.com.',
    '"a b"@example.com',
    'ada@[127.0.0.1]',
  ],
  ...[
    'ada\u00ad@example.com',
    'ada\u200b@example.com',
    'ada\u202e@example.com',
    'ada\0@example.com',
    'ada\ud800@example.com',
    'ada\u2028@example.com',
  ],
  ...[
    'a＠b@example.com',
    'ada@a\u200db.example',
    `${'a'.repeat(250)}@example.com`,
    `${'é'.repeat(125)}@example.com`,
    'ada@xn--\u00e9.example',
  ],
])('%j is no address', (text) => {
  expect(emailForm(text)).toBeNull();
  expect(emailSchema.safeParse(text).success).toBe(false);
});

test('is found out in time that grows with the length only', () => {
  for (const text of [
    `${'a.'.repeat(2000)}@`,
    `a@${'a.'.repeat(2000)}`,
    `a@${'a-'.repeat(2000)}`,
    `a@${'é.'.repeat(2000)}`,
  ]) {
    const before = performance.now();
    emailForm(text);
    expect(performance.now() - before).toBeLessThan(200);
  }
});

test('an address that only compatibility makes equal proves nothing about the plain one', () => {
  for (const text of [
    'Ada@Example.com',
    'JOSÉ@bücher.example',
    'οδος@example.com',
    'ΟΔΟΣ@example.com',
    'İ@example.com',
  ])
    expect([text, isPlainlyWritten(text)]).toEqual([text, true]);
  for (const text of [
    'ﬁn@example.com',
    'ａda@example.com',
    'ada＠example.com',
    'ada²@example.com',
  ]) {
    expect([text, emailForm(text) !== null, isPlainlyWritten(text)]).toEqual([text, true, false]);
  }
});
