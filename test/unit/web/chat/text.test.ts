/** Texts of messages: the subset of Markdown, mentions, and texts that are cut. */
import { describe, expect, test } from '@jest/globals';
import { plainText, readMarkdown } from '../../../../web/model/chat/room/markdown.js';
import { completeAt, mentionsIn } from '../../../../web/model/chat/room/mentions.js';
import { beginningOf } from '../../../../web/model/chat/room/beginning.js';
import { cut } from '../../../../web/model/chat/room/message-search.js';

/** The first line of the first block. */
const line = (text: string, names: string[] = []) => {
  const [block] = readMarkdown(text, names);
  return block !== undefined && 'lines' in block ? block.lines[0] : block;
};

describe('markdown', () => {
  test('reads bold, italic, code, and links that are written out', () => {
    expect(line('a **b** *c* `d*e*` https://example.com/x).')).toEqual([
      { kind: 'text', text: 'a ' },
      { kind: 'bold', parts: [{ kind: 'text', text: 'b' }] },
      { kind: 'text', text: ' ' },
      { kind: 'italic', parts: [{ kind: 'text', text: 'c' }] },
      { kind: 'text', text: ' ' },
      { kind: 'code', text: 'd*e*' },
      { kind: 'text', text: ' ' },
      { kind: 'link', text: 'https://example.com/x', href: 'https://example.com/x' },
      { kind: 'text', text: ').' },
    ]);
  });

  test('parts fences, quotes and paragraphs; an open fence is text', () => {
    expect(readMarkdown('> q\n> r\nafter\n\n```ts\nlet a;\n```\n```\nopen')).toMatchObject([
      { kind: 'quote', lines: [[{ text: 'q' }], [{ text: 'r' }]] },
      { kind: 'paragraph', lines: [[{ text: 'after' }]] },
      { kind: 'code', text: 'let a;' },
      { kind: 'paragraph' },
    ]);
  });

  test.each([
    'javascript:alert(1)',
    '[x](javascript:alert(1))',
    '<a href="x">',
    'data:text/html,x',
    'https://',
    '**',
    '`',
    '*a',
  ])('leaves %j as text', (text) => {
    expect(line(text)).toEqual([{ kind: 'text', text }]);
  });

  test('marks the names that are mentioned, the longest first, and no others', () => {
    expect(line('@Ann Lee and @Ann, not @Bob', ['Ann Lee', 'Ann'])).toEqual([
      { kind: 'mention', text: '@Ann Lee' },
      { kind: 'text', text: ' and ' },
      { kind: 'mention', text: '@Ann' },
      { kind: 'text', text: ', not @Bob' },
    ]);
  });

  test.each([
    ['stars', '*'.repeat(30_000)],
    ['ticks', '`a'.repeat(15_000)],
    ['bold that never ends', '**a'.repeat(10_000)],
    ['addresses', 'https://a '.repeat(3_000)],
    ['one long address', `https://${'a.'.repeat(15_000)}`],
    ['mentions', '@'.repeat(30_000)],
    ['fences', '```\n'.repeat(7_500)],
  ])('reads 30 kB of %s in 200 ms', (_, text) => {
    const began = performance.now();
    readMarkdown(text, ['Ann', 'Ben']);
    expect(performance.now() - began).toBeLessThan(200);
  });

  test('is one line without marks in a list', () => {
    expect(plainText('> The **release**\n\n`a` is ready')).toBe('The release a is ready');
  });
});

describe('mentions', () => {
  const people = [
    { id: 'a', name: 'Ann' },
    { id: 'l', name: 'Ann Lee' },
    { id: 'b', name: 'Ben Ó Briain' },
  ];

  test.each([
    ['hi @an', ['Ann', 'Ann Lee']],
    ['@lee', ['Ann Lee']],
    ['@ó', ['Ben Ó Briain']],
    ['@', ['Ann', 'Ann Lee', 'Ben Ó Briain']],
    ['a@an', undefined],
    ['@zo', undefined],
    ['@an\n', undefined],
    ['none', undefined],
  ])('complete %j', (text, names) => {
    expect(completeAt(text, text.length, people)?.people.map(({ name }) => name)).toEqual(names);
  });

  test('are the people that the text still names', () => {
    expect(mentionsIn('@Ann Lee, see', people)).toEqual(['l']);
    expect(mentionsIn('@Ann and @Ann Lee', people)).toEqual(['l', 'a']);
    expect(mentionsIn('nobody', people)).toEqual([]);
  });
});

test('a result of a search shows the words found within what is around them', () => {
  const text = `${'x'.repeat(200)} found ${'y'.repeat(400)}`;
  const parts = cut(text, [{ from: 201, to: 206 }]);
  expect(parts.find(({ isFound }) => isFound)?.text).toBe('found');
  expect([parts[0]?.text, parts.at(-1)?.text]).toEqual(['… ', ' …']);
  expect(cut('all', [{ from: 0, to: 3 }])).toEqual([{ text: 'all', isFound: true }]);
});

describe('the beginning of a long text', () => {
  test.each([
    ['a short one', 'hello'],
    ['20 lines', 'line\n'.repeat(20)],
    ['a little more than fits', 'x'.repeat(1_600)],
    ['empty lines before it', '\n\n\nhello'],
  ])('is nothing of its own for %s', (_, text) => {
    expect(beginningOf(text)).toBeNull();
  });

  test('ends after 1,500 letters or 20 lines, and never within a character', () => {
    expect(beginningOf('x'.repeat(10_000))).toBe(`${'x'.repeat(1_500)} …`);
    const lines = Array.from({ length: 500 }, (_, i) => `line ${i}`);
    expect(beginningOf(lines.join('\n'))).toBe(`${lines.slice(0, 20).join('\n')} …`);
    expect(beginningOf(`x${'😀'.repeat(2_000)}`)).toBe(`x${'😀'.repeat(749)} …`);
  });

  test('closes the block of code that it cuts', () => {
    const text = `\`\`\`\n${'code\n'.repeat(500)}\`\`\``;
    expect(readMarkdown(beginningOf(text)!)).toMatchObject([{ kind: 'code' }]);
  });
});
