/** docs/security.md cannot name a proof that is not there, nor forget one. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../../', import.meta.url));
const text = readFileSync(`${root}docs/security.md`, 'utf8');
const named = [...text.matchAll(/`((?:test|src)\/[\w./-]+)`/g)].map(([, path]) => path!);

test('every file it names exists', () => {
  expect(named.length).toBeGreaterThan(100);
  expect(named.filter((path) => !existsSync(root + path))).toEqual([]);
});

test('every file of the security suite is named', () => {
  const files = readdirSync(`${root}test/security`).filter(
    (file) => file.endsWith('.test.ts') && file !== 'docs.test.ts',
  );
  expect(files.filter((file) => !named.includes(`test/security/${file}`))).toEqual([]);
});

test('a requirement without a test says that it is not met, or who meets it', () => {
  const rows = text
    .slice(text.indexOf('## Requirements'))
    .split('\n')
    .filter((line) => line.endsWith('| - |'));
  expect(rows.length).toBeGreaterThan(3);
  expect(rows.filter((row) => !/\*\*not met\*\*|proxy|`timingSafeEqual`/.test(row))).toEqual([]);
});

test('every table has three columns throughout', () => {
  const rows = text
    .slice(text.indexOf('## Requirements'))
    .split('\n')
    .filter((line) => line.startsWith('|'));
  expect(rows.filter((row) => row.split(/(?<!\\)\|/).length !== 5)).toEqual([]);
});
