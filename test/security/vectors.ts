/**
 * Published vectors, read where they lie: WARDROOM_VECTORS, or `shared/vectors` beside the project.
 * Without them their tests are skipped, which is printed and counted.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeWith } from '../support/needs.js';

const folders = [
  process.env['WARDROOM_VECTORS'] ?? '',
  fileURLToPath(new URL('../../../shared/vectors', import.meta.url)),
];

/** The long forms of `npm run test:security`; `npm test` runs a cut. */
export const FULL = process.env['SECURITY'] === 'full';

/** Declares tests over a file of vectors, or says that they are skipped. */
export function describeVectors(name: string, path: string, declare: (vectors: any) => void): void {
  const file = folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, path))
    .find((candidate) => existsSync(candidate));
  const need = {
    met: file !== undefined,
    reason: `${path} is neither in WARDROOM_VECTORS nor in shared/vectors beside the project`,
  };
  describeWith(need, name)(name, () =>
    declare(file === undefined ? NO_VECTORS : JSON.parse(readFileSync(file, 'utf8'))),
  );
}

/** As a list, and as a file with lists in it: empty. */
const NO_VECTORS = Object.assign([], { cases: [], testGroups: [] });

/** Of a long list, in `npm test`: every nth; all in the long form. */
export const cut = <T>(items: readonly T[], every: number): readonly T[] =>
  FULL ? items : items.filter((_, i) => i % every === 0);
