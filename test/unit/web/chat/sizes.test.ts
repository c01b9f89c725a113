/** The chat stays small, and says everything in both languages. */
import { expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { de } from '../../../../web/model/chat/texts/de.js';
import { en } from '../../../../web/model/chat/texts/en.js';

const web = new URL('../../../../web/', import.meta.url);

/** The lines of these folders and those in them, blank ones left out; of programs, comments too. */
function linesOf(folders: string[], ending: RegExp): number {
  const files = folders.flatMap((folder) =>
    readdirSync(new URL(folder, web), { recursive: true, encoding: 'utf8' })
      .filter((name) => ending.test(name) && !name.includes('texts/'))
      .map((name) => readFileSync(new URL(folder + name, web), 'utf8')),
  );
  const isCode = (line: string) => !/^\s*(?:$|\/\/|\/?\*)/.test(line);
  return files.join('\n').split('\n').filter(isCode).length;
}

test('it has at most 4,000 lines of TypeScript, the tables of texts apart, and 1,500 of CSS', () => {
  expect(linesOf(['chat/', 'model/chat/'], /\.tsx?$/)).toBeLessThanOrEqual(4_000);
  expect(linesOf(['chat/'], /\.css$/)).toBeLessThanOrEqual(1_500);
});

/** Every key with the kind of its value: `banner.retryIn: function of 1`. */
const keysOf = (texts: object, path = ''): string[] =>
  Object.entries(texts).flatMap(([key, value]) => {
    if (typeof value === 'object') return keysOf(value as object, `${path}${key}.`);
    const kind = typeof value === 'function' ? `function of ${value.length}` : typeof value;
    return [`${path}${key}: ${kind}`];
  });

test('German has every text that English has, and none that is empty', () => {
  expect(keysOf(de).sort()).toEqual(keysOf(en).sort());
  for (const texts of [en, de]) expect(JSON.stringify(texts)).not.toContain('""');
});
