/**
 * The picture of the folders at the head of docs/architecture.md, from the imports as they are,
 * those of types included. Each floor imports only from floors below it; arrows that go upwards are
 * named below the picture.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { repository } from './repository.mjs';

const SOURCE = /^(?:protocol\/src|src|sdk\/src|sdk-react\/src|web)\/.*\.tsx?$/;
const IMPORT =
  /(?:^|\n)(?:import|export)\b[^;'"]*?from '((?:\.|@wardroom\/)[^']+)'|\bimport '(\.[^']+)'/g;
/** The folder of a package of this repository. */
const PACKAGE = {
  '@wardroom/protocol': 'protocol',
  '@wardroom/client': 'sdk',
  '@wardroom/react': 'sdk-react',
};

const byName = (a, b) => (a < b ? -1 : 1);

/** The folder of a file under src; files beside the folders are `main`. */
function folderOf(file) {
  if (/^(?:protocol|sdk|sdk-react)\//.test(file)) return file.split('/')[0];
  if (file.startsWith('web/')) return 'web pages';
  return /^src\/([^/]+)\//.exec(file)?.[1] ?? 'main, app.module';
}

/** Each folder with the set of folders that its files import. */
function importsOf(root) {
  const { files } = repository(root);
  const imports = new Map();
  for (const file of files.filter((name) => SOURCE.test(name))) {
    const from = folderOf(file);
    if (!imports.has(from)) imports.set(from, new Set());
    for (const [, named, bare] of readFileSync(join(root, file), 'utf8').matchAll(IMPORT)) {
      const to =
        PACKAGE[/^@[^/]+\/[^/]+/.exec(named)?.[0]] ??
        folderOf(normalize(join(dirname(file), named ?? bare)));
      if (to !== from) imports.get(from).add(to);
    }
  }
  return imports;
}

/** The floor of a folder: one above the highest that it imports. Takes out arrows that go up. */
function floorsOf(imports) {
  const floors = new Map();
  const upwards = [];
  const floorOf = (folder, path) => {
    if (floors.has(folder)) return floors.get(folder);
    const below = [-1];
    for (const to of imports.get(folder) ?? []) {
      if (path.includes(to)) {
        imports.get(folder).delete(to);
        upwards.push(`${folder} --> ${to}`);
      } else below.push(floorOf(to, [...path, to]));
    }
    floors.set(folder, Math.max(...below) + 1);
    return floors.get(folder);
  };
  for (const folder of [...imports.keys()].sort(byName)) floorOf(folder, [folder]);
  return { floors, upwards };
}

/** Folders that can be reached by two steps or more. */
function reached(imports, folder) {
  const found = new Set();
  const visit = (from) => {
    for (const to of imports.get(from) ?? []) {
      if (from !== folder) found.add(to);
      visit(to);
    }
  };
  visit(folder);
  return found;
}

export const foldersPicture = (root) => pictureOf(importsOf(root));

/** `imports`: each folder with the set of folders that it imports. */
export function pictureOf(imports) {
  const arrows = [...imports.values()].reduce((sum, to) => sum + to.size, 0);
  const { floors, upwards } = floorsOf(imports);
  const rows = [...imports.keys()].sort((a, b) => floors.get(b) - floors.get(a) || byName(a, b));
  const width = Math.max(...rows.map((row) => row.length));
  const lines = rows.map((folder) => {
    const implied = reached(imports, folder);
    const drawn = [...imports.get(folder)]
      .filter((to) => !implied.has(to))
      .sort((a, b) => floors.get(b) - floors.get(a) || byName(a, b));
    const floor = String(floors.get(folder)).padStart(2);
    const arrow = drawn.length === 0 ? '' : `  -->  ${drawn.join(', ')}`;
    return `${floor}  ${folder.padEnd(width)}${arrow}`.trimEnd();
  });
  return [
    '```',
    ...lines,
    '```',
    '',
    `${rows.length} folders, ${arrows} arrows, ${upwards.length === 0 ? 'all of them downwards' : `upwards: ${upwards.join(', ')}`}. An arrow that follows from others is not drawn.`,
  ].join('\n');
}
