/** Plain English as far as a program can hold it: width, openings, pronouns, and wrapping. */
import { describe, expect, test } from '@jest/globals';
import {
  findingsInCode,
  findingsInPage,
  findingsInTitles,
  wrapped,
} from '../../../scripts/docs/prose.mjs';

const inPage = (text: string) => findingsInPage({ file: 'page.md', text });
const inCode = (text: string) => findingsInCode({ file: 'a.ts', text });
const WORDS = 'word '.repeat(30).trim();

describe('openings:', () => {
  test.each(['Who', 'Whoever', 'Whose', 'Whom', 'What', 'Whatever', 'Whichever'])(
    'no sentence begins with "%s"',
    (word) => {
      const finding = `a sentence begins with "${word}"`;
      expect(inPage(`${word} waits is served.`)).toEqual([`page.md:1: ${finding}`]);
      expect(inPage(`It ends. ${word} waits is served.`)).toEqual([`page.md:1: ${finding}`]);
      expect(inPage(`* ${word} waits is served.`)).toEqual([`page.md:1: ${finding}`]);
      expect(inCode(`  // ${word} waits is served.`)).toEqual([`a.ts:1: ${finding}`]);
      expect(inCode(`/**\n * It ends.\n * ${word} waits is served.\n */`)).toEqual([
        `a.ts:1: ${finding}`,
      ]);
    },
  );

  test('questions, headings, code and clauses may', () => {
    expect(inPage('## What grows\n\nWhat grows? A client that knows what waits.')).toEqual([]);
    expect(inPage('```\nWhat waits.\n```\n\n`What` is a word, and so is "What waits".')).toEqual(
      [],
    );
    expect(inCode("const text = 'What waits is served.';")).toEqual([]);
  });
});

describe('people are "they":', () => {
  test.each(['he', 'him', 'his', 'himself', 'His'])('"%s"', (word) => {
    expect(inPage(`A member keeps ${word} room.`)).toEqual([`page.md:1: "${word}" for people`]);
    expect(inPage(`| member | keeps ${word} room |`)).toEqual([`page.md:1: "${word}" for people`]);
    expect(inCode(`/** A member keeps ${word} room. */`)).toEqual([`a.ts:1: "${word}" for people`]);
  });
});

describe('titles of tests:', () => {
  const inTitles = (text: string) => findingsInTitles({ file: 'a.test.ts', text });

  test.each([
    "test('TITLE', () => {",
    "test.each([[1, 'a(b)']])(\n  'TITLE %s',",
    'describe("TITLE",',
  ])('%s', (call) => {
    const named = (title: string) => inTitles(`\n${call.replace('TITLE', title)}`);
    expect(named('what waits is served')).toEqual([
      'a.test.ts:2: the title: a sentence begins with "What"',
    ]);
    expect(named('a member keeps his room')).toEqual(['a.test.ts:2: the title: "his" for people']);
    expect(named('a member that waits is served')).toEqual([]);
  });
});

describe('width:', () => {
  test('prose and comments that are too wide are named', () => {
    expect(inPage(WORDS)).toEqual(['page.md:1: prose is wider than 120 columns: npm run docs']);
    expect(inCode(`// ${WORDS}`)).toEqual(['a.ts:1: a comment is wider than 100 columns']);
  });

  test('tables, code, URLs and one long word are not', () => {
    expect(inPage(`| ${WORDS} |`)).toEqual([]);
    expect(inPage(`\`\`\`\n${WORDS}\n\`\`\``)).toEqual([]);
    expect(inPage(`see https://example.com/ ${WORDS}`)).toEqual([]);
    expect(inPage('x'.repeat(200))).toEqual([]);
  });
});

describe('wrapping', () => {
  test('keeps an item of a list together, and every word of it', () => {
    const text = `* ${WORDS}\n  ${WORDS}\n* next`;
    const lines = wrapped(text).split('\n');
    expect(lines.every((line: string) => line.length <= 120)).toBe(true);
    expect(lines.slice(1, -1).every((line: string) => line.startsWith('  word'))).toBe(true);
    expect(lines.at(-1)).toBe('* next');
    expect(wrapped(text).match(/word/g)).toHaveLength(60);
  });

  test('breaks no code and no link', () => {
    const link = '[a link of words](page.md)';
    const code = '`code of some words`';
    const text = `${WORDS.slice(0, 110)} ${link} ${WORDS.slice(0, 90)} ${code}`;
    expect(wrapped(text)).toContain(link);
    expect(wrapped(text)).toContain(code);
  });

  test('leaves narrow prose, tables and blocks of code as they are', () => {
    const text = `short\nlines\n\n| ${WORDS} |\n\n\`\`\`\n${WORDS}\n\`\`\`\n`;
    expect(wrapped(text)).toBe(text);
  });

  test('is done once', () => {
    const once = wrapped(`${WORDS} - ${WORDS}`);
    expect(wrapped(once)).toBe(once);
  });
});
