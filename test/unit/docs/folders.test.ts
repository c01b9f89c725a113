/** The picture of the folders: floors from the imports, and only arrows that no others imply. */
import { expect, test } from '@jest/globals';
import { pictureOf } from '../../../scripts/docs/folders.mjs';

const imports = (arrows: Record<string, string[]>) =>
  new Map(Object.entries(arrows).map(([from, to]) => [from, new Set(to)]));

test('a folder stands one floor above the highest that it imports', () => {
  expect(pictureOf(imports({ base: [], middle: ['base'], top: ['middle', 'base'] }))).toBe(
    [
      '```',
      ' 2  top     -->  middle',
      ' 1  middle  -->  base',
      ' 0  base',
      '```',
      '',
      '3 folders, 3 arrows, all of them downwards. An arrow that follows from others is not drawn.',
    ].join('\n'),
  );
});

test('an arrow that closes a circle is named as going upwards', () => {
  expect(pictureOf(imports({ a: ['b'], b: ['a'] }))).toContain(
    '2 folders, 2 arrows, upwards: b --> a.',
  );
});
