/** The guides as trees, their search, and what is read of the API documents. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { GUIDES, slugOf } from '../../../web/docs/guides.js';
import { readGuide } from '../../../web/docs/read-guide.js';
import { fieldsOf, typeOf } from '../../../web/model/docs/api.js';
import { hrefOf, readPlace } from '../../../web/model/docs/place.js';
import { searchSections } from '../../../web/model/docs/search.js';

const nowhere = () => null;

describe('a guide', () => {
  test('is a tree of headings, paragraphs, lists, tables, code and links', () => {
    const { title, headings, tree } = readGuide(
      `# The *first* thing

Read \`a < b\` and [more](more.md#part).

## Twice
## Twice

- one
- **two**

| a | n |
|---|--:|
| x | 1 |

\`\`\`sh
echo "&lt;"
\`\`\`
`,
      (href) => `to:${href}`,
    );
    expect(title).toBe('The first thing');
    expect(headings.map(({ id, level }) => [id, level])).toEqual([
      ['the-first-thing', 1],
      ['twice', 2],
      ['twice-1', 2],
    ]);
    expect(tree).toEqual([
      ['h1', { id: 'the-first-thing' }, 'The ', ['em', {}, 'first'], ' thing'],
      [
        'p',
        {},
        'Read ',
        ['code', {}, 'a < b'],
        ' and ',
        ['a', { href: 'to:more.md#part' }, 'more'],
        '.',
      ],
      ['h2', { id: 'twice' }, 'Twice'],
      ['h2', { id: 'twice-1' }, 'Twice'],
      ['ul', {}, ['li', {}, 'one'], ['li', {}, ['strong', {}, 'two']]],
      [
        'table',
        {},
        ['thead', {}, ['tr', {}, ['th', {}, 'a'], ['th', { class: 'end' }, 'n']]],
        ['tbody', {}, ['tr', {}, ['td', {}, 'x'], ['td', { class: 'end' }, '1']]],
      ],
      ['pre', {}, ['code', {}, 'echo "&lt;"']],
    ]);
  });

  test('holds no element of HTML that its text names, and keeps places that links lead to', () => {
    const { tree } = readGuide(
      '<script>alert(1)</script>\n\n<a id="d1"></a>\n\nText <b onclick="x()">bold</b>\n',
      nowhere,
    );
    expect(tree).toEqual([
      ['p', {}, ['span', { id: 'd1' }]],
      ['p', {}, 'Text ', 'bold'],
    ]);
  });

  test('a link that leads nowhere in these pages is its words', () => {
    expect(readGuide('See [the code](../src/main.ts).', nowhere).tree).toEqual([
      ['p', {}, 'See ', 'the code', '.'],
    ]);
  });
});

test('every guide of the repository is in the menu, and can be read', () => {
  const listed = Object.values(GUIDES).flat();
  const there = readdirSync('docs').filter((file) => file.endsWith('.md'));
  expect(listed.filter((file) => file.startsWith('docs/')).sort()).toEqual(
    there.map((file) => `docs/${file}`).sort(),
  );
  const decisions = readdirSync('docs/adr').map((file) => `docs/adr/${file}`);
  for (const file of [...listed, ...decisions]) {
    expect(existsSync(file)).toBe(true);
    const { title, tree } = readGuide(readFileSync(file, 'utf8'), nowhere);
    expect([file, title]).not.toEqual([file, '']);
    expect(tree.length).toBeGreaterThan(2);
  }
  expect(new Set(listed.map(slugOf)).size).toBe(listed.length);
});

test('the search finds sections with every word, headings first, and shows the words around', () => {
  const section = (heading: string, text: string) => ({ slug: 's', id: heading, heading, text });
  const sections = [
    section('Tokens', `${'long '.repeat(30)}a refresh token rotates ${'on '.repeat(60)}`),
    section('Refresh', 'how it is done, with a token'),
    section('Other', 'a token'),
  ];
  const hits = searchSections(sections, '  Refresh TOKEN ');
  expect(hits.map(({ section: { heading } }) => heading)).toEqual(['Tokens', 'Refresh']);
  expect(searchSections(sections, 'refresh')[0]!.section.heading).toBe('Refresh');
  expect(hits[0]!.excerpt).toMatch(/^… .*refresh token rotates.* …$/);
  expect(searchSections(sections, ' ')).toEqual([]);
  expect(searchSections(sections, 'constructor')).toEqual([]);
});

test('an address names a guide, a decision or an API document', () => {
  expect(readPlace('', '')).toEqual({ kind: 'guide', slug: 'readme', anchor: '' });
  expect(readPlace('/adr/0001-x/', '#a%20b')).toEqual({
    kind: 'guide',
    slug: 'adr/0001-x',
    anchor: 'a b',
  });
  expect(readPlace('/api/rest', '#%E0')).toEqual({ kind: 'rest', anchor: '%E0' });
  expect(hrefOf('guide:sdk#install', '/p/docs')).toBe('/p/docs/sdk#install');
  expect(hrefOf('https://example.com/', '/docs')).toBe('https://example.com/');
});

test('a type is told in a few words, and fields of parts are fields', () => {
  const schemas = {
    Id: { type: 'string', format: 'uuid' },
    Base: { properties: { id: { $ref: '#/components/schemas/Id' } }, required: ['id'] },
  };
  expect(typeOf({ anyOf: [{ $ref: '#/components/schemas/Id' }, { type: 'null' }] })).toEqual({
    text: 'Id | null',
    name: 'Id',
  });
  expect(typeOf({ type: 'array', items: { enum: ['a', 'b'] } }).text).toBe('("a" | "b")[]');
  expect(typeOf({ type: 'string', minLength: 1, maxLength: 64 }).text).toBe(
    'string, 1 to 64 characters',
  );
  const whole = { allOf: [{ $ref: '#/components/schemas/Base' }, { properties: { a: {} } }] };
  expect(fieldsOf(whole, schemas).map(({ name, isRequired }) => [name, isRequired])).toEqual([
    ['id', true],
    ['a', false],
  ]);
});
