/** Two kinds of work that lock one number wait for each other, and nobody sees why. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { LOCKS } from '../../../src/platform/stores/advisory-locks.js';

const source = fileURLToPath(new URL('../../../src', import.meta.url));

test('each kind of work locks a number of its own', () => {
  const numbers = Object.values(LOCKS);
  expect(new Set(numbers).size).toBe(numbers.length);
});

test('no file names a lock by itself: each statement that locks takes its number of the table', () => {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.includes('generated'))
    .map((file) => ({ file, text: readFileSync(join(source, file), 'utf8') }));
  const locks = /(?:advisory_(?:xact_)?lock\(|\.alone\()([^)]{0,60})/g;
  const taken = files.flatMap(({ file, text }) =>
    [...text.matchAll(locks)].map(([, argument]) => ({ file, argument: argument! })),
  );
  expect(taken.length).toBeGreaterThan(5);
  expect(taken.filter(({ argument }) => /\d{4}/.test(argument.replaceAll('_', '')))).toEqual([]);
  const named = files.filter(({ text }) => /\b72_?707_?\d{3}\b/.test(text)).map(({ file }) => file);
  expect(named).toEqual([join('platform', 'stores', 'advisory-locks.ts')]);
});
