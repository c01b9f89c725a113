/** Citations of each kind: a good one is accepted, a dead one is named with its line. */
import { describe, expect, test } from '@jest/globals';
import { anchorsOf, deadCitations } from '../../../scripts/docs/citations.mjs';

const PAGES = [
  { file: 'docs/contract.md', text: '# The contract\n\n## 1. Configuration\n\n## 7. Promises\n' },
  { file: 'docs/promises.md', text: '# The promises\n\n## P1\n\n## P2\n' },
  { file: 'docs/adr/0007-a-decision.md', text: '# 0007\n' },
];
const FILES = [...PAGES.map(({ file }) => file), 'src/rooms/rooms.ts', 'docs/page.md'];

const deadIn = (text: string) =>
  deadCitations({
    files: FILES,
    pages: [...PAGES, { file: 'docs/page.md', text }],
    code: [],
  });
const deadInCode = (text: string) =>
  deadCitations({ files: FILES, pages: PAGES, code: [{ file: 'src/rooms/rooms.ts', text }] });

describe('a page', () => {
  test.each([
    ['a link to a page', '[c](contract.md)'],
    ['a link to a heading', '[c](contract.md#7-promises)'],
    ['a link to a folder', '[decisions](adr/)'],
    ['a link elsewhere', '[x](https://example.com/none.md)'],
    ['a path', '`src/rooms/rooms.ts` and `src/rooms/`'],
    ['a path with a line', '`src/rooms/rooms.ts:12`'],
    ['the name of a file', '`rooms.ts`'],
    ['a file that a decision names as removed', '`src/gone.ts` (removed)'],
    ['a link in a block of code', '```\n[c](gone.md)\n```'],
    ['an ADR, a promise, a section', 'ADR 0007, P2, the contract, section 7'],
  ])('may have %s', (_what, text) => {
    expect(deadIn(text)).toEqual([]);
  });

  test.each([
    ['[c](gone.md)', 'the link to gone.md leads to no file'],
    ['[c](contract.md#gone)', 'the link to contract.md#gone leads to no heading'],
    ['`src/rooms/gone.ts`', 'there is no file src/rooms/gone.ts'],
    ['`src/gone/`', 'there is no file src/gone/'],
    ['`gone.ts`', 'there is no file gone.ts'],
    ['ADR 0099', 'there is no ADR 0099'],
    ['P3', 'docs/promises.md has no P3'],
    ['contract sections 1 and 3', 'docs/contract.md has no section 3'],
  ])('may not have %s', (text, what) => {
    expect(deadIn(`\n${text}`)).toEqual([`docs/page.md:2: ${what}`]);
  });
});

describe('a comment', () => {
  test('over several lines is read as one', () => {
    expect(deadInCode('/**\n * As the contract\n * section 9 says.\n */')).toEqual([
      'src/rooms/rooms.ts:1: docs/contract.md has no section 9',
    ]);
  });

  test('names files that exist', () => {
    expect(deadInCode('// See src/rooms/rooms.ts and docs/gone.md.')).toEqual([
      'src/rooms/rooms.ts:1: there is no file docs/gone.md',
    ]);
  });

  test('may name a file without its folder', () => {
    expect(deadInCode('// See rooms.ts, and gone.ts.')).toEqual([
      'src/rooms/rooms.ts:1: there is no file gone.ts',
    ]);
  });

  test('is no code', () => {
    expect(deadInCode("const at = 'docs/gone.md';")).toEqual([]);
  });
});

test('anchors are those of GitHub', () => {
  expect([...anchorsOf('# A `b`, c: D\n## A\n## A\n<a id="x"></a>')]).toEqual([
    'a-b-c-d',
    'a',
    'a-1',
    'x',
  ]);
});
