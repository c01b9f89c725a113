/**
 * A sealed message can neither be read, nor changed, nor moved; it opens on every node that has the
 * key, and nowhere else.
 */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { newId } from '../../../src/platform/ids.js';
import { MessageSeal } from '../../../src/platform/stores/message-seal.js';
import { Repetitions } from '../../../src/platform/repetitions.js';

const key = (): string => randomBytes(32).toString('base64url');
const SECRET = key();
const node = (secrets = [SECRET], installation = 'here', id = newId()) =>
  new MessageSeal(secrets, installation, id);
const textOf = (opened: ReturnType<MessageSeal['open']>) =>
  typeof opened === 'string' ? opened : opened.text;

describe('a sealed message', () => {
  test('opens on another node of the installation, with the sender, a number that grows and the time', () => {
    const id = newId();
    const sender = node([SECRET], 'here', id);
    const first = sender.seal('room\nx', 'ein Gruß ☃');
    const second = sender.seal('room\nx', 'again');
    const reader = node();
    const opened = reader.open('room\nx', first);
    expect(opened).toEqual({ sender: id, number: 1, atMs: expect.any(Number), text: 'ein Gruß ☃' });
    expect(Math.abs((opened as { atMs: number }).atMs - Date.now())).toBeLessThan(10_000);
    expect(reader.open('room\nx', second)).toMatchObject({ sender: id, number: 2, text: 'again' });
    expect([sender.isOwn(first), reader.isOwn(first), reader.isOwn(Buffer.alloc(3))]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test('hides what it says: nothing of the text stands in it, and the same text is never the same twice', () => {
    const sender = node();
    const [one, two] = [
      sender.seal('room\nx', 'a secret of the room'),
      sender.seal('room\nx', 'a secret of the room'),
    ];
    expect(one.includes('secret')).toBe(false);
    expect(one.subarray(31).equals(two.subarray(31))).toBe(false);
  });

  test.each([
    ['in another room', node(), 'room\ny'],
    ['for another use', node(), 'ticket\nx'],
    ['of another installation with the same key', node([SECRET], 'there'), 'room\nx'],
    ['of another key', node([key()]), 'room\nx'],
  ])('does not open %s', (_where, reader, about) => {
    expect(reader.open(about, node().seal('room\nx', 'text'))).toBe('forged');
  });

  test('of a process does not open as the word of another', () => {
    const box = node().seal('room\nx', 'text');
    Buffer.from(newId().replaceAll('-', ''), 'hex').copy(box, 3);
    expect(node().open('room\nx', box)).toBe('forged');
  });

  test('is found out whichever bit of it is changed', () => {
    const box = node().seal('room\nx', '{"kind":"events"}');
    const reader = node();
    for (let bit = 0; bit < box.length * 8; bit += 1) {
      const touched = Buffer.from(box);
      touched[bit >> 3]! ^= 1 << (bit & 7);
      expect(typeof reader.open('room\nx', touched)).toBe('string');
    }
    expect(textOf(reader.open('room\nx', box))).toBe('{"kind":"events"}');
  });

  test('of a former SECRET_KEY opens as long as that is listed, and the first of the list seals', () => {
    const [before, after] = [key(), key()];
    const old = node([before]).seal('a', 'old');
    const rotated = node([after, before]);
    expect(textOf(rotated.open('a', old))).toBe('old');
    expect(textOf(node([after]).open('a', rotated.seal('a', 'new')))).toBe('new');
    expect(node([after]).open('a', old)).toBe('forged');
  });

  test('of a later version is told apart from what is nothing of ours', () => {
    const later = node().seal('a', 'b');
    later[2] = 2;
    expect(node().open('a', later)).toBe('version');
    expect(
      node().open('a', Buffer.from('garbage that is longer than any head of ours may ever be')),
    ).toBe('unsealed');
  });

  test('never throws, whatever bytes come', () => {
    const reader = node();
    const real = node().seal('a', 'b');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(real.length), (bytes, cut) => {
        expect(typeof reader.open('a', Buffer.from(bytes))).toBe('string');
        expect(
          typeof reader.open('a', Buffer.concat([real.subarray(0, cut), bytes, Buffer.of(1)])),
        ).toBe('string');
      }),
    );
  });
});

describe('a copy of a message', () => {
  test('is told from a message, also a little out of order and after many others', () => {
    const copies = new Repetitions();
    expect([1, 5, 3, 4, 5, 3, 1, 2].map((number) => copies.isNew('a', number))).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
      true,
    ]);
    expect(copies.isNew('b', 5)).toBe(true);
    for (let number = 6; number < 3_000; number += 1) expect(copies.isNew('a', number)).toBe(true);
    for (let number = 1; number < 3_000; number += 1) expect(copies.isNew('a', number)).toBe(false);
  });
});
